"""How many posts, how long, and how much copying it takes to see that an arrangement spreads: a power curve.

Usage: python benchmarks/rolemodels_power.py [--worlds 6]

Simulated worlds with the default noise; varied are the share of posts that follow another one, and the time that the
collection covers in units of the time in which the chance of being followed falls by 1/e. Power is the share of
arrangements with p at most 0.05, by the number of their authors. Writes results/rolemodels_power.* and
docs/role_models_power.png.
"""

from __future__ import annotations

import argparse
import time as clock
from pathlib import Path

import numpy as np

from common import machine, machine_line, write
from doppelgram.numbers import percent
from doppelgram.rolemodels.scoring import Float64, Int64
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.spread import spread
from doppelgram.rolemodels.tables import place_codes
from doppelgram.rolemodels.trace import group_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate

FIRST_SEED = 8000
COPYING, DECAYS = (0.25, 0.5, 0.75, 0.92), (1.0, 3.0, 7.3)
AUTHORS = ((5, 7), (8, 11), (12, 17), (18, 29), (30, 100))
FIGURE = Path(__file__).parents[1] / "docs" / "role_models_power.png"


def tests(copying: float, decays: float, seed: int) -> tuple[Int64, Float64]:
    """Authors and p-values of the arrangements of one world."""
    span = WorldSettings.span_days
    world = simulate(WorldSettings(inventions=1 - copying, decay_days=span / decays), seed=seed)
    settings = TraceSettings(permutations=499, seed=seed)
    groups = group_posts(world.posts, world.vectors, world.space, world.space.calibration.threshold, settings)

    def distance(left: Int64, right: Int64) -> Float64:
        return world.space.part_distances(world.vectors[left], world.vectors[right])[1]

    place = place_codes(world.posts, groups.place)
    found = spread(groups.arrangement, world.posts.timestamp, world.posts.author_codes, place, distance, settings)
    return found.authors[found.tested], found.p_value[found.tested]


def draw(rows: list[dict[str, float]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(DECAYS), figsize=(9.6, 3.1), sharey=True, layout="constrained")
    colours = ("#9fb4c9", "#6a9bc3", "#2f78b0", "#14405f")
    for axes, decays in zip(panels, DECAYS, strict=True):
        for copying, colour in zip(COPYING, colours, strict=True):
            some = [row for row in rows if row["copying"] == copying and row["decays"] == decays]
            at = range(len(some))
            axes.plot(at, [100 * row["power"] for row in some], "o-", color=colour, label=percent(copying, 0))
        axes.axhline(5, color="#8a939c", linewidth=1, linestyle=":")
        axes.set_xticks(range(len(AUTHORS)), [f"{low}+" for low, _ in AUTHORS])
        axes.set_title(f"{decays:g} decay times long", fontsize=10)
        axes.set_xlabel("authors in the arrangement")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seen at p ≤ 0.05, %")
    panels[0].set_ylim(0, 150)
    panels[0].set_yticks(range(0, 101, 20))
    panels[0].legend(title="posts that follow another", frameon=False, fontsize=8, title_fontsize=8, loc="upper left")
    figure.savefig(FIGURE, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=6)
    worlds = parser.parse_args().worlds
    start, rows = clock.perf_counter(), []
    for decays in DECAYS:
        for copying in COPYING:
            found = [tests(copying, decays, FIRST_SEED + k) for k in range(worlds)]
            authors, p = (np.concatenate(part) for part in zip(*found, strict=True))
            for low, high in AUTHORS:
                some = p[(authors >= low) & (authors <= high)]
                power = float((some <= 0.05).mean()) if len(some) else float("nan")
                rows.append({"decays": decays, "copying": copying, "authors": low, "power": power, "n": len(some)})
    draw(rows)
    lines = [
        f"| {row['decays']:g} | {percent(row['copying'], 0)} | {row['authors']} or more | {percent(row['power'], 0)} | "
        f"{row['n']} |"
        for row in rows
    ]
    report = {"worlds": worlds, "rows": rows, "machine": {**machine(), "seconds": clock.perf_counter() - start}}
    text = [
        "# What it takes to see that an arrangement spreads",
        "",
        f"{worlds} simulated worlds for each length and share; seen means p at most 0.05 for the arrangement alone.",
        "",
        "| length in decay times | posts that follow another | authors | seen | arrangements |",
        "|---:|---:|---:|---:|---:|",
        *lines,
        "",
        machine_line(report["machine"]),
    ]
    write("rolemodels_power", report, "\n".join(text))


if __name__ == "__main__":
    main()
