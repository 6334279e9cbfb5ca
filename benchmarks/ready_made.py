"""The ready-made models on photographs of places, poses and people that nothing was trained on.

    python benchmarks/ready_made.py --data DIR --weights DIR [--cache DIR] [--places RUN] [--only pose,...] [--out DIR]

``DIR`` of the data holds the folders ``posts`` and ``posts_views``. Each section is one function that returns its
table; sections that are not asked for stay in the results as they were.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from common import RESULTS, machine, machine_line, write
from doppelgram.images.read import Want, read
from doppelgram.images.whole import WholePhotograph
from doppelgram.pose.embedding import pose_vectors
from doppelgram.pose.estimators.estimator import reduced
from doppelgram.pose.estimators.movenet import MoveNet
from doppelgram.pose.estimators.searches import FOUND_CLOSE, around
from doppelgram.pose.normalise import normalised
from doppelgram.pose.skeleton import mirrored
from doppelgram.pose.squares import letterbox
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration
from doppelgram.weights import find_weights

SETS = ("posts", "posts_views")
_DRAWS = 100
_ANY = Calibration(1.0, 0.0, 1.0, 1, 1, "nothing")
_JOINT = JointCalibration(_ANY, _ANY, 1.0, 1.0, 0.0, 0.0, 0.5)


class Options(NamedTuple):
    """Where things lie: data, weights, what takes long and is kept, and a run of recipe `places` if there is one."""

    data: Path
    weights: Path
    cache: Path
    places: Path | None = None


@dataclass
class Table:
    """One section of the results: what is measured, rows by name, and remarks."""

    about: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


# ---- what the sections share ----------------------------------------------------------------------------------------


def labelled(data: Path, name: str) -> pd.DataFrame:
    """The photographs of a set with people: path, place, pose, person and photo, and the file."""
    table = pd.read_csv(data / name / "posts.csv")
    truth = pd.read_csv(data / name / "truth.csv")
    table = table.merge(truth[["path", *truth.columns.difference(table.columns)]], on="path")
    table = table[table["person"].notna()].reset_index(drop=True)
    return table.assign(file=[data / name / path for path in table["path"]])


def fair_pairs(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of rows that share neither person nor photograph."""
    codes = [pd.factorize(table[column])[0] for column in ("person", "photo")]
    apart = np.triu(np.logical_and(*(code[:, None] != code[None] for code in codes)), 1)
    left, right = np.nonzero(apart)
    return left, right


def macro_auc(
    distance: NDArray[Any],
    same: NDArray[np.bool_],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    table: pd.DataFrame,
    column: str,
    classes: list[str] | None = None,
) -> dict[str, float]:
    """Mean over classes of the AUC of pairs of that class against pairs of it with another class; bootstrap interval.

    Args:
        distance: of the pairs (left[i], right[i]).
        same: whether they are of one class.
        left, right: rows of the table.
        table: with columns ``column`` and ``person``; whole persons are drawn for the interval.
        column: that holds the classes.
        classes: only these, and pairs among these; all by default.
    """
    names = table[column].to_numpy()
    classes = sorted(set(names)) if classes is None else classes
    among = np.isin(names[left], classes) & np.isin(names[right], classes)
    person, draws = _drawn_persons(table)
    found = []
    for name in classes:
        rows = np.flatnonzero(among & ((names[left] == name) | (names[right] == name)))
        found.append(_aucs(distance[rows], same[rows], person[left[rows]], person[right[rows]], draws))
    return _interval(np.mean(found, axis=0), len(left))


def pooled_auc(
    distance: NDArray[Any],
    same: NDArray[np.bool_],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    table: pd.DataFrame,
) -> dict[str, float]:
    """AUC of all pairs together, with a bootstrap interval over persons; arguments as of `macro_auc`."""
    person, draws = _drawn_persons(table)
    return _interval(_aucs(distance, same, person[left], person[right], draws), len(left))


