"""The map as a picture for print and slides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Map
from doppelgram.maps.neighbours import TRAINING, Text
from doppelgram.numbers import percent, shortened
from doppelgram.reports.drawing import one_line
from doppelgram.reports.figures import INK, QUIET, lettering, write_figure
from doppelgram.reports.map.palette import COLOURS, SHAPES, Styles, style_classes
from doppelgram.reports.map.parts import named, ordered, wrong_lines
from doppelgram.space.exact import Bools, Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# Matplotlib's names of the shapes, and the factor that makes their areas look alike.
_MARKERS = dict(zip(SHAPES, ("o", "s", "^", "D", "P", "v", "*", "X", "h"), strict=True))
_SCALES = dict(zip(SHAPES, (1.0, 0.9, 1.15, 0.85, 1.2, 1.15, 1.6, 1.2, 1.15), strict=True))
# Up to so many classes a list beside the map names them all; of more, those with room are named on it.
_MOST_LISTED = 26


def draw_points(points: Float64, labels: Text, parts: Text, wrong: Bools, *, title: str, caption: str = "") -> Figure:
    """Draw a map: the training part faint, everything else strong, and a ring around what is misclassified.

    Class names are written on the map where there is room, and listed beside it if they are few.

    Args:
        points: (n, 2).
        labels: (n,) class names, empty where not known.
        parts: (n,) ``train``, ``val``, ``test``, ...; empty where images were not divided.
        wrong: (n,) whose nearest neighbour is of another class.
        title: stands above the map.
        caption: stands below it.

    Returns:
        A figure of a slide's size.

    Raises:
        DoppelgramError: there is nothing to draw, or the arrays do not belong together.
    """
    if not len(points) == len(labels) == len(parts) == len(wrong):
        raise DoppelgramError("points, labels, parts and wrong differ in length; give one of each an image")
    if not len(points):
        raise DoppelgramError("there are no images to draw")
    styles = style_classes(points, labels)
    axes = _slide()
    figure: Figure = axes.get_figure(root=True)  # type: ignore[assignment]
    scale = _scale(len(points))
    strong = parts != TRAINING
    # A map of training images alone has no faint and strong.
    strong |= not strong.any()
    for code, name in enumerate(styles.names):
        mine = labels == name
        for chosen, bold in ((mine & ~strong, False), (mine & strong, True)):
            _scatter(axes, points[chosen], styles, code, scale, bold)
    _rings(axes, points[wrong], scale)
    _frame(axes, title)
    hollow: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 1.5}
    ring = _mark("circle", INK, 10, _wrong_label(strong, wrong), **hollow)
    handles = [*_part_marks(parts, strong), ring, *_class_marks(styles)]
    _legend(axes, handles)
    if caption:
        below: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
        axes.annotate(caption, (0, 0), (0, -8), color=QUIET, fontsize=11, parse_math=False, **below)
    with lettering(figure):
        _write_names(axes, figure, styles, 10.5)
    return figure


def _slide() -> Axes:
    """Axes of a figure of its own, 16 to 9, drawn by Agg; pyplot's global state is left alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.8, 7.2))
    FigureCanvasAgg(figure)
    return figure.add_axes((0.02, 0.08, 0.76, 0.84))


def _scale(count: int) -> float:
    """Side of a strong mark in points: smaller for many, so that a full slide stays legible."""
    return float(np.clip(26 / max(count, 1) ** 0.2, 3.8, 9))


def _scatter(axes: Axes, points: Float64, styles: Styles, code: int, scale: float, bold: bool) -> None:
    if not len(points):
        return
    shape = SHAPES[styles.shapes[code]]
    side = scale * _SCALES[shape] * (1.0 if bold else 0.72)
    look: dict[str, Any] = {"alpha": 0.95, "linewidths": 0.35} if bold else {"alpha": 0.28, "linewidths": 0}
    look |= {"marker": _MARKERS[shape], "c": COLOURS[styles.colours[code]], "edgecolors": "white"}
    axes.scatter(points[:, 0], points[:, 1], s=side**2, zorder=3 if bold else 2, **look)


def _rings(axes: Axes, points: Float64, scale: float) -> None:
    if len(points):
        for width, colour in ((3.2, "white"), (1.5, INK)):
            look: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": width}
            axes.scatter(points[:, 0], points[:, 1], s=(2.1 * scale) ** 2, marker="o", zorder=4, **look)


