"""The map as a picture for print and slides."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.maps.neighbours import TRAINING, Text
from doppelgram.reports.drawing import one_line
from doppelgram.reports.map.palette import COLOURS, INK, QUIET, SHAPES, Styles, style_classes
from doppelgram.space.exact import Bools, Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Matplotlib's names of the shapes, and the factor that makes their areas look alike.
_MARKERS = dict(zip(SHAPES, ("o", "s", "^", "D", "P", "v", "*", "X", "h"), strict=True))
_SCALES = dict(zip(SHAPES, (1.0, 0.9, 1.15, 0.85, 1.2, 1.15, 1.6, 1.2, 1.15), strict=True))
# Up to so many classes a list beside the map names them all; of more, those with room are named on it.
_MOST_LISTED = 26
_NAMED = {"": "images", TRAINING: "training", "val": "validation", "test": "test", "new": "new images"}


@contextmanager
def _missing_letters_unsaid() -> Iterator[None]:
    """Letters that the font lacks are drawn as boxes; warnings with file names of this package say no more."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


@_missing_letters_unsaid()
def draw_points(
    points: Float64,
    labels: Text,
    parts: Text,
    wrong: Bools,
    *,
    title: str,
    caption: str = "",
    names: bool = True,
    styles: Styles | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Draw a map: the training part faint, everything else strong, and a ring around what is misclassified.

    Args:
        points: (n, 2).
        labels: (n,) class names, empty where not known.
        parts: (n,) ``train``, ``val``, ``test``, ...; empty where images were not divided.
        wrong: (n,) whose nearest neighbour is of another class.
        title: stands above the map.
        caption: stands below it.
        names: whether class names are written on the map where there is room, and listed if they are few.
        styles: colours and shapes; several maps of the same classes should share one.
        axes: where to draw, as one panel of several; without it a figure of a slide's size is made.

    Returns:
        The figure, of ``axes`` or new.

    Raises:
        DoppelgramError: there is nothing to draw, or the arrays do not belong together.
    """
    if not len(points) == len(labels) == len(parts) == len(wrong):
        raise DoppelgramError("points, labels, parts and wrong differ in length; give one of each an image")
    if not len(points):
        raise DoppelgramError("there are no images to draw")
    styles = styles or style_classes(points, labels)
    alone = axes is None
    axes = axes if axes is not None else _slide()
    figure: Figure = axes.get_figure(root=True)  # type: ignore[assignment]
    scale = _scale(len(points)) * (1.0 if alone else 0.75)
    strong = parts != TRAINING
    # A map of training images alone has no faint and strong.
    strong |= not strong.any()
    for code, name in enumerate(styles.names):
        mine = labels == name
        for chosen, bold in ((mine & ~strong, False), (mine & strong, True)):
            _scatter(axes, points[chosen], styles, code, scale, bold)
    _rings(axes, points[wrong], scale)
    _frame(axes, points, title, alone)
    listed = names and len(styles.names) <= _MOST_LISTED
    _legends(axes, styles, parts, strong, wrong, scale, listed and alone)
    if caption:
        axes.annotate(
            caption, (0, 0), xycoords="axes fraction", xytext=(0, -8), textcoords="offset points", va="top",
            color=QUIET, fontsize=11 if alone else 8.5, parse_math=False, wrap=False,
        )  # fmt: skip
    if names:
        _write_names(axes, figure, styles, 10.5 if alone else 8)
    return figure


@_missing_letters_unsaid()
def write_picture(figure: Figure, file: Path, dpi: int = 150) -> Path:
    """Write a figure as PNG or SVG, whole or not at all; the same figure gives the same bytes."""
    import matplotlib

    metadata = {"Date": None} if file.suffix.lower() == ".svg" else None
    steady = matplotlib.rc_context({"svg.hashsalt": "doppelgram", "svg.fonttype": "none"})
    with written_whole(file) as aside, steady:
        figure.savefig(aside, dpi=dpi, facecolor="white", metadata=metadata)
    return file


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
    axes.scatter(
        points[:, 0], points[:, 1], s=side**2, marker=_MARKERS[shape], c=COLOURS[styles.colours[code]],
        alpha=0.95 if bold else 0.28, linewidths=0.35 if bold else 0, edgecolors="white", zorder=3 if bold else 2,
    )  # fmt: skip


def _rings(axes: Axes, points: Float64, scale: float) -> None:
    if len(points):
        for width, colour in ((3.2, "white"), (1.5, INK)):
            axes.scatter(
                points[:, 0], points[:, 1], s=(2.1 * scale) ** 2, marker="o", facecolors="none", edgecolors=colour,
                linewidths=width, zorder=4,
            )  # fmt: skip


def _frame(axes: Axes, points: Float64, title: str, alone: bool) -> None:
    axes.set_title(
        one_line(title), loc="left", fontsize=17 if alone else 11.5, fontweight="bold", color=INK, pad=10,
        parse_math=False,
    )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#c3cad1")
    axes.margins(0.05)


def _legends(
    axes: Axes, styles: Styles, parts: Text, strong: Bools, wrong: Bools, scale: float, listed: bool
) -> None:  # fmt: skip
    from matplotlib.lines import Line2D

    def mark(shape: str, colour: str, size: float, alpha: float, label: str) -> Line2D:
        return Line2D(
            [], [], linestyle="none", marker=_MARKERS[shape], color=colour, markersize=size, alpha=alpha, label=label,
            markeredgewidth=0,
        )  # fmt: skip

    handles: list[Any] = []
    for bold in (False, True):
        present = _ordered(parts[strong == bold])
        if present:
            title = " and ".join(_NAMED.get(part, part) for part in present)
            count = int((strong == bold).sum())
            handles.append(mark("circle", QUIET, 8 if bold else 6, 1.0 if bold else 0.4, f"{title}: {count:,}"))
    handles.append(
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markerfacecolor="none",
            markeredgecolor=INK,
            markersize=10,
            markeredgewidth=1.5,
            label=_wrong_label(strong, wrong),
        )
    )
    if listed:
        for code, name in enumerate(styles.names):
            shape = SHAPES[styles.shapes[code]]
            colour = COLOURS[styles.colours[code]]
            handles.append(mark(shape, colour, 7.5 * _SCALES[shape], 1.0, _short(name or "no label")))
    panel = axes.get_position().x1 < 0.9
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)} if panel else {"loc": "upper right"}
    legend = axes.legend(
        handles=handles, frameon=not panel, framealpha=0.88, edgecolor="none", fontsize=10.5 if panel else 8,
        labelcolor=INK, handletextpad=0.6, borderaxespad=0.2, labelspacing=0.45, **place,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _ordered(parts: Text) -> list[str]:
    present = [str(part) for part in np.unique(parts)]
    return sorted(present, key=lambda part: (list(_NAMED).index(part) if part in _NAMED else len(_NAMED), part))


def _wrong_label(strong: Bools, wrong: Bools) -> str:
    """Misclassified among the strong marks, which are the ones in question, and then among the faint."""
    asked, found = int(strong.sum()), int((wrong & strong).sum())
    text = f"misclassified: {found:,} of {asked:,}\n({100 * found / max(asked, 1):.1f} %)"
    faint = int((wrong & ~strong).sum())
    return f"{text}, and {faint:,} in training" if faint else text


def _write_names(axes: Axes, figure: Figure, styles: Styles, size: float) -> None:
    """Write class names beside their classes, large classes first, where no other name and no edge is in the way."""
    from matplotlib.patheffects import withStroke

    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    taken: list[Any] = []
    edge = axes.get_window_extent(renderer)
    # How far a class reaches, in points.
    per_unit = edge.width / float(np.ptp(axes.get_xlim())) * 72 / figure.dpi
    for code in np.argsort(-styles.sizes, kind="stable"):
        name = styles.names[code]
        if not name:
            continue
        text = axes.annotate(
            _short(name, 22),
            (float(styles.centres[code, 0]), float(styles.centres[code, 1])),
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size,
            fontweight="bold",
            color=INK,
            zorder=6,
            parse_math=False,
            path_effects=[withStroke(linewidth=2.6, foreground="white", alpha=0.9)],
        )
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
    name = one_line(name)
    return name if len(name) <= most else name[: most - 1] + "…"
