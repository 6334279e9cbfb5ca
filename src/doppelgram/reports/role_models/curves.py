"""What was attributed against the shuffled clock: of all posts as a curve, of the leading ones side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from doppelgram.numbers import number, shortened
from doppelgram.reports.figures import INK, QUIET, SAME, canvas, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAND = "#d5d9dd"
_UNITS = ((365.25, "years"), (30.4375, "months"), (1.0, "days"), (1 / 24, "hours"))


def attributed_curve(curve: pd.DataFrame) -> Figure:
    """Followers attributed within a time, over the band and the mean of the shuffled clocks.

    Args:
        curve: `RoleModels.curve`, days ascending.
    """
    figure, axes = _panel(2.6)
    days, observed, expected, low, high = (
        np.concatenate([[0.0], curve[name].to_numpy(dtype=np.float64)])
        for name in ("days", "observed", "expected", "low", "high")
    )
    size, unit = next(((size, name) for size, name in _UNITS if days[-1] >= 3 * size), (1 / 1440, "minutes"))
    axes.fill_between(days / size, low, high, color=_BAND, linewidth=0)
    axes.plot(days / size, expected, color=QUIET, linewidth=1.3, linestyle=(0, (4, 3)))
    axes.plot(days / size, observed, color=SAME, linewidth=2)
    axes.set_xlim(0, max(float(days[-1]) / size, 1e-9))
    axes.set_ylim(0, max(1.0, 1.05 * float(max(observed.max(), high.max()))))
    titled(axes, x=f"{unit} after the post")
    return figure


def leaders_figure(leaders: pd.DataFrame) -> Figure:
    """Attributed followers of some posts, one a row, beside what shuffled clocks leave them.

    Args:
        leaders: rows of `RoleModels.role_models`, best first.
    """
    figure, axes = _panel(max(1.2, 0.6 + 0.2 * len(leaders)))
    attributed = leaders["attributed"].to_numpy(dtype=np.float64)
    low = np.maximum(attributed - leaders["excess_high"].to_numpy(dtype=np.float64), 0)
    high = attributed - leaders["excess_low"].to_numpy(dtype=np.float64)
    middle = attributed - leaders["excess"].to_numpy(dtype=np.float64)
    rows = np.arange(len(leaders))
    axes.barh(rows, np.maximum(high - low, 0.01), left=low, height=0.5, color=_BAND)
    axes.vlines(middle, rows - 0.25, rows + 0.25, color=QUIET, linewidth=1.3)
    axes.plot(attributed, rows, "o", color=SAME, markersize=6, markeredgecolor="white")
    names = [shortened(author or "not known", 16) for author in leaders["author"].astype(str)]
    axes.set_yticks(rows, [f"{name}  {rank}" for rank, name in enumerate(names, start=1)], color=INK)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    axes.set_ylim(len(leaders) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(False, axis="y")
    titled(axes, x="attributed followers")
    return figure


def curve_label(curve: pd.DataFrame) -> str:
    """The curve for those who cannot see it."""
    observed, expected = (float(curve[name].iloc[-1]) for name in ("observed", "expected"))
    return f"{number(observed)} attributed followers in all, {number(expected)} with shuffled clocks"


def _panel(height: float) -> tuple[Figure, Axes]:
    from matplotlib.ticker import MaxNLocator

    figure, grid = canvas("", size=(4.9, height))
    axes: Any = grid[0][0]
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    return figure, axes
