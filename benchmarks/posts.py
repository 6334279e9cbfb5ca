"""Recipe `posts` on real posts: the closed and the open protocol, and what each part of the model brings.

Trains on ``DIR/posts`` (parts by persons and photographs from ``truth.csv``, which nothing is trained on), then asks
hard pairs of the test part, and the nearest neighbour of another person. Thresholds are chosen on the validation part.

    python benchmarks/posts.py --data DIR --weights DIR [--out DIR] [--protocol closed|open|both] [--seed N] [--set K=V]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common import machine, with_interval, write
from doppelgram.api.train import train
from doppelgram.console import TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import bootstrap_mean
from doppelgram.evaluation.joint_fit import Kinds, fit_joint
from doppelgram.evaluation.verification import pair_metrics
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.bundle import load_model
from doppelgram.models.fusion import fused
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.towers import unit
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.joint import JointCalibration
from doppelgram.studies.role_model.protocols import (
    Protocol,
    closed_protocol,
    open_protocol,
    protocol_pairs,
    read_grouped_posts,
)
from doppelgram.training.arrangement.inputs import TowerInputs, read_tower_inputs
from doppelgram.training.recipes.files import read_recipe

PAIRS = 1600
PROGRESS = TerminalProgress()
Array = np.ndarray[Any, Any]


@dataclass
class Questions:
    """Pairs and labels of one protocol."""

    place: Array
    pose: Array
    person: Array
    parts: dict[str, Array]
    pairs: dict[str, tuple[Array, Array, Array]]

    @classmethod
    def of(cls, posts: Any, protocol: Protocol) -> Questions:
        rows = protocol.split.rows(posts)
        pairs = {}
        for part in ("val", "test"):
            found = protocol_pairs(posts.take(rows[part]), PAIRS)
            pairs[part] = (rows[part][found.a], rows[part][found.b], found.same)
        return cls(posts.column("place"), posts.column("pose"), posts.column("person"), rows, pairs)

    def kinds(self, part: str) -> Kinds:
        a, b, same = self.pairs[part]
        ends, place = np.stack([a, b], 1), self.place[a] == self.place[b]
        return Kinds(ends[same], ends[place & ~same], ends[~place])


def slots(inputs: TowerInputs, persons: Array, people: int) -> Array:
    """Poses (n, people, d) of the photographs from the embeddings of all persons (m, d)."""
    found = np.zeros((len(inputs.people), people, persons.shape[1]), dtype=np.float32)
    for nth in range(people):
        there = inputs.people > nth
        found[there, nth] = persons[inputs.first[there] + nth]
    return found


def score(
    place: Array, poses: Array, questions: Questions, rule: str = "both", given: JointCalibration | None = None
) -> dict[str, Any] | None:
    """Figures of one way to embed; each with value, low, high and n. None where it is no better than chance."""
    empty = JointCalibration.from_dict(DUMMY)
    space = ArrangementSpace(place.shape[1], poses.shape[2], poses.shape[1], empty)
    vectors = np.hstack([place, poses.reshape(len(place), -1)]).astype(np.float32)
    try:
        joint = given or fit_joint(space, vectors, questions.kinds("val"), "validation part", rule)
    except DoppelgramError as problem:
        print(problem)
        return None
    space = replace(space, calibration=joint)
    a, b, same = questions.pairs["test"]
    said = space.compare(vectors[a], vectors[b])
    figures: dict[str, Any] = {}

    def add(name: str, of: Array, answers: Array, distances: Array, threshold: float) -> None:
        found, _ = pair_metrics(distances[of], answers[of], a[of], b[of], threshold=threshold)
        for what in ("accuracy", "auc"):
            figures[f"{name}_{what}"] = asdict(found[f"pair_{what}"])

    same_place, same_pose = questions.place[a] == questions.place[b], questions.pose[a] == questions.pose[b]
    add("joint", np.ones(len(a), dtype=bool), same, said.distance, space.threshold)
    add("place", same_pose, same_place, said.parts["place"].distance, joint.place.threshold)
    # Where nobody is seen the pose's probability is the prior's.
    sure = float(joint.pose.probability(np.array([joint.pose.threshold]))[0])
    add("pose", same_place, same_pose, 1 - said.parts["pose"].probability, 1 - sure)
    figures.update(neighbours(vectors, space, questions))
    return figures


def neighbours(vectors: Array, space: ArrangementSpace, questions: Questions) -> dict[str, Any]:
    """Whether the nearest image of another person shows the same pose: among all other posts, and in the test part."""
    posed = np.flatnonzero(questions.pose != "")
    test = np.intersect1d(questions.parts["test"], posed)
    figures = {}
    for name, gallery in (("pose_1nn", posed), ("pose_1nn_test", test)):
        right = np.zeros(len(test))
        for row, query in enumerate(test):
            others = gallery[questions.person[gallery] != questions.person[query]]
            distance = space.part_distances(np.repeat(vectors[query][None], len(others), 0), vectors[others])[1]
            nearest = others[np.nan_to_num(distance, nan=np.inf).argmin()]
            right[row] = questions.pose[nearest] == questions.pose[query] and np.isfinite(distance).any()
        low, high = bootstrap_mean(right, seed=0)
        figures[name] = {"value": float(right.mean()), "low": low, "high": high, "n": len(test)}
    return figures


DUMMY = {
    **{
        side: {"slope": 1.0, "intercept": 1.0, "threshold": 1.0, "n_same": 1, "n_different": 1, "fitted_on": ""}
        for side in ("place", "pose")
    },
    "place_weight": 1.0,
    "pose_weight": 1.0,
    "bias": 0.0,
    "pose_prior": 0.0,
    "threshold": 0.5,
}


def trained(
    data: Path, out: Path, protocol: Protocol, weights: Path, seed: int, overrides: list[str]
) -> tuple[Any, float | None]:
    """A model trained by the recipe on a protocol's parts, and seconds of a fresh run."""
    fresh = not out.exists()  # a run that is gone on with does not tell how long training takes
    split = out.with_suffix(".csv")
    protocol.split.write(split)
    run = train(
        data,
        read_recipe("posts", overrides),
        out,
        split=split,
        weights=weights,
        seed=seed,
        resume=True,
        progress=PROGRESS,
    )
    model = load_model(out / "model")
    assert isinstance(model, ArrangementModel)
    model.weights = weights
    return model, float(run.facts["training_seconds"]) if fresh else None


