"""Do the probabilities hold? Of signs, faces and posts: what a search and verify say, on images kept out.

Images come in three parts that share no scene, person or photograph: what was trained on (only of a run), what
calibrates, and what is reported. *Before* is the logistic curve fitted to random pairs of the second part, as builds
did that knew nothing else; *after* is `calibrate_embedding` and, of posts, `fit_joint` and `fit_joint_search`. The
figures are of the ten nearest images of each image of the third part, looked for among each other and in everything
else, and of pairs of the third part, mixed as verify states.

    python benchmarks/calibration.py [--run signs=RUN] [--vectors faces=FILE.npz] [--arrangements posts=FILE.npz]

``--run`` is a run of `doppelgram train` with a validation and a test part. ``--vectors`` holds arrays ``vectors``,
``labels`` and ``groups``, of any model; classes are divided in two, so that nobody is in both parts. ``--arrangements``
holds ``place_vectors``, ``pose_vectors``, ``place``, ``pose``, ``person`` and ``photo`` of posts.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common import machine, machine_line, write
from doppelgram.evaluation.answers import nearest_answers
from doppelgram.evaluation.calibration import pair_weights
from doppelgram.evaluation.collection import embed_collection
from doppelgram.evaluation.joint_fit import fit_joint, fit_joint_search, pair_kinds
from doppelgram.evaluation.reliability import ENOUGH, Reliability, reliability
from doppelgram.evaluation.sampling import mixed_pairs
from doppelgram.evaluation.space_fit import calibrate_embedding
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.models.bundle import load_model
from doppelgram.numbers import number, percent
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.joint import JointCalibration
from doppelgram.space.space import Space
from doppelgram.training.run import open_run

Found = dict[str, dict[str, Reliability]]
EMPTY = Calibration(1.0, 1.0, 1.0, 1, 1, "")


def both_searches(space: Space, report: EmbeddedSet, rest: EmbeddedSet) -> dict[str, Reliability]:
    """What is said of the ten nearest, among the reported images themselves and in the rest."""
    found = {}
    for where, task in (
        ("search among each other", make_task(report)),
        ("search in the rest", make_task(rest, report)),
    ):
        answers = nearest_answers(space, task)
        assert answers.probability is not None
        found[where] = reliability(answers.probability, answers.right)
    return found


def of_embedding(fit: EmbeddedSet, report: EmbeddedSet, rest: EmbeddedSet, trained: EmbeddedSet | None) -> Found:
    """Before and after, by question."""
    after = calibrate_embedding(fit, trained, fitted_on="fitting part")
    dim = np.shape(fit.vectors)[1]
    result = {}
    for name, calibration in (("before", replace(after, pairs=None, search=None)), ("after", after)):
        space = EuclideanSpace(dim, calibration)
        task = make_task(report)
        a, b, same = mixed_pairs(task, space.index(task.gallery).ranker())
        said = space.probability(space.distance(task.query[a], task.gallery[b]))
        result[name] = both_searches(space, report, rest) | {"verify": reliability(said, same, pair_weights(same))}
    return result


def run_of(folder: Path) -> Found:
    """A run's model: its validation part calibrates, its test part is reported."""

    class Silent:
        def bar(self, *_: Any) -> Any:
            from contextlib import nullcontext

            return nullcontext(lambda _: None)

        def note(self, text: str) -> None:
            print(text)

        warning = note

    model, run = load_model(folder), open_run(folder)
    split, collection = run.split(), run.collection()
    embedded = embed_collection(model, collection, Silent())  # type: ignore[arg-type]
    rows, groups = split.rows(embedded.collection), split.groups(embedded.collection)

    def part(*names: str) -> EmbeddedSet:
        chosen = np.sort(np.concatenate([rows[name] for name in names]))
        return EmbeddedSet(embedded.vectors[chosen], embedded.collection.labels[chosen], groups[chosen])

    return of_embedding(part("val"), part("test"), part("train", "val"), part("train"))