def _drawn_persons(table: pd.DataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    """The person of each row, as a number, and how often each is drawn (draws, persons); once in the first draw."""
    persons, person = np.unique(table["person"].to_numpy(), return_inverse=True)
    rng = np.random.default_rng(0)
    draws = rng.multinomial(len(persons), np.full(len(persons), 1 / len(persons)), _DRAWS)
    return person, np.concatenate([np.ones((1, len(persons))), draws])


def _aucs(
    distance: NDArray[Any], same: NDArray[np.bool_], a: NDArray[Any], b: NDArray[Any], draws: NDArray[Any]
) -> NDArray[Any]:
    """AUC of pairs of the persons a[i] and b[i] in each draw."""
    # Of pairs at equal distances those of other classes come first.
    order = np.lexsort((same, distance))
    a, b, same = a[order], b[order], same[order]
    aucs = []
    for draw in draws:
        weight = draw[a] * draw[b]
        positive = np.where(same, weight, 0.0)
        negative = weight - positive
        before = np.cumsum(negative)
        aucs.append(1 - float(positive @ before) / max(float(positive.sum()) * float(before[-1]), 1e-12))
    return np.array(aucs)


def _interval(values: NDArray[Any], n: int) -> dict[str, float]:
    """The first value, and between which 95 % of the others lie."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    named = zip(("value", "low", "high"), (values[0], low, high), strict=True)
    return {name: round(float(value), 4) for name, value in named} | {"n": n}


# ---- pose -----------------------------------------------------------------------------------------------------------


def looks(options: Options, name: str, table: pd.DataFrame, network: str) -> dict[str, NDArray[np.float32]]:
    """MoveNet's first look at each whole photograph and its second at the box of the first, (n, 18, 3) each."""
    movenet = MoveNet(find_weights(network, options.weights), name="movenet-thunder")
    kept = options.cache / f"looks-{name}-{movenet.key}.npz"
    if not kept.is_file():
        found: list[tuple[Any, Any]] = []
        for photograph in read(table["file"].tolist(), Want(WholePhotograph(1280))):
            image = reduced(np.asarray(photograph.pixels))
            first = movenet.look(image, letterbox(*image.size))
            found.append((first, movenet.look(image, around(first))))
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, first=np.stack([one for one, _ in found]), second=np.stack([one for _, one in found]))
    with np.load(kept) as arrays:
        return {look: arrays[look] for look in ("first", "second")}


