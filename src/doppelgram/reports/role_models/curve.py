"""What was attributed against the shuffled clock: of all posts as a curve, of the leading ones side by side."""

from __future__ import annotations

import html
import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
WIDTH, HEIGHT = 480, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 14, 12, 40


def draw_curve(curve: pd.DataFrame) -> str:
    """SVG of shares attributed within so many days, over the band and the mean of the shuffled clocks.

    Args:
        curve: `RoleModels.curve`, days ascending.
    """
    days, observed, expected, low, high = (
        np.concatenate([[0.0], curve[name].to_numpy(dtype=np.float64)])
        for name in ("days", "observed", "expected", "low", "high")
    )
    span, right, floor = max(float(days[-1]), 1e-9), WIDTH - _RIGHT, HEIGHT - _BOTTOM
    top = _round_up(max(1.0, float(observed.max()), float(high.max())))

    def line(values: Float64) -> list[tuple[float, float]]:
        across = _LEFT + (right - _LEFT) * days / span
        return list(zip(across.tolist(), (floor - (floor - _TOP) * values / top).tolist(), strict=True))

    parts = []
    for k in range(5):
        at = floor - (floor - _TOP) * k / 4
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{at + 4:.1f}" text-anchor="end">{top * k / 4:g}</text>')
    unit, name = _unit(span)
    step = _step(span / unit)
    for k in range(int(span / unit / step + 1e-9) + 1):
        at = _LEFT + (right - _LEFT) * k * step * unit / span
        parts.append(f'<line class="tick" x1="{at:.1f}" y1="{floor}" x2="{at:.1f}" y2="{floor + 5}"/>')
        parts.append(f'<text class="tick" x="{at:.1f}" y="{floor + 18}" text-anchor="middle">{k * step:g}</text>')
    parts.append(f'<text class="tick" x="{right}" y="{floor + 35}" text-anchor="end">{name} after the post</text>')
    parts.append(f'<path class="band" d="M{_points([*line(high), *line(low)[::-1]])}Z"/>')
    parts.append(f'<path class="shuffled" d="M{_points(line(expected))}"/>')
    parts.append(f'<path class="observed" d="M{_points(line(observed))}"/>')
    label = f"{observed[-1]:.1f} attributed followers in all, {expected[-1]:.1f} with shuffled clocks"
    return f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def draw_excess(leaders: pd.DataFrame) -> str:
    """SVG of the attributed followers of some posts, one a row, beside what shuffled clocks leave them.

    Args:
        leaders: rows of `RoleModels.role_models`, best first.
    """
    pitch, left, right = 21.0, 118, WIDTH - _RIGHT
    floor = _TOP + pitch * len(leaders)
    attributed = leaders["attributed"].to_numpy(dtype=np.float64)
    low = np.maximum(attributed - leaders["excess_high"].to_numpy(dtype=np.float64), 0)
    high = attributed - leaders["excess_low"].to_numpy(dtype=np.float64)
    middle = attributed - leaders["excess"].to_numpy(dtype=np.float64)
    top = _round_up(max(1.0, float(attributed.max(initial=0)), float(high.max(initial=0))))

    def across(value: float) -> float:
        return left + (right - left) * value / top

    parts = []
    for k in range(5):
        x = across(top * k / 4)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{floor:.1f}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{floor + 17:.1f}" text-anchor="middle">{top * k / 4:g}</text>')
    parts.append(f'<text class="tick" x="{right}" y="{floor + 34:.1f}" text-anchor="end">attributed followers</text>')
    for k, author in enumerate(leaders["author"].astype(str).tolist()):
        y = _TOP + pitch * (k + 0.5)
        name = html.escape(author if len(author) <= 13 else author[:12] + "…")
        parts.append(
            f'<text class="row" x="16" y="{y + 4:.1f}" text-anchor="end">{k + 1}</text>'
            f'<text class="row" x="24" y="{y + 4:.1f}">{name}</text>'
            f'<rect class="band" x="{across(low[k]):.1f}" y="{y - 5:.1f}" height="10" '
            f'width="{max(across(high[k]) - across(low[k]), 1):.1f}"/>'
            f'<path class="mean" d="M{across(middle[k]):.1f} {y - 5:.1f}v10"/>'
            f'<circle class="direct" cx="{across(attributed[k]):.1f}" cy="{y:.1f}" r="5"/>'
        )
    label = "Attributed followers of the leading posts beside those with shuffled clocks"
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {floor + 40:.0f}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _points(corners: list[tuple[float, float]]) -> str:
    return "L".join(f"{a:.1f} {b:.1f}" for a, b in corners)


def _round_up(value: float) -> float:
    """The next of 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10, 12, ...: a quarter of each is a round number too."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(k * size for k in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10) if k * size >= value - 1e-9)


def _unit(days: float) -> tuple[float, str]:
    """The unit, in days, in which a span of days is told."""
    for unit, name in ((365.25, "years"), (30.4375, "months"), (1.0, "days"), (1 / 24, "hours")):
        if days >= 3 * unit:
            return unit, name
    return 1 / 1440, "minutes"


def _step(span: float) -> float:
    """A round distance between marks, of which about six fit."""
    least = span / 6
    size = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return max(next(k * size for k in (1, 2, 5, 10) if k * size >= least - 1e-9), 1e-9)