def vectors_of(file: Path, seed: int) -> Found:
    """Vectors of any model: half of the classes calibrate, the other half is reported."""
    held = np.load(file)
    vectors, labels, groups = held["vectors"], held["labels"], held["groups"]
    names = np.random.default_rng(seed).permutation(np.unique(labels))
    first = np.isin(labels, names[: len(names) // 2])
    # Of the second half, every other image is what is searched in and the rest is asked.
    asked = ~first & (np.random.default_rng(seed).random(len(labels)) < 0.5)

    def part(rows: np.ndarray[Any, Any]) -> EmbeddedSet:
        return EmbeddedSet(vectors[rows], labels[rows], groups[rows])

    return of_embedding(part(first), part(asked), part(~asked), None)


def arrangements_of(file: Path, seed: int) -> Found:
    """Posts: half of the persons and half of the photographs calibrate, the posts of the other halves are reported."""
    held = np.load(file)
    vectors = np.hstack([held["place_vectors"], held["pose_vectors"]]).astype(np.float32)
    halves = []
    for name in ("person", "photo"):
        names = np.random.default_rng(seed).permutation(np.unique(held[name]))
        halves.append(np.isin(held[name], names[::2]))
    sides = halves[0] & halves[1], ~halves[0] & ~halves[1]
    empty = JointCalibration(EMPTY, EMPTY, 1.0, 1.0, 0.0, 0.0, 0.5, rule="both")
    space = ArrangementSpace(held["place_vectors"].shape[1], held["pose_vectors"].shape[1], 1, empty)

    def apart(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        different = [held[name][rows][:, None] != held[name][rows][None] for name in ("person", "photo")]
        return different[0] & different[1]

    fit, report = (np.flatnonzero(side) for side in sides)
    place, pose = held["place"], held["pose"]
    kinds = pair_kinds(place[fit], pose[fit], apart(fit), seed)
    joint = fit_joint(space, vectors[fit], kinds, "fitting part")
    space = replace(space, calibration=joint)
    search = fit_joint_search(space, vectors[fit], place[fit], pose[fit], apart(fit))
    found: Found = {}
    left, right = np.nonzero(apart(report))
    for name, calibration in (("before", joint), ("after", replace(joint, search=search))):
        space = replace(space, calibration=calibration)
        found[name] = {}
        for by in ("joint", "place", "pose"):
            distance = space.distance(vectors[report][left], vectors[report][right])
            measure = dict(
                zip(("place", "pose"), space.part_distances(*(vectors[report][s] for s in (left, right))), strict=True)
            )
            order = np.lexsort((measure.get(by, distance), left))
            kept = order[np.arange(len(left)) - np.searchsorted(left, left) < 10]
            a, b = report[left[kept]], report[right[kept]]
            said = space.found(vectors[a], vectors[b], "" if by == "joint" else by)
            same = {"place": place[a] == place[b], "pose": pose[a] == pose[b]}
            assert said.probability is not None
            found[name][f"search by {by}: both"] = reliability(said.probability, same["place"] & same["pose"])
            for part in ("place", "pose"):
                found[name][f"search by {by}: {part}"] = reliability(said.parts[part].probability, same[part])
    kinds = pair_kinds(place[report], pose[report], apart(report), seed)
    neither = np.argwhere(
        np.triu(apart(report)) & (place[report][:, None] != place[report]) & (pose[report][:, None] != pose[report])
    )
    four = [kinds.same, kinds.place, kinds.pose, np.random.default_rng(seed).permutation(neither)[: len(kinds.same)]]
    pairs = report[np.concatenate(four)]
    weights = np.concatenate([np.full(len(kind), 1 / len(kind)) for kind in four])
    said = space.compare(vectors[pairs[:, 0]], vectors[pairs[:, 1]])
    assert said.probability is not None
    same = {name: held[name][pairs[:, 0]] == held[name][pairs[:, 1]] for name in ("place", "pose")}
    found["after"]["verify: both"] = reliability(said.probability, same["place"] & same["pose"], weights)
    for part in ("place", "pose"):
        found["after"][f"verify: {part}"] = reliability(said.parts[part].probability, same[part], weights)
    return found


def tables(name: str, found: Found) -> str:
    """One table of figures and one of bins."""
    lines = [
        f"## {name}",
        "",
        "| what | | answers | largest gap | ECE | log-loss | Brier |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for when, by_question in found.items():
        for what, held in by_question.items():
            figures = (number(value, 3) for value in (held.worst, held.ece, held.log_loss, held.brier))
            lines.append(f"| {what} | {when} | {held.n:,} | " + " | ".join(figures) + " |")
    lines += ["", "| what | | probability | n | said | came true |", "|---|---|---|---:|---:|---:|"]
    for when, by_question in found.items():
        for what, held in by_question.items():
            for each in held.bins:
                row = (what, when, f"{100 * each.low:.0f} to {100 * each.high:.0f} %", f"{each.n:,}")
                lines.append(f"| {' | '.join((*row, percent(each.said), percent(each.right)))} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is given, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = {"run": run_of, "vectors": vectors_of, "arrangements": arrangements_of}
    for kind in kinds:
        options.add_argument(f"--{kind}", action="append", default=[], metavar="NAME=PATH")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    result: dict[str, Found] = {}
    for kind, measure in kinds.items():
        for asked in getattr(given, kind):
            name, _, path = asked.partition("=")
            result[name] = measure(Path(path)) if measure is run_of else measure(Path(path), given.seed)
    facts = machine()
    told = {
        name: {w: {q: r.to_dict() for q, r in of.items()} for w, of in found.items()} for name, found in result.items()
    }
    text = [
        "# Whether probabilities hold",
        f"The largest gap is between what was said and what came true, among ranges of one tenth that hold {ENOUGH} "
        "answers or more; the target is 0.1. Of given pairs, same and different weigh one half; of posts, each of "
        "the four kinds a quarter.",
        *(tables(name, found) for name, found in result.items()),
        machine_line(facts),
    ]
    write("calibration", {"machine": facts, "seed": given.seed, **told}, "\n\n".join(text))


if __name__ == "__main__":
    main()
