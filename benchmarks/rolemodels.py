"""Role models on simulated worlds whose history is known: parents, originators, and p-values where nobody copies.

Usage: python benchmarks/rolemodels.py [--worlds 20 --silent 40]

Worlds have the default noise of `doppelgram.rolemodels.validation.simulate`: a tenth of the posts missing, independent
inventions, reposts, wrong clocks, wrong place labels, embeddings that overlap. Our attribution and four simpler rules
see the same matches, arrangements and clocks. Intervals draw worlds again (95 %, 2,000 times); differences are paired.
The settings were chosen on other worlds than these.
"""

from __future__ import annotations

import argparse
import time as clock
from dataclasses import asdict

import numpy as np
from scipy.stats import kstest

from common import machine, machine_line, write
from doppelgram.evaluation.intervals import bootstrap_mean
from doppelgram.numbers import estimate, percent
from doppelgram.rolemodels.attribution import attribute
from doppelgram.rolemodels.influence import influence, originality, trees
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import group_posts, matches_among, trace_posts
from doppelgram.rolemodels.validation.baselines import Guess, baselines
from doppelgram.rolemodels.validation.scores import adjusted_rand, forest_scores, originator_first, originators
from doppelgram.rolemodels.validation.simulate import World, WorldSettings, simulate, without_copying

FIRST_SEED = 1000
OURS = "doppelgram"
KINDS = ("root", "edge", "leaf", "ancestry")


def one_world(world: World, settings: TraceSettings) -> dict[str, dict[str, float]]:
    """Scores of every rule on one world."""
    threshold = world.space.calibration.threshold
    groups = group_posts(world.posts, world.vectors, world.space, threshold, settings)
    everyone = np.ones(len(world.posts), dtype=bool)
    _, _, matches = matches_among(groups, everyone, threshold, settings.gamma)
    time = world.posts.timestamp
    found = attribute(matches, time, innovation=settings.innovation, decay=settings.decay_days)
    score = originality(found, matches, len(time)) * influence(found, time, settings.damping)
    guesses = {OURS: Guess(trees(found, time).parent, score), **baselines(found, matches, time, groups.arrangement)}
    origin = originators(world.arrangement, world.parent, world.time)
    result = {}
    for name, guess in guesses.items():
        first = originator_first(guess.score, world.arrangement, origin)
        result[name] = {
            **asdict(forest_scores(guess.parent, world.parent)),
            "originators": float(first.sum()),
            "arrangements": float(len(first)),
        }
    result[OURS]["rand"] = adjusted_rand(groups.arrangement, world.arrangement)
    return result


def interval(values: np.ndarray) -> list[float]:
    return [float(values.mean()), *bootstrap_mean(values, seed=0)]


def originator_share(rows: list[dict[str, float]]) -> list[float]:
    """Share of all arrangements whose originator is first, worlds drawn again."""
    first = np.array([row["originators"] for row in rows])
    every = np.array([row["arrangements"] for row in rows])
    drawn = np.random.default_rng(0).integers(0, len(rows), (2000, len(rows)))
    shares = first[drawn].sum(axis=1) / every[drawn].sum(axis=1)
    return [float(first.sum() / every.sum()), *np.quantile(shares, [0.025, 0.975]).tolist()]


def with_truth(worlds: int, settings: TraceSettings) -> dict[str, object]:
    runs = [one_world(simulate(seed=FIRST_SEED + k), settings) for k in range(worlds)]
    rules = {}
    for name in runs[0]:
        rows = [run[name] for run in runs]
        rules[name] = {kind: interval(np.array([row[kind] for row in rows])) for kind in KINDS}
        rules[name]["originator"] = originator_share(rows)
        if name != OURS:
            gain = np.array([run[OURS]["edge"] - run[name]["edge"] for run in runs])
            rules[name]["edge_gain"] = interval(gain)
    return {
        "rules": rules,
        "rand": interval(np.array([run[OURS]["rand"] for run in runs])),
        "arrangements": int(sum(run[OURS]["arrangements"] for run in runs)),
    }


def in_silence(worlds: int, settings: TraceSettings) -> dict[str, object]:
    """P-values where nobody copies, of all posts tested and of one post and one arrangement of each world."""
    quiet = without_copying(WorldSettings(posts=300, places=5))
    rng = np.random.default_rng(0)
    every, post, spread, false_alarms = [], [], [], 0
    for k in range(worlds):
        world = simulate(quiet, seed=FIRST_SEED + k)
        found = trace_posts(world.posts, world.vectors, world.space, settings)
        tested = found.role_models[found.role_models["place_score"].notna()]
        every.append(tested["p_value"].to_numpy())
        post.append(float(rng.choice(every[-1])))
        spread.append(float(rng.choice(found.arrangements["spread_p"])))
        false_alarms += bool((tested["q_value"] < 0.05).any())
    pooled = np.concatenate(every)
    return {
        "posts": len(pooled),
        "ks_posts": float(kstest(pooled, "uniform").statistic),
        "ks_posts_p": float(kstest(pooled, "uniform").pvalue),
        "ks_one_post_p": float(kstest(post, "uniform").pvalue),
        "ks_one_arrangement_p": float(kstest(spread, "uniform").pvalue),
        "below_0.05": float((pooled < 0.05).mean()),
        "worlds_with_q_below_0.05": false_alarms,
    }


def table(report: dict[str, object]) -> str:
    def cell(value: list[float]) -> str:
        return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"

    lines = [
        "| rule | edge | ours is ahead by | root | leaf | ancestry | originator first |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, rule in report["rules"].items():
        gain = cell(rule["edge_gain"]) if "edge_gain" in rule else ""
        share = rule["originator"]
        lines.append(
            f"| {name} | {cell(rule['edge'])} | {gain} | {rule['root'][0]:.3f} | {rule['leaf'][0]:.3f} | "
            f"{rule['ancestry'][0]:.3f} | {estimate(*share)} |"
        )
    silent = report["silent"]
    return "\n".join(
        [
            "# Role models on simulated worlds",
            "",
            f"{report['worlds']} worlds of about 540 posts, {report['arrangements']} arrangements of eight posts or "
            "more. Scores are shares of what either forest has (1 is perfect).",
            "",
            *lines,
            "",
            f"Arrangements found: adjusted Rand index {cell(report['rand'])}.",
            "",
            f"Where nobody copies ({report['silent_worlds']} worlds, {silent['posts']:,} posts tested), Kolmogorov and "
            f"Smirnov's distance of the p-values from uniform is {silent['ks_posts']:.3f} "
            f"(p = {silent['ks_posts_p']:.2f}); "
            f"with one post of each world p = {silent['ks_one_post_p']:.2f}, with one arrangement of each world "
            f"p = {silent['ks_one_arrangement_p']:.2f}. {percent(silent['below_0.05'])} of the "
            f"p-values are below 0.05, and {silent['worlds_with_q_below_0.05']} of the worlds have a post "
            "with q below 0.05.",
            "",
            machine_line(report["machine"]),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--silent", type=int, default=40, help="worlds in which nobody copies")
    options = parser.parse_args()
    start = clock.perf_counter()
    settings = TraceSettings(bootstraps=0)
    report: dict[str, object] = {"worlds": options.worlds, "silent_worlds": options.silent}
    report |= with_truth(options.worlds, settings)
    report["silent"] = in_silence(options.silent, settings)
    report["settings"] = settings.to_dict()
    report["machine"] = {**machine(), "seconds": round(clock.perf_counter() - start, 1)}
    write("rolemodels", report, table(report))


if __name__ == "__main__":
    main()