def _frame(axes: Axes, title: str) -> None:
    look: dict[str, Any] = {"fontsize": 17, "fontweight": "bold", "color": INK, "pad": 10, "parse_math": False}
    axes.set_title(one_line(title), loc="left", **look)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#c3cad1")
    axes.margins(0.05)


def _mark(shape: str, colour: str, size: float, label: str, **look: Any) -> Line2D:
    from matplotlib.lines import Line2D

    drawn: dict[str, Any] = {"linestyle": "none", "markeredgewidth": 0, **look}
    return Line2D([], [], marker=_MARKERS[shape], color=colour, markersize=size, label=label, **drawn)


def _part_marks(parts: Text, strong: Bools) -> list[Line2D]:
    """What is faint and what is strong, with how many images each."""
    marks = []
    for bold in (False, True):
        present = ordered(parts[strong == bold])
        if present:
            label = f"{' and '.join(named(part) for part in present)}: {int((strong == bold).sum()):,}"
            marks.append(_mark("circle", QUIET, 8 if bold else 6, label, alpha=1.0 if bold else 0.4))
    return marks


def _class_marks(styles: Styles) -> list[Line2D]:
    """One mark a class, if they are few."""
    looks = zip(styles.names, styles.shapes, styles.colours, strict=True)
    return [
        _mark(SHAPES[shape], COLOURS[colour], 7.5 * _SCALES[SHAPES[shape]], _short(name or "no label"))
        for name, shape, colour in looks
        if len(styles.names) <= _MOST_LISTED
    ]


def _legend(axes: Axes, marks: list[Line2D]) -> None:
    spacing: dict[str, Any] = {"handletextpad": 0.6, "borderaxespad": 0.2, "labelspacing": 0.45}
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
    legend = axes.legend(handles=marks, frameon=False, fontsize=10.5, labelcolor=INK, **beside, **spacing)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _wrong_label(strong: Bools, wrong: Bools) -> str:
    """Misclassified among the strong marks, which are the ones in question, and then among the faint."""
    n, found = int(strong.sum()), int((wrong & strong).sum())
    text = f"misclassified: {found:,} of {n:,}\n({percent(found / max(n, 1))})"
    faint = int((wrong & ~strong).sum())
    return f"{text}, and {faint:,} in training" if faint else text


def _write_names(axes: Axes, figure: Figure, styles: Styles, size: float) -> None:
    """Write class names beside their classes, large classes first, where no other name and no edge is in the way."""
    from matplotlib.patheffects import withStroke

    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    edges = [withStroke(linewidth=2.6, foreground="white", alpha=0.9)]
    look: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center", "zorder": 6}
    look |= {"fontweight": "bold", "color": INK, "path_effects": edges}
    taken: list[Any] = []
    edge = axes.get_window_extent(renderer)
    # How far a class reaches, in points.
    per_unit = edge.width / float(np.ptp(axes.get_xlim())) * 72 / figure.dpi
    for code in np.argsort(-styles.sizes, kind="stable"):
        name = styles.names[code]
        if not name:
            continue
        centre = float(styles.centres[code, 0]), float(styles.centres[code, 1])
        text = axes.annotate(_short(name, 22), centre, (0, 0), fontsize=size, parse_math=False, **look)
        away = float(styles.reaches[code]) * per_unit + 0.9 * size
        side = away + 0.3 * size * len(text.get_text())
        for offset in ((0, away), (0, -away), (side, 0), (-side, 0), (0, 0), (0, 0.6 * away), (0, -0.6 * away)):
            text.set_position(offset)
            box = text.get_window_extent(renderer).padded(1.5)
            inside = edge.x0 <= box.x0 and box.x1 <= edge.x1 and edge.y0 <= box.y0 and box.y1 <= edge.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
        else:
            text.remove()


def _short(name: str, most: int = 24) -> str:
    # A control character would end an SVG's being XML.
    return shortened(one_line(name), most)


def write_picture(found: Map, file: Path, title: str) -> None:
    lines = wrong_lines(found).splitlines()
    caption = f"{found.projection.about}.\n{'; '.join(line.rstrip('.') for line in lines)}."
    images = found.images
    figure = draw_points(found.points, images.labels, images.parts, found.nearest.wrong, title=title, caption=caption)
    write_figure(figure, file)
