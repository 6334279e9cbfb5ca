"""Role models on simulated worlds whose history is known: parents, originators, and evidence, old and new.

Usage: python benchmarks/rolemodels.py [--worlds 40 --silent 40]

Worlds have the default noise of `doppelgram.rolemodels.validation.simulate`: a tenth of the posts missing, independent
inventions, reposts, wrong clocks, wrong place labels, embeddings that overlap. Our attribution and four simpler rules
see the same matches, arrangements and clocks. Intervals draw worlds again (95 %, 2,000 times); differences are paired.
The settings were chosen on other worlds than these; evidence is
measured on worlds of its own.
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
from doppelgram.rolemodels.null import shuffle_followers
from doppelgram.rolemodels.result import ALPHA, LIKELY
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.tables import place_codes
from doppelgram.rolemodels.trace import group_posts, matches_among, trace_posts
from doppelgram.rolemodels.validation.baselines import Guess, baselines
from doppelgram.rolemodels.validation.evidence import group_sums, reliability, single_posts, smoothed
from doppelgram.rolemodels.validation.scores import adjusted_rand, forest_scores, originator_first, originators
from doppelgram.rolemodels.validation.simulate import World, simulate, without_copying

FIRST_SEED, FIRST_EVIDENCE = 1000, 3000
OURS = "doppelgram"
KINDS = ("root", "edge", "leaf", "ancestry")
EVIDENCE = {
    "by_post": "before: its best post, by 200 shuffles, corrected over posts",
    "sums": "before: sum of attributed followers, by 200 shuffles, corrected over arrangements",
    "new": "now: spread of the arrangement, up to 10,000 shuffles",
}


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


def evidence(world: World, settings: TraceSettings) -> dict[str, object]:
    """What the old and the new evidence say of one world."""
    threshold, time = world.space.calibration.threshold, world.posts.timestamp
    groups = group_posts(world.posts, world.vectors, world.space, threshold, settings)
    _, _, matches = matches_among(groups, np.ones(len(time), dtype=bool), threshold, settings.gamma)
    decay = attribute(matches, time, innovation=settings.innovation, decay=None).decay
    shuffles = shuffle_followers(matches, time, place_codes(world.posts, groups.place), settings, decay)
    others = matches.take(~matches.same_author)
    _, by_post = single_posts(shuffles, np.isin(np.arange(len(time)), [others.left, others.right]), settings.seed)
    best = np.ones(groups.arrangement.max() + 1)
    np.minimum.at(best, groups.arrangement[groups.arrangement >= 0], by_post[groups.arrangement >= 0])
    found = trace_posts(world.posts, world.vectors, world.space, settings)
    table = found.arrangements
    spreads = (table["spread_q"] <= ALPHA).to_numpy()
    posts = found.role_models.set_index("path").loc[world.posts.path]
    true = np.zeros(len(time), dtype=bool)
    true[list(originators(world.arrangement, world.parent, world.time, min_posts=2).values())] = True
    claimed = (posts["spread_q"] <= ALPHA).to_numpy()
    return {
        "large": (table["posts"] >= 8).to_numpy(),
        "tested": table["spread_q"].notna().to_numpy(),
        "by_post": best <= ALPHA,
        "sums": group_sums(shuffles, groups.arrangement, settings.seed) <= ALPHA,
        "new": spreads,
        "p": smoothed(
            table["spread_p"].dropna().to_numpy(),
            table.loc[table["spread_p"].notna(), "shuffles"].to_numpy(),
            np.random.default_rng(0),
        ),
        "chance": posts["origin"].to_numpy()[claimed],
        "true": true[claimed],
    }


def with_truth(worlds: int, settings: TraceSettings) -> dict[str, object]:
    made = [simulate(seed=FIRST_SEED + k) for k in range(worlds)]
    runs = [one_world(world, settings) for world in made]
    rules = {}
    for name in runs[0]:
        rows = [run[name] for run in runs]
        rules[name] = {kind: interval(np.array([row[kind] for row in rows])) for kind in KINDS}
        rules[name]["originator"] = originator_share(rows)
        if name != OURS:
            gain = np.array([run[OURS]["edge"] - run[name]["edge"] for run in runs])
            rules[name]["edge_gain"] = interval(gain)
    seen = [evidence(simulate(seed=FIRST_EVIDENCE + k), settings) for k in range(worlds)]
    together = {name: np.concatenate([row[name] for row in seen]) for name in seen[0]}
    table = reliability(together["chance"], together["true"])
    likely = together["chance"] >= LIKELY
    return {
        "rules": rules,
        "rand": interval(np.array([run[OURS]["rand"] for run in runs])),
        "arrangements": int(sum(run[OURS]["arrangements"] for run in runs)),
        "large": int(together["large"].sum()),
        "power": {name: float(together[name][together["large"]].mean()) for name in EVIDENCE},
        "tested": int(together["tested"].sum()),
        "spread": int(together["new"].sum()),
        "likely": int(likely.sum()),
        "likely_true": float(together["true"][likely].mean()),
        "calibration": table.bins,
        "calibration_error": table.error,
    }


def in_silence(worlds: int, settings: TraceSettings) -> dict[str, object]:
    """P-values where nobody copies, of all arrangements tested and of one of each world, and claims."""
    quiet = without_copying()
    rng = np.random.default_rng(0)
    seen = [evidence(simulate(quiet, seed=FIRST_EVIDENCE + k), settings) for k in range(worlds)]
    pooled = np.concatenate([row["p"] for row in seen])
    return {
        "arrangements": len(pooled),
        "ks": float(kstest(pooled, "uniform").statistic),
        "ks_p": float(kstest(pooled, "uniform").pvalue),
        "ks_one_p": float(kstest([rng.choice(row["p"]) for row in seen], "uniform").pvalue),
        "below_0.05": float((pooled <= 0.05).mean()),
        "worlds_with_claims": {name: sum(bool(row[name].any()) for row in seen) for name in EVIDENCE},
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
    beside = [
        f"| {about} | {percent(report['power'][name])} | {silent['worlds_with_claims'][name]} of "
        f"{report['silent_worlds']} |"
        for name, about in EVIDENCE.items()
    ]
    bins = [
        f"| {low:.2f} to {high:.2f} | {given:.3f} | {true:.3f} | {n:,} |"
        for low, high, given, true, n in report["calibration"]
    ]
    return "\n".join(
        [
            "# Role models on simulated worlds",
            "",
            f"{report['worlds']} worlds of about 540 posts, {report['arrangements']} true arrangements of eight posts "
            "or more. Scores are shares of what either forest has (1 is perfect).",
            "",
            *lines,
            "",
            f"Arrangements found: adjusted Rand index {cell(report['rand'])}.",
            "",
            "## Evidence, old and new",
            "",
            f"With copying: {report['large']} arrangements as found, with eight posts or more. Without copying: "
            f"{report['silent_worlds']} worlds in which nobody follows anybody.",
            "",
            "| evidence | with copying: arrangements with q ≤ 0.05 | without: worlds in which anything is claimed |",
            "|---|---:|---:|",
            *beside,
            "",
            f"Of all {report['tested']} arrangements tested, smaller ones included, {report['spread']} spread beyond "
            f"chance; in {report['likely']} of them one post is given 90 % or more to be the origin, and of these "
            f"posts {percent(report['likely_true'])} are. What posts of these arrangements are given, and how many "
            "truly are the origin:",
            "",
            "| probability given | mean | truly the origin | posts |",
            "|---|---:|---:|---:|",
            *bins,
            "",
            f"Expected calibration error {report['calibration_error']:.3f}, over posts given 0.05 or more.",
            "",
            f"Where nobody copies ({silent['arrangements']:,} arrangements tested), Kolmogorov and Smirnov's distance "
            f"of the p-values (their steps smoothed) from uniform is {silent['ks']:.3f} (p = {silent['ks_p']:.2f}; "
            f"with one arrangement of each world p = {silent['ks_one_p']:.2f}); "
            f"{percent(silent['below_0.05'])} of them are 0.05 or less.",
            "",
            machine_line(report["machine"]),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=40)
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
