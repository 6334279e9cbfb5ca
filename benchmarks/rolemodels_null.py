"""Are the p-values of arrangements uniform where nobody follows anybody? The test of spread alone, on many worlds.

Usage: python benchmarks/rolemodels_null.py [--worlds 90] [--seed 7000]

Worlds of the simulator in which nobody copies, of other seeds than those of benchmarks/rolemodels.py, whose forty
worlds gave a deviation that one draw in a hundred gives. Each is tested as it is, and with its times shuffled within
places, where the test is exact by construction: what both show is due to the steps of p-values, what the first alone
shows to the worlds. P-values are spread evenly over their steps. Kolmogorov and Smirnov take the arrangements for
independent; the design effect, the variance of the worlds' means over that of so many independent p-values, says
whether they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.stats import kstest

from common import machine, machine_line, write
from doppelgram.rolemodels import tables
from doppelgram.rolemodels.posts import unset_clocks
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.spread import spread
from doppelgram.rolemodels.trace import group_posts
from doppelgram.rolemodels.validation.evidence import smoothed
from doppelgram.rolemodels.validation.simulate import World, simulate, without_copying

SETTINGS = TraceSettings(permutations=1999)


def p_values(world: World, seed: int) -> Iterator[np.ndarray[Any, Any]]:
    """Of the world's arrangements: by its own times, and by times shuffled within places."""
    posts, space = world.posts, world.space.adapted(world.vectors)
    vectors = np.ascontiguousarray(world.vectors, dtype=np.float32)
    groups = group_posts(posts, vectors, space, space.calibration.threshold, SETTINGS)
    usable = groups.people & ~np.isnan(posts.timestamp) & ~unset_clocks(posts.timestamp)
    kept, time = vectors[usable], posts.timestamp[usable]
    place = tables.place_codes(posts, groups.place)[usable]
    rng, shuffled = np.random.default_rng([9, seed]), time.copy()
    for number in np.unique(place):
        here = np.flatnonzero(place == number)
        shuffled[here] = time[rng.permutation(here)]
    for clock in (time, shuffled):
        found = spread(
            groups.arrangement[usable],
            clock,
            posts.author_codes[usable],
            place,
            lambda left, right: space.part_distances(kept[left], kept[right])[1],
            SETTINGS,
        )
        yield smoothed(found.p_value[found.tested], found.draws[found.tested], rng)


def judged(of_worlds: list[np.ndarray[Any, Any]]) -> dict[str, float]:
    """How far they are from uniform."""
    pooled, sizes = np.concatenate(of_worlds), np.array([len(one) for one in of_worlds])
    test, means = kstest(pooled, "uniform"), np.array([one.mean() for one in of_worlds])
    return {
        "arrangements": len(pooled),
        "ks": float(test.statistic),
        "ks_p": float(test.pvalue),
        "below_0.01": float((pooled <= 0.01).mean()),
        "below_0.05": float((pooled <= 0.05).mean()),
        "mean": float(pooled.mean()),
        "design_effect": float((sizes * (means - 0.5) ** 2).mean() * 12),
    }


def table(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    lines = [
        "# P-values where nobody follows anybody",
        "",
        f"{report['worlds']} worlds without copying, seeds from {report['seed']:,} on.",
        "",
        "| times | arrangements | distance from uniform | its p | at or below 0.01 | at or below 0.05 | mean "
        "| design effect |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in ("as they are", "shuffled within places"):
        one = report[name]
        lines.append(
            f"| {name} | {one['arrangements']:,} | {one['ks']:.3f} | {one['ks_p']:.2f} | "
            f"{100 * one['below_0.01']:.1f} % | {100 * one['below_0.05']:.1f} % | {one['mean']:.3f} | "
            f"{one['design_effect']:.2f} |"
        )
    return "\n".join([*lines, "", machine_line(report["machine"])])


def main() -> None:
    """Test all worlds, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=90)
    parser.add_argument("--seed", type=int, default=7000)
    options = parser.parse_args()
    quiet, facts = without_copying(), machine()
    seeds = range(options.seed, options.seed + options.worlds)
    own, shuffled = zip(*(p_values(simulate(quiet, seed=seed), seed) for seed in seeds), strict=True)
    report = {
        "worlds": options.worlds,
        "seed": options.seed,
        "as they are": judged(list(own)),
        "shuffled within places": judged(list(shuffled)),
        "machine": facts,
    }
    write("rolemodels_null", report, table(report))


if __name__ == "__main__":
    main()
