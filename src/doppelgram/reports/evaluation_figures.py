"""Figures of an evaluation: ROC, distances, CMC and confusions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.classification import top_confusions
from doppelgram.evaluation.reliability import ENOUGH, Reliability
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.evaluation.roc import Roc, auc, equal_error_rate
from doppelgram.numbers import count, percent, percent_tick
from doppelgram.reports.figures import DIFFERENT, INK, QUIET, SAME, canvas, percent_axis, titled, write_figure
from doppelgram.space.exact import Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = (6.4, 4.4)
_NOTE: dict[str, Any] = {"textcoords": "offset points"}


def roc_figure(distances: Float64, same: NDArray[np.bool_]) -> Figure:
    """ROC of pairs on a logarithmic axis of false accepts, with the equal error rate marked.

    Args:
        distances: (p,).
        same: (p,) with at least one true and one false.
    """
    order = np.argsort(distances, kind="stable")
    far, tar = Roc(distances[order], same[order]).rates(np.ones((1, len(same))))
    error = float(equal_error_rate(far, tar)[0])
    left = 1 / max(int((~same).sum()), 10)
    figure, axes = _canvas(
        f"Telling same from different: area under the curve {auc(far, tar)[0]:.3f}",
        "Different pairs accepted (false accept rate)",
        "Same pairs accepted",
    )
    chance = np.geomspace(left, 1, 200)
    axes.plot(chance, chance, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), label="Guessing")
    axes.step(np.maximum(far[0], left), tar[0], where="post", color=SAME, linewidth=2, label="This embedding")
    named = f"Equal error rate, {percent(error)}"
    axes.plot([error], [1 - error], "o", color=DIFFERENT, markersize=7, label=named)
    axes.set_xscale("log")
    axes.set_xlim(left, 1)
    axes.set_ylim(0, 1.02)
    percent_axis(axes)
    ticks = 10.0 ** np.arange(np.ceil(np.log10(left) - 1e-9), 1)
    axes.set_xticks(ticks, [percent_tick(tick) for tick in ticks])
    axes.minorticks_off()
    _legend(figure)
    return figure


def distance_figure(distances: Float64, same: NDArray[np.bool_], threshold: float | None = None) -> Figure:
    """Histograms of the distances of same and of different pairs, as shares of each, and the threshold if any."""
    figure, axes = _canvas("How far apart same and different images are", "Distance", "Share of pairs")
    top = float(max(distances.max(initial=0.0), threshold or 0.0)) or 1.0
    edges = np.linspace(0, top, 61)
    for values, colour, label in ((distances[~same], DIFFERENT, "Different"), (distances[same], SAME, "Same")):
        if len(values):
            counts = np.histogram(values, edges)[0] / len(values)
            axes.stairs(counts, edges, fill=True, color=colour, alpha=0.25)
            axes.stairs(counts, edges, color=colour, linewidth=1.8, label=f"{label} ({count(len(values), 'pair')})")
    if threshold is not None:
        axes.axvline(threshold, color=INK, linewidth=1.4, linestyle=(0, (4, 2)), label=f"Threshold {threshold:.3g}")
    axes.set_xlim(0, top)
    axes.set_ylim(bottom=0)
    percent_axis(axes)
    _legend(figure)
    return figure


def cmc_figure(cmc: Float64) -> Figure:
    """Share of queries that found an image of their class by each rank: (ranks,)."""
    figure, axes = _canvas(
        f"Finding an image of the same class: {percent(cmc[0])} at the first rank",
        "Images looked at, nearest first",
        "Queries with a right image among them",
    )
    ranks = np.arange(1, len(cmc) + 1)
    axes.plot(ranks, cmc, color=SAME, linewidth=2, marker="o", markersize=5, clip_on=False, zorder=3)
    for rank in (1, 5, 10):
        if rank <= len(cmc):
            text, at = percent(cmc[rank - 1]), (rank, cmc[rank - 1])
            axes.annotate(text, at, (4, -16), color=INK, fontsize=10, **_NOTE)
    axes.set_xticks([rank for rank in (1, 5, 10, 15, 20) if rank <= len(cmc)])
    axes.set_ylim(0, 1.02)
    percent_axis(axes)
    return figure


def confusion_figure(truth: NDArray[Any], predicted: NDArray[Any], most: int = 15) -> Figure | None:
    """Bars of the most frequent confusions of nearest neighbours; None if there are none.

    Args:
        truth: (q,) class names.
        predicted: (q,) class names.
        most: bars.
    """
    from matplotlib.ticker import MaxNLocator

    confusions = top_confusions(truth, predicted, most)
    if not confusions:
        return None
    height = 1.5 + 0.3 * len(confusions)
    figure, axes = _canvas("Classes most often taken for another, and how many images", "", "", height)
    counts = [wrongly for _, _, wrongly, _ in confusions]
    rows = np.arange(len(confusions))
    axes.barh(rows, counts, color=SAME, height=0.66)
    labels = [f"{_named(right)} taken for {_named(wrong)}" for right, wrong, _, _ in confusions]
    axes.set_yticks(rows, labels)
    axes.invert_yaxis()
    for row, (_, _, wrongly, of_class) in enumerate(confusions):
        text = f"{wrongly:,} of {of_class:,}"
        axes.annotate(text, (wrongly, row), (5, 0), va="center", color=QUIET, fontsize=9, **_NOTE)
    axes.set_xlim(0, max(counts) * 1.2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(False)
    return figure


def reliability_figure(held: Mapping[str, Reliability]) -> Figure:
    """What was said against what came true; ranges of few answers are hollow, a thin band is the target of 0.1."""
    figure, axes = _canvas("Do the probabilities hold?", "Probability that was said", "Share that came true")
    both = np.array([0.0, 1.0])
    axes.fill_between(both, both - 0.1, both + 0.1, color=QUIET, alpha=0.15, linewidth=0)
    axes.plot(both, both, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    names = {"search": "The nearest images of a search", "verify": "Two given images"}
    for (name, found), colour in zip(held.items(), (SAME, DIFFERENT), strict=False):
        x, y = (np.array([getattr(each, what) for each in found.bins]) for what in ("said", "right"))
        axes.plot(x, y, color=colour, linewidth=1.8, label=names.get(name, name))
        for many, fill in ((True, colour), (False, "none")):
            chosen = np.array([(each.n >= ENOUGH) == many for each in found.bins])
            axes.scatter(x[chosen], y[chosen], s=36, edgecolors=colour, facecolors=fill, zorder=3)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    percent_axis(axes)
    percent_axis(axes, "x")
    _legend(figure)
    return figure


def write_figures(folder: Path | str, result: EvaluationResult) -> list[Path]:
    """Draw every figure the evidence of a result allows, as PNG.

    ``roc``, ``distances``, ``cmc``, ``confusions`` and, of a calibrated model, ``reliability``.

    Returns:
        The files written.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    folder = Path(folder)
    return [
        write_figure(figure, folder / f"{name}.png", dpi=200) for name, figure in _figures(result) if figure is not None
    ]


