"""Teaching, by an answering script that knows the truth: what answers buy, and what random ones would.

Faces (ten photographs of each of 100 people of LFW, ready-made model `faces`) and posts (`posts_views`, ready-made
model `arrangements`, labelled by arrangement), three seeds each, which draw people and four fifths of the arrangements.
The script says the same if all photographs shown are of one label, different if those that stand for the two sides
are not, else partly. Every question counts as one answer. Random pairs are answered one by one and go through
the same grouping. Section signs is told in teaching_names.py. Then the time of one round of grouping 10,000
photographs, made vectors of 800 things.

    python benchmarks/teaching.py --data DIR --weights DIR --cache DIR [--only faces,posts_views,signs,time] [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

import teaching_names
from common import RESULTS, machine, machine_line, write
from doppelgram.api.index import index
from doppelgram.catalog.rows import file_of
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import Collection as Images
from doppelgram.dataset.read import read_collection
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.teaching.answers import PAIR, Entry
from doppelgram.teaching.groups import group
from doppelgram.teaching.questions import Question
from doppelgram.teaching.reading import cut_of, found_odds
from doppelgram.teaching.recalibrate import weigh
from doppelgram.teaching.rounds import Collection, Round

SEEDS = (0, 1, 2)
AT_ONCE = 5  # questions that are answered before the next ones are asked for
PEOPLE, PHOTOGRAPHS, SHARE = 100, 10, 0.8
TOLD = 100  # answers at which probabilities are looked at
FIRST = (0, 1, 2, 5, 10, 50)  # answers at which groups are counted


def faces(data: Path) -> Images:
    """Ten photographs each of all people of LFW who have as many."""
    whole = read_collection(data / "lfw")
    labels = whole.labels
    names, sizes = np.unique(labels, return_counts=True)
    of = pd.Series(labels).groupby(labels).cumcount().to_numpy()
    return whole.take(np.isin(labels, names[sizes >= PHOTOGRAPHS]) & (of < PHOTOGRAPHS))


def posts_views(data: Path) -> Images:
    """The posts that show an arrangement, labelled by it."""
    truth = pd.read_csv(data / "posts_views" / "truth.csv", dtype=str, keep_default_na=False)
    return Images(data / "posts_views", truth.loc[truth["arrangement"] != "", ["path", "arrangement"]], "arrangement")


@dataclass(frozen=True)
class World:
    """A collection whose labels the script knows: how it is made, its ready-made model, the goal, where to give up."""

    make: Callable[[Path], Images]
    model: str
    drawn: Callable[[int], int]
    goal: float
    most: int


WORLDS = {
    "faces": World(faces, "faces", lambda _: PEOPLE, 0.98, 1_000),
    "posts_views": World(posts_views, "arrangements", lambda labels: round(SHARE * labels), 0.9, 1_000),
}


def answered(number: int, question: Question, truth: dict[str, str]) -> Entry:
    """What somebody says who knows."""
    labels_a, labels_b = ([truth[id_] for id_ in ids] for ids in (question.ids_a, question.ids_b))
    degree = 1.0 if len({*labels_a, *labels_b}) == 1 else 0.0 if labels_a[0] != labels_b[0] else 0.5
    asked = {"odds": question.odds, "strength": question.strength}
    return Entry(PAIR, question.ids_a, question.ids_b, degree, number=number, **asked)


def by_questions(collection: Collection, truth: dict[str, str], world: World) -> tuple[list[Any], list[Entry]]:
    """The curve of answers and agreement up to the goal, and the answers, `TOLD` of them or more."""
    labels = [truth[id_] for id_ in collection.ids]
    log: list[Entry] = []
    curve: list[Any] = []
    reached = False
    while len(log) < world.most:
        now = Round(collection, log)
        if not reached:
            curve.append((len(log), float(adjusted_rand_score(labels, now.grouping.labels))))
            reached = curve[-1][1] >= world.goal
        if reached and len(log) >= TOLD:
            break
        asked = now.questions(AT_ONCE)
        if not asked:
            break
        log += [answered(len(log) + at, question, truth) for at, question in enumerate(asked, 1)]
    return curve, log


def by_random_pairs(
    collection: Collection, truth: dict[str, str], world: World, checks: Sequence[int], seed: int
) -> list[Any]:
    """The same for pairs drawn at random, looked at after some numbers of answers, up to the goal."""
    rng, ids = np.random.default_rng(seed), collection.ids
    labels, curve, log = [truth[id_] for id_ in ids], [], []
    for check in checks:
        while len(log) < check:
            a, b = (ids[row] for row in rng.choice(len(ids), 2, replace=False))
            log.append(Entry(PAIR, (a,), (b,), float(truth[a] == truth[b]), number=len(log) + 1))
        grouping = Round(collection, log).grouping
        curve.append((check, float(adjusted_rand_score(labels, grouping.labels))))
        if curve[-1][1] >= world.goal:
            break
    return curve


def first_groups(collection: Collection, log: Sequence[Entry]) -> list[tuple[int, int, int]]:
    """Numbers of groups after the first answers: answers, groups, and groups if the cut were not damped."""
    found = []
    for answers in FIRST:
        now = Round(collection, log[:answers])
        cut = cut_of(collection.space, now.learned)
        groups, undamped = (
            int(labels.max()) + 1
            for labels in (
                now.grouping.labels,
                group(collection.graph, now.blocks, now.apart, now.named, cut).labels,
            )
        )
        found.append((answers, groups, undamped))
    return found


def unasked(collection: Collection, truth: dict[str, str], log: Sequence[Entry]) -> dict[str, Any]:
    """Log-loss of neighbours of which nothing was said and nothing follows, before and after the answers."""
    now, graph = Round(collection, log), collection.graph
    label = np.unique([truth[id_] for id_ in collection.ids], return_inverse=True)[1]
    same = (label[graph.left] == label[graph.right]).astype(np.float64)
    pairs = zip(graph.left.tolist(), graph.right.tolist(), strict=True)
    rest = np.array([now.known.same(collection.ids[a], collection.ids[b]) is None for a, b in pairs])
    before = found_odds(collection.space, graph.odds[rest])
    losses = [float((np.logaddexp(0, odds) - same[rest] * odds).mean()) for odds in (before, now.learned.odds(before))]
    change = weigh(*now.asked)
    return {
        "answers": len(log),
        "pairs": int(rest.sum()),
        "before": losses[0],
        "after": losses[1],
        "accepted": change.accepted,
        "kept_out": {"before": change.before, "after": change.after, "interval": change.interval},
    }


def world_results(name: str, data: Path, weights: Path, cache: Path) -> dict[str, Any]:
    """All seeds of one world."""
    world = WORLDS[name]
    index(world.make(data), world.model, cache / name, weights=weights)
    catalog = Catalog.open(cache / name)
    model = catalog.load_model(weights=weights)
    rows, vectors = catalog.snapshot(["id", "label"])
    names = np.unique(rows["label"])
    seeds = []
    for seed in SEEDS:
        kept = np.random.default_rng(seed).permutation(names)[: world.drawn(len(names))]
        chosen = rows["label"].isin(kept).to_numpy()
        ids = rows["id"][chosen].tolist()
        truth = dict(zip(ids, rows["label"][chosen], strict=True))
        images = [file_of(id_) for id_ in ids]
        collection = Collection(ids, vectors[chosen], model.space.adapted(vectors[chosen]), images)
        curve, log = by_questions(collection, truth, world)
        needed = curve[-1][0] if curve[-1][1] >= world.goal else None
        last = needed or world.most
        checks = sorted({0, *(round(share * last) for share in (0.5, 1, 2, 3, 4, 5, 7, 10, 20))})
        found = {
            "photographs": len(ids),
            "labels": len(kept),
            "needed": needed,
            "questions": curve,
            "random": by_random_pairs(collection, truth, world, checks, seed),
            "unasked": unasked(collection, truth, log),
            "groups": first_groups(collection, log),
            "kinds": {
                kind: sum(one.degree == degree for one in log)
                for kind, degree in (("yes", 1.0), ("no", 0.0), ("partly", 0.5))
            },
        }
        print(name, seed, needed, found["random"][-1], found["unasked"], flush=True)
        seeds.append(found)
    return {"goal": world.goal, "model": world.model, "seeds": seeds}


def regrouping(count: int = 10_000, things: int = 800) -> dict[str, Any]:
    """Seconds of one round for so many photographs under 200 random answers, and of the search for neighbours."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, things, count)
    vectors = rng.normal(size=(things, 128))[label] + 0.6 * rng.normal(size=(count, 128))
    vectors = (0.7 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    space = EuclideanSpace(128, Calibration(53.0, 31.7, 0.59, 517, 20_000, "made vectors"))
    ids = [f"{number:064x}" for number in range(count)]
    started = time.perf_counter()
    collection = Collection(ids, vectors, space, ids)
    opened = time.perf_counter() - started
    drawn = rng.integers(0, count, (200, 2))
    log = [
        Entry(PAIR, (ids[a],), (ids[b],), float(label[a] == label[b]), number=at)
        for at, (a, b) in enumerate(drawn.tolist(), 1)
    ]
    seconds, questions = [], []
    for _ in range(5):
        started = time.process_time(), time.perf_counter()
        now = Round(collection, log)
        groups = int(now.grouping.labels.max()) + 1
        seconds.append((time.process_time() - started[0], time.perf_counter() - started[1]))
        begun = time.process_time()
        now.questions(20)
        questions.append(time.process_time() - begun)
    processor, wall = np.median(np.array(seconds), axis=0).tolist()
    return {
        "photographs": count,
        "groups": groups,
        "neighbours_and_first_groups": opened,
        "processor_seconds": processor,
        "wall_seconds": wall,
        "questions_processor_seconds": float(np.median(questions)),
    }


def markdown(result: dict[str, Any]) -> str:
    """All sections."""
    lines = ["# Teaching", "", machine_line(result["machine"]), ""]
    for name in WORLDS:
        if name not in result:
            continue
        found = result[name]
        lines += [
            f"## {name}: adjusted Rand index of {found['goal']:g}, ready-made model `{found['model']}`",
            "",
            "| seed | photographs | things | without answers | answers needed | yes, no, partly "
            "| the same agreement by random pairs |",
            "|---:|---:|---:|---:|---:|---:|---|",
        ]
        for seed, each in zip(SEEDS, found["seeds"], strict=True):
            answers, agreement = each["random"][-1]
            reached = agreement >= found["goal"]
            random = f"{answers:,}" if reached else f"not by {answers:,} ({agreement:.3f})"
            last = each["questions"][-1]
            needed = f"{each['needed']:,}" if each["needed"] is not None else f"not by {last[0]:,} ({last[1]:.3f})"
            lines.append(
                f"| {seed} | {each['photographs']:,} | {each['labels']:,} | {each['questions'][0][1]:.3f} | {needed} "
                f"| {', '.join(str(count) for count in each['kinds'].values())} | {random} |"
            )
        lines += [
            "",
            "Groups after the first answers, and in brackets what they would be if the cut were not damped:",
            "",
            f"| seed | {' | '.join(str(answers) for answers in FIRST)} |",
            f"|---:|{'---:|' * len(FIRST)}",
            *(
                f"| {seed} | {' | '.join(f'{groups:,} ({undamped:,})' for _, groups, undamped in each['groups'])} |"
                for seed, each in zip(SEEDS, found["seeds"], strict=True)
            ),
            "",
            "Log-loss of neighbours that nobody asked about and of which nothing follows, and of answers kept out:",
            "",
            "| seed | answers | pairs | before | after | kept out, before | after | difference, 95 % | taken over |",
            "|---:|---:|---:|---:|---:|---:|---:|---|---|",
        ]
        for seed, each in zip(SEEDS, found["seeds"], strict=True):
            of, out = each["unasked"], each["unasked"]["kept_out"]
            low, high = out["interval"]
            lines.append(
                f"| {seed} | {of['answers']:,} | {of['pairs']:,} | {of['before']:.3f} | {of['after']:.3f} "
                f"| {out['before']:.3f} | {out['after']:.3f} | {low:.3f} to {high:.3f} "
                f"| {'yes' if of['accepted'] else 'no'} |"
            )
        lines.append("")
    if "signs" in result:
        lines += teaching_names.markdown(result["signs"])
    if "time" in result:
        of = result["time"]
        lines += [
            "## One round of grouping",
            "",
            f"{of['photographs']:,} photographs, {of['groups']:,} groups, under 200 random answers: "
            f"{of['processor_seconds']:.2f} s of one core ({of['wall_seconds']:.2f} s on the wall), median of 5. The "
            f"next 20 questions take {of['questions_processor_seconds']:.2f} s more. Searching the neighbours and "
            f"the first groups, once when a catalog is opened: {of['neighbours_and_first_groups']:.1f} s.",
            "",
        ]
    return "\n".join(lines)


def draw(result: dict[str, Any], file: Path) -> None:
    """Agreement against answers, by questions and by random pairs."""
    names = [name for name in WORLDS if name in result]
    count = len(names) + ("signs" in result)
    figure, axes = plt.subplots(1, count, figsize=(5.5 * count, 4), squeeze=False)
    for axis, name in zip(axes[0], names, strict=False):
        for way, colour in (("questions", "tab:blue"), ("random", "tab:orange")):
            for at, each in enumerate(result[name]["seeds"]):
                answers, agreement = zip(*each[way], strict=True)
                label = {"questions": "questions of the queue", "random": "random pairs"}[way] if at == 0 else None
                axis.plot(answers, agreement, color=colour, label=label, alpha=0.8)
        axis.axhline(result[name]["goal"], color="0.6", linewidth=0.8, linestyle=":")
        axis.set(title=name, xlabel="answers", ylabel="adjusted Rand index", xscale="symlog")
        axis.set_xlim(left=0)
    if names:
        axes[0][0].legend(loc="lower right")
    if "signs" in result:
        teaching_names.draw(result["signs"], axes[0][-1])
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def main() -> None:
    """Run what was asked for and write results/teaching.{json,md,png}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="keeps the catalogs")
    parser.add_argument("--only", default="faces,posts_views,signs,time", help="sections, separated by commas")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    kept = given.out / "teaching.json"
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    result["machine"] = machine()
    for section in given.only.split(","):
        if section == "time":
            result["time"] = regrouping()
        elif section == "signs":
            result["signs"] = teaching_names.signs_results(given.data, given.weights, given.cache, SEEDS)
        else:
            result[section] = world_results(section, given.data, given.weights, given.cache)
    write("teaching", result, markdown(result), given.out)
    draw(result, given.out / "teaching.png")


if __name__ == "__main__":
    main()
