"""What one factor of a grid does, the others averaged over: paired differences between its levels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from doppelgram.comparison.result import Comparison, Interval, Setting

FACTORS = ("loss", "miner", "dim")


class Effect(NamedTuple):
    """How much higher P@1 is with one level of a factor than with another."""

    factor: str
    higher: str | int
    lower: str | int
    difference: Interval
    settings: int  # how many pairs of settings that differ in nothing else were averaged


def effects(comparison: Comparison, factor: str, metric: str = "p1") -> list[Effect]:
    """Differences between every two levels of a factor, largest first, each with ``higher`` above ``lower``.

    Two levels are compared over the combinations of the other factors that both occur with, each weighing the same
    (a marginal effect). A loss that ignores miners would give the same under every miner: against losses that mine it
    stands in for each of them, and comparisons of miners leave it out. Levels that have no combination in common are
    not compared.

    Args:
        comparison: the runs.
        factor: ``loss``, ``miner`` or ``dim``.
        metric: see `Comparison.interval`.
    """
    place = FACTORS.index(factor)
    rows: dict[str | int, dict[tuple[str | int, ...], int]] = {}
    for number, setting in _occurrences(comparison, factor):
        levels: list[str | int] = [setting.loss, setting.miner, setting.dim]
        level = levels.pop(place)
        rows.setdefault(level, {})[tuple(levels)] = number
    found = []
    for a, b in combinations(rows, 2):
        shared = [others for others in rows[a] if others in rows[b]]
        if not shared:
            continue
        # Two losses that ignore miners meet in the same pair of settings under each miner.
        pairs = dict.fromkeys((rows[a][others], rows[b][others]) for others in shared)
        weights = np.zeros(len(comparison.settings))
        for one, other in pairs:
            weights[one] += 1 / len(pairs)
            weights[other] -= 1 / len(pairs)
        if comparison.values[metric] @ weights < 0:
            a, b, weights = b, a, -weights
        found.append(Effect(factor, a, b, comparison.interval(weights, metric), len(pairs)))
    return sorted(found, key=lambda effect: -effect.difference.value)


def _occurrences(comparison: Comparison, factor: str) -> Iterator[tuple[int, Setting]]:
    """The combinations that each setting (by number) stands for when a factor is looked at."""
    mining = [setting for setting in comparison.settings if comparison.mines(setting)]
    miners = list(dict.fromkeys(setting.miner for setting in mining))
    for number, setting in enumerate(comparison.settings):
        if setting in mining:
            yield number, setting
        elif factor == "loss" and miners:
            for miner in miners:
                yield number, setting._replace(miner=miner)
        elif factor != "miner":
            yield number, setting