def places(model: ArrangementModel, inputs: TowerInputs, questions: Questions) -> list[Array]:
    """What each place tower makes of the validation and test photographs; zeros for all others."""
    rows = np.union1d(questions.parts["val"], questions.parts["test"])
    found = []
    # The generic tower, the last, is shown what the first one is.
    for tower, shown in zip(model.place, [*inputs.place, inputs.place[0]], strict=False):
        vectors = np.zeros((len(shown), tower.dim), dtype=np.float32)
        vectors[rows] = tower.embed(shown[rows])
        found.append(vectors)
    return found


def variants(model: ArrangementModel, inputs: TowerInputs, questions: Questions) -> dict[str, dict[str, Any] | None]:
    """Figures of the whole model and of the model without this and that."""
    seen = places(model, inputs, questions)
    poses = [tower.embed(views) for tower, views in zip(model.pose, inputs.pose, strict=True)]
    place, persons = fused(seen, model.place), fused(poses, model.pose)
    pose = slots(inputs, persons, 1)
    with torch.inference_mode():
        points = torch.from_numpy(inputs.pose[1])
        untrained = PoseTower()
        described = untrained.described(points) + untrained.described(untrained.mirrored(points))
    raw = slots(inputs, unit(described.numpy()), 1)
    found: dict[str, dict[str, Any] | None] = {"ours": score(place, pose, questions)}
    if model.space.people == 1:
        found["as the recipe calibrated it, without knowing persons"] = score(
            place, pose, questions, given=model.calibration
        )
    found["joint by a sum of log-odds"] = score(place, pose, questions, "sum")
    found["two people compared"] = score(place, slots(inputs, persons, 2), questions)
    found["place: people covered, alone"] = score(seen[0], pose, questions)
    if len(model.place) > 2:
        found["place: people not covered, alone"] = score(seen[1], pose, questions)
    found["place: untouched features alone"] = score(seen[-1], pose, questions)
    found["pose: person cut out alone"] = score(place, slots(inputs, poses[0], 1), questions)
    found["pose: keypoints alone"] = score(place, slots(inputs, fused(poses[1:], model.pose[1:]), 1), questions)
    found["pose: keypoints, untrained"] = score(place, raw, questions)
    found["untrained: untouched features, raw keypoints"] = score(seen[-1], raw, questions)
    return found


