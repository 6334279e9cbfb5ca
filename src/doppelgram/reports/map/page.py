"""The map as a page that needs nothing but itself: no server, no network, no other file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from doppelgram.maps.atlas import Map
from doppelgram.maps.neighbours import TRAINING
from doppelgram.reports.map.palette import COLOURS, SHAPES, style_classes
from doppelgram.reports.map.parts import named, ordered, wrong_lines
from doppelgram.reports.pages import page, write_text


def page_html(found: Map, *, title: str) -> str:
    """The page's text.

    Names and labels are put into the page as JSON, in which no letter can end the script, and the page's own script
    shows them as text only. Its policy forbids every request.

    Args:
        found: what to show.
        title: of the page.
    """
    text = json.dumps(_data(found), ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    sheets = found.images.sheets
    return page(
        "reports/map/page.html",
        title=title,
        caption=f"{found.projection.about}. {_legend(found)}",
        wrongs=wrong_lines(found),
        data=Markup(text),
        sheets=sheets.jpegs if sheets else (),
    )


def write_page(found: Map, file: Path | str, *, title: str) -> Path:
    """Write `page_html` into a file, whole or not at all."""
    return write_text(Path(file), page_html(found, title=title))


def _legend(found: Map) -> str:
    faint = (found.images.parts == TRAINING).any() and (found.images.parts != TRAINING).any()
    rule = "A dark ring marks an image whose nearest neighbour is of another class"
    source = " among the training images." if (found.images.parts == TRAINING).any() else "."
    return ("Faint marks are training images. " if faint else "") + rule + source


def _data(found: Map) -> dict[str, Any]:
    """Everything that the page's script needs, as plain lists."""
    images, nearest = found.images, found.nearest
    low = found.points.min(axis=0)
    span = float(np.ptp(found.points, axis=0).max()) or 1.0

    def units(points: Any) -> list[list[float]]:
        # One scale for both axes; the page's vertical axis points down.
        places = (points - low) / span
        return [[round(float(a), 5), round(1 - float(b), 5)] for a, b in places]

    styles = style_classes(found.points, images.labels)
    codes = {name: code for code, name in enumerate(styles.names)}
    reaches = [round(float(reach), 5) for reach in styles.reaches / span]
    places, centres = units(found.points), units(styles.centres)
    parts = ordered(images.parts)
    numbers = {part: number for number, part in enumerate(parts)}
    kept = nearest.neighbours >= 0
    return {
        "x": [place[0] for place in places],
        "y": [place[1] for place in places],
        "label": [codes[label] for label in images.labels.tolist()],
        "part": [numbers[part] for part in images.parts.tolist()],
        "predicted": [codes.get(name, -1) if name else -1 for name in nearest.predicted.tolist()],
        "wrong": nearest.wrong.astype(int).tolist(),
        "names": [str(name).encode("utf-8", "replace").decode("utf-8") for name in images.names],
        "near": [row[mask].tolist() for row, mask in zip(nearest.neighbours, kept, strict=True)],
        "far": [
            [round(float(value), 4) for value in row[mask]] for row, mask in zip(nearest.distances, kept, strict=True)
        ],
        "classes": [
            {"name": name, "colour": COLOURS[colour], "shape": SHAPES[shape], "x": x, "y": y, "reach": reach}
            for name, colour, shape, (x, y), reach in zip(
                styles.names, styles.colours.tolist(), styles.shapes.tolist(), centres, reaches, strict=True
            )
        ],
        "parts": [
            {"name": named(part), "count": int((images.parts == part).sum()), "faint": part == TRAINING}
            for part in parts
        ],
        "side": images.sheets.side if images.sheets else 0,
        "columns": images.sheets.columns if images.sheets else 1,
        "rows": images.sheets.rows if images.sheets else 1,
    }
