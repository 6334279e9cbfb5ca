"""Figures of an evaluation: ROC, distances, CMC and confusions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.classification import top_confusions
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.evaluation.roc import Roc, auc, equal_error_rate
from doppelgram.space.exact import Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Two colours of Okabe and Ito's palette, told apart by every kind of colour vision and in grey.
SAME, DIFFERENT = "#0072B2", "#D55E00"
_INK, _QUIET, _RULE = "#1f2328", "#656d76", "#d9dee3"
_SIZE = (6.4, 4.4)


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
    axes.plot(chance, chance, color=_QUIET, linewidth=1, linestyle=(0, (4, 3)), label="Guessing")
    axes.step(np.maximum(far[0], left), tar[0], where="post", color=SAME, linewidth=2, label="This embedding")
    axes.plot([error], [1 - error], "o", color=DIFFERENT, markersize=7, label=f"Equal error rate, {100 * error:.1f} %")
    axes.set_xscale("log")
    axes.set_xlim(left, 1)
    axes.set_ylim(0, 1.02)
    _percent_axis(axes, "y")
    ticks = 10.0 ** np.arange(np.ceil(np.log10(left) - 1e-9), 1)
    axes.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axes.minorticks_off()
    _legend(axes, "lower right" if tar[0][np.searchsorted(far[0], 0.01, side="right") - 1] > 0.5 else "upper left")
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
            axes.stairs(counts, edges, color=colour, linewidth=1.8, label=f"{label} ({len(values):,} pairs)")
    if threshold is not None:
        axes.axvline(threshold, color=_INK, linewidth=1.4, linestyle=(0, (4, 2)), label=f"Threshold {threshold:.3g}")
    axes.set_xlim(0, top)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axes.margins(y=0.15)
    _legend(axes, "best")
    return figure


def cmc_figure(cmc: Float64) -> Figure:
    """Share of queries that found an image of their class by each rank: (ranks,)."""
    figure, axes = _canvas(
        f"Finding an image of the same class: {100 * cmc[0]:.1f} % at the first rank",
        "Images looked at, nearest first",
        "Queries with a right image among them",
    )
    ranks = np.arange(1, len(cmc) + 1)
    axes.plot(ranks, cmc, color=SAME, linewidth=2, marker="o", markersize=5, clip_on=False, zorder=3)
    for rank in (1, 5, 10):
        if rank <= len(cmc):
            axes.annotate(
                f"{100 * cmc[rank - 1]:.1f} %",
                (rank, cmc[rank - 1]),
                xytext=(4, -16),
                textcoords="offset points",
                color=_INK,
                fontsize=10,
            )
    axes.set_xticks([rank for rank in (1, 5, 10, 15, 20) if rank <= len(cmc)])
    axes.set_ylim(0, 1.02)
    _percent_axis(axes, "y")
    return figure


def confusion_figure(truth: NDArray[Any], predicted: NDArray[Any], most: int = 15) -> Figure | None:
    """Bars of the most frequent mistakes of nearest neighbours; None if there are none.

    Args:
        truth: (q,) class names.
        predicted: (q,) class names.
        most: bars.
    """
    from matplotlib.ticker import MaxNLocator

    mistakes = top_confusions(truth, predicted, most)
    if not mistakes:
        return None
    height = 1.5 + 0.3 * len(mistakes)
    figure, axes = _canvas("Classes most often taken for another", "Images taken for the other class", "", height)
    counts = [count for _, _, count, _ in mistakes]
    places = np.arange(len(mistakes))
    axes.barh(places, counts, color=SAME, height=0.66)
    labels = [f"{_short(right)} taken for {_short(wrong)}" for right, wrong, _, _ in mistakes]
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    for place, (_, _, count, size) in zip(places, mistakes, strict=True):
        axes.annotate(
            f"{count} of {size}",
            (count, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=_QUIET,
            fontsize=9,
        )
    axes.set_xlim(0, max(counts) * 1.2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(False, axis="y")
    return figure


def write_figures(folder: Path | str, result: EvaluationResult) -> list[Path]:
    """Draw every figure the evidence of a result allows: ``roc``, ``distances``, ``cmc``, ``confusions`` (PNG).

    Returns:
        The files written.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    evidence = result.evidence
    distances, same, cmc = evidence.distances, evidence.same, evidence.cmc
    truth, predicted = evidence.truth, evidence.predicted
    plans: dict[str, Callable[[], Figure | None]] = {}
    if distances is not None and same is not None and len(same):
        if same.any() and not same.all():
            plans["roc"] = lambda: roc_figure(distances, same)
        plans["distances"] = lambda: distance_figure(distances, same, evidence.threshold)
    if cmc is not None:
        plans["cmc"] = lambda: cmc_figure(cmc)
    if truth is not None and predicted is not None:
        plans["confusions"] = lambda: confusion_figure(truth, predicted)
    folder = Path(folder)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in plans.items():
            figure = draw()
            if figure is not None:
                aside = folder / f".{name}.part.png"
                figure.savefig(aside, dpi=200, facecolor="white")
                written.append(aside.replace(folder / f"{name}.png"))
    except OSError as problem:
        raise DoppelgramError(f"{folder}: the figures cannot be written there: {problem.strerror}") from None
    return written


def _canvas(title: str, x: str, y: str, height: float = _SIZE[1]) -> tuple[Figure, Axes]:
    """A figure of its own, drawn by Agg; pyplot's global state is left alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_SIZE[0], height))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.1)
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left", fontsize=12, fontweight="bold", color=_INK)
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=_QUIET, fontsize=10, labelpad=7)
    axes.set_ylabel(y, color=_QUIET, fontsize=10, labelpad=7)
    axes.grid(True, color=_RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_QUIET, length=0, labelsize=9.5, pad=6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_QUIET)
    return figure, axes


def _percent_axis(axes: Axes, which: str) -> None:
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _legend(axes: Axes, place: Literal["best", "upper left", "lower right"]) -> None:
    axes.legend(loc=place, frameon=True, framealpha=0.9, edgecolor="none", fontsize=9.5, labelcolor=_INK)


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