def table(found: dict[str, dict[str, Any] | None]) -> str:
    """Rows of the model's variants."""
    columns = {
        "joint_accuracy": "pairs classified correctly",
        "joint_auc": "AUC",
        "place_auc": "place AUC",
        "pose_auc": "pose AUC",
        "pose_1nn": "pose 1-NN, another person",
    }
    lines = ["| | " + " | ".join(columns.values()) + " |", "|---|" + "---:|" * len(columns)]
    for name, figures in found.items():
        if figures is None:
            lines.append(f"| {name} | validation pairs are no nearer where they are the same" + " |" * len(columns))
            continue
        cells = [
            with_interval(figures[key], 1) if key in ("joint_accuracy", "pose_1nn") else f"{figures[key]['value']:.3f}"
            for key in columns
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="keep runs here and resume them; a temporary folder by default")
    parser.add_argument("--protocol", choices=("closed", "open", "both"), default="both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--name", default="posts", help="of the files in results/")
    arguments = parser.parse_args()
    data = arguments.data / "posts"
    posts = read_grouped_posts(data)
    result: dict[str, Any] = {"machine": machine(), "seed": arguments.seed, "overrides": arguments.overrides}
    with tempfile.TemporaryDirectory() as temporary:
        out = arguments.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        for name, make in (("closed", closed_protocol), ("open", open_protocol)):
            if arguments.protocol not in (name, "both"):
                continue
            protocol = make(posts, seed=arguments.seed)
            questions = Questions.of(posts, protocol)
            model, seconds = trained(data, out / name, protocol, arguments.weights, arguments.seed, arguments.overrides)
            tuned = [tower for tower in model.place if tower.gives_class_probabilities]
            inputs = read_tower_inputs(posts, model.want, tuned, model.pose, 2, PROGRESS)
            if len(inputs.collection) < len(posts):
                raise DoppelgramError(f"{data}: some photographs cannot be read")
            started = time.perf_counter()
            found = variants(model, inputs, questions)
            counts = {
                part: int((questions.pose[rows] != "").sum()) for part, rows in questions.parts.items() if len(rows)
            }
            held = {"places": protocol.places, "poses": protocol.poses}
            result[name] = {
                "variants": found,
                "posts": counts,
                "left_out": protocol.left_out,
                "held_out": held,
                "training_seconds": seconds,
                "scoring_seconds": round(time.perf_counter() - started, 1),
                "pairs": {part: len(pairs[0]) for part, pairs in questions.pairs.items()},
            }
            report(arguments.name, result)


def report(name: str, result: dict[str, Any]) -> None:
    """Write and print what has been found so far."""
    lines = ["# Recipe `posts` on real posts", ""]
    for protocol in ("closed", "open"):
        if protocol not in result:
            continue
        facts = result[protocol]
        posts = ", ".join(f"{count} {part}" for part, count in facts["posts"].items())
        pairs = ", ".join(f"{count} {part}" for part, count in facts["pairs"].items())
        held = facts["held_out"]
        unseen = [f"Test {kind}: {', '.join(of['test'])}." for kind, of in held.items() if of]
        lines += [
            f"## {protocol.capitalize()} protocol",
            "",
            f"Posts: {posts}, {facts['left_out']} left out. Pairs: {pairs}. "
            + " ".join(unseen)
            + (f" Training took {facts['training_seconds']:.0f} s." if facts["training_seconds"] else ""),
            "",
            table(facts["variants"]),
            "",
        ]
    write(name, result, "\n".join(lines))


if __name__ == "__main__":
    main()