def surer(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Of two looks (n, 18, 3) at each photograph the surer one."""
    return np.where((second[..., 2].mean(1) > first[..., 2].mean(1))[:, None, None], second, first)


def pose_distances(
    keypoints: NDArray[Any],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    *,
    mirror: bool = True,
    found: float = 0.0,
    **settings: float,
) -> NDArray[Any]:
    """Distances of pairs as the ready-made model has them; whoever is less sure than ``found`` is farthest from all."""
    poses = normalised(np.where(keypoints[..., 2:].mean(1, keepdims=True) >= found, keypoints, np.nan))
    parts = [pose_vectors(poses, **settings)]
    if mirror:
        parts.append(pose_vectors(mirrored(poses), **settings))
    space = ArrangementSpace(1, parts[0].shape[1], 1, _JOINT, mirror=mirror)
    everybody = space.poses(np.hstack([np.ones((len(poses), 1), np.float32), *parts]))
    return np.asarray(np.nan_to_num(space.pose_table(everybody, everybody)[left, right], nan=9.0))


def pose(options: Options) -> Table:
    """Same pose or not, by skeletons alone."""
    table = Table(
        "Unseen poses: macro AUC over fair pairs, which share neither person nor photograph: the mean over poses of "
        "the AUC of pairs that both show the pose against pairs of which one does; the network's skeletons count "
        "however unsure. In brackets 95 %, bootstrap over "
        "persons. Cap, weight of the limbs and power of the confidence were chosen on every second pose of `posts` in "
        "the order of the alphabet, as was which look counts; `posts, other half` is of pairs among the other poses."
    )
    for name in SETS:
        rows = labelled(options.data, name)
        left, right = fair_pairs(rows)
        poses = rows["pose"].to_numpy()
        same = poses[left] == poses[right]
        halves = {name: None} | ({"posts, other half": sorted(set(poses))[1::2]} if name == "posts" else {})
        thunder, lightning = (looks(options, name, rows, f"movenet_{which}") for which in ("thunder", "lightning"))
        ready = surer(**thunder)
        plain = {"cap": 1e3, "limb_weight": 1e-6, "confidence_power": 1e-6}
        ways: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
            "untouched: Lightning once, joints alone, no mirror": (lightning["first"], {"mirror": False, **plain}),
            "the same, mirrored too": (lightning["first"], plain),
            "ready-made: Thunder, second look, mirror, cap, limbs": (ready, {}),
            "the same, nobody found counting as farthest": (ready, {"found": FOUND_CLOSE}),
            "without mirror": (ready, {"mirror": False}),
            "without the second look": (thunder["first"], {}),
            "the second look alone": (thunder["second"], {}),
            "Lightning instead of Thunder": (surer(**lightning), {}),
            "cap of 3 trunk lengths": (ready, {"cap": 3.0}),
            "without a cap": (ready, {"cap": 1e3}),
            "without limbs": (ready, {"limb_weight": 1e-6}),
            "limbs alone": (ready, {"cap": 1e-6}),
            "without confidence": (ready, {"confidence_power": 1e-6}),
        }
        for way, (keypoints, settings) in ways.items():
            distance = pose_distances(keypoints, left, right, **settings)
            for title, classes in halves.items():
                table.rows.setdefault(way, {})[title] = macro_auc(distance, same, left, right, rows, "pose", classes)
        nobody = float((ready[..., 2].mean(1) < FOUND_CLOSE).mean())
        table.notes.append(
            f"{name}: {len(rows):,} photographs of people, nobody found in {100 * nobody:.1f} % of them."
        )
    table.notes.append("The people of `posts_views` are those of `posts`.")
    return table


# ---- all of it ------------------------------------------------------------------------------------------------------


def all_sections() -> Mapping[str, Callable[[Options], Table]]:
    """Every section by name; those of places stand in a file of their own, which needs this one."""
    from ready_made_kinds import kinds_of_places
    from ready_made_places import SECTIONS

    return {"pose": pose, **SECTIONS, "kinds of places": kinds_of_places}


def markdown(sections: Mapping[str, Mapping[str, Any]], facts: dict[str, Any]) -> str:
    """All tables, one below the other; a figure with an interval as "0.872 (0.860 to 0.884)"."""
    lines = ["# Ready-made models", "", machine_line(facts)]
    for name, section in sections.items():
        columns = list(dict.fromkeys(column for row in section["rows"].values() for column in row))
        lines += [
            "",
            f"## {name}",
            "",
            section["about"],
            "",
            f"| | {' | '.join(columns)} |",
            "|---|" + "---:|" * len(columns),
        ]
        for title, row in section["rows"].items():
            lines.append(f"| {title} | {' | '.join(_cell(row.get(column, '')) for column in columns)} |")
        lines += ["", *(f"- {note}" for note in section["notes"])]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run the sections asked for and write results/ready_made.{md,json}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("ready_made_cache"), help="keeps what takes long")
    parser.add_argument("--places", type=Path, help="run of recipe places, trained on other places than are asked for")
    parser.add_argument("--only", default=",".join(all_sections()), help="sections, separated by commas")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    options = Options(given.data, given.weights, given.cache, given.places)
    facts, kept = machine("openvino"), given.out / "ready_made.json"
    sections = json.loads(kept.read_text(encoding="utf-8"))["sections"] if kept.is_file() else {}
    for name in given.only.split(","):
        sections[name] = asdict(all_sections()[name](options))
    sections = {name: sections[name] for name in all_sections() if name in sections}
    write("ready_made", {"machine": facts, "sections": sections}, markdown(sections, facts), given.out)


if __name__ == "__main__":
    main()