def _figures(result: EvaluationResult) -> Iterator[tuple[str, Figure | None]]:
    """What can be drawn, by name, one after the other."""
    evidence = result.evidence
    distances, same = evidence.distances, evidence.same
    if distances is not None and same is not None and len(same):
        if same.any() and not same.all():
            yield "roc", roc_figure(distances, same)
        yield "distances", distance_figure(distances, same, evidence.threshold)
    if evidence.cmc is not None:
        yield "cmc", cmc_figure(evidence.cmc)
    if evidence.truth is not None and evidence.predicted is not None:
        yield "confusions", confusion_figure(evidence.truth, evidence.predicted)
    if result.reliability:
        yield "reliability", reliability_figure(result.reliability)


def _canvas(title: str, x: str, y: str, height: float = _SIZE[1]) -> tuple[Figure, Axes]:
    figure, grid = canvas(title, size=(_SIZE[0], height))
    titled(grid[0][0], x=x, y=y, size=10)
    return figure, grid[0][0]


def _named(label: str, most: int = 24) -> str:
    """A class's name; of a long one both ends, since long names often differ in their last letters alone."""
    return label if len(label) <= most else f"{label[: most // 2]}…{label[1 - most // 2 :]}"


def _legend(figure: Figure) -> None:
    """A line of names below the axes, where it hides nothing."""
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": 3}
    figure.legend(frameon=False, fontsize=9.5, labelcolor=INK, **place)
