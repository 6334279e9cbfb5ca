"""The ladder as a picture: every rung with its interval, the published one beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.result import Metric
from doppelgram.reports.figures import INK, PALETTE, QUIET, canvas, percent_axis, titled
from doppelgram.studies.role_model.plan import Rung, published_figure
from doppelgram.studies.role_model.rungs import RungResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SMALLEST = 112  # side of a photograph on the sheet of masks
_MARK: dict[str, Any] = {"markersize": 6, "markeredgewidth": 1.6}
_PANELS = (
    ("same_place", "The study's question: the place never differs"),
    ("all", "Both hard kinds: place or pose differs"),
)


def ladder_figure(rungs: Sequence[Rung], climbed: Mapping[str, Mapping[str, RungResult]]) -> Figure:
    """Accuracies with 95 % intervals, one row a rung from the bottom up, one colour a protocol.

    Args:
        rungs: lowest first.
        climbed: by protocol and rung's key.
    """
    figure, grid = canvas("The ladder, rung by rung", 1, 2, size=(11.4, 0.62 * len(rungs) + 1.9), sharey=True)
    protocols = list(climbed)
    colours = dict(zip(protocols, PALETTE, strict=False))
    for axes, (question, title) in zip(grid[0], _PANELS, strict=True):
        titled(axes, title, "Pairs judged rightly, test part; chance is 50 %")
        axes.axvline(0.5, color=QUIET, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
        lanes = ["published", *protocols] if question == "same_place" else protocols
        for row, rung in enumerate(rungs):
            shown: dict[str, Metric] = {
                name: climbed[name][rung.key].metrics[f"accuracy_{question}"]
                for name in protocols
                if rung.key in climbed[name]
            }
            if rung.published is not None and question == "same_place":
                shown["published"] = published_figure(rung.published)
            for name, metric in shown.items():
                height = row + 0.22 * ((len(lanes) - 1) / 2 - lanes.index(name))
                colour = colours.get(name, QUIET)
                axes.hlines(height, metric.low, metric.high, color=colour, linewidth=2, alpha=0.75, zorder=2)
                face, marker = ("white", "D") if name == "published" else (colour, "o")
                axes.plot(metric.value, height, marker=marker, color=colour, markerfacecolor=face, zorder=3, **_MARK)
        axes.set_yticks(range(len(rungs)), [rung.title for rung in rungs])
        axes.tick_params(axis="y", labelsize=9.5, labelcolor=INK)
        axes.set_ylim(-0.6, len(rungs) - 0.4)
        axes.grid(visible=False, axis="y")
        percent_axis(axes, "x")
        low = min([metric for line in _lows(climbed, question) for metric in line], default=0.5)
        axes.set_xlim(min(0.42, low - 0.02), 1.0)
    _legend(figure, protocols, colours)
    return figure


def _lows(climbed: Mapping[str, Mapping[str, RungResult]], question: str) -> list[list[float]]:
    return [[one.metrics[f"accuracy_{question}"].low for one in each.values()] for each in climbed.values()]


def _legend(figure: Figure, protocols: Sequence[str], colours: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], color=QUIET, marker="D", markerfacecolor="white", linewidth=2, **_MARK)]
    marks += [Line2D([], [], color=colours[name], marker="o", linewidth=2, **_MARK) for name in protocols]
    names = ["published, Wilson on 82 pairs", *(f"{name} protocol" for name in protocols)]
    figure.legend(marks, names, loc="outside upper right", ncols=len(marks), fontsize=9, frameon=False, labelcolor=INK)


def masks_picture(photographs: NDArray[np.uint8], masks: NDArray[np.uint8], shown: int = 8) -> NDArray[np.uint8]:
    """Photographs in a row, and below each the drawn skeletons that the networks see.

    Args:
        photographs: uint8 (n, side, side, 3); small ones are shown larger.
        masks: uint8 (n, channels, s, s).
        shown: how many, evenly spaced.

    Returns:
        A picture, uint8 (height, width, 3).
    """
    chosen = np.unique(np.linspace(0, len(photographs) - 1, min(shown, len(photographs))).astype(int))
    photographs = photographs[chosen]
    while photographs.shape[1] < _SMALLEST:
        photographs = photographs.repeat(2, 1).repeat(2, 2)
    side, gap = photographs.shape[1], 6
    sheet = np.full((2 * side + 3 * gap, len(chosen) * (side + gap) + gap, 3), 255, dtype=np.uint8)
    for column, row in enumerate(chosen):
        left = gap + column * (side + gap)
        sheet[gap : gap + side, left : left + side] = photographs[column]
        mask = np.moveaxis(masks[row], 0, 2)
        places = np.arange(side) * mask.shape[0] // side
        sheet[2 * gap + side : 2 * (gap + side), left : left + side] = mask[places][:, places]
    return sheet
