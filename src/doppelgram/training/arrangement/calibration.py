"""The last step of training a model of places and poses: how much each tower says, and what distances mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.evaluation.joint_fit import Kinds, fit_joint, fit_joint_search, joint_loss, near_duplicates, pair_kinds
from doppelgram.models.fusion import fused, fused_dim
from doppelgram.models.towers import unit
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration
from doppelgram.training.arrangement.fit import TowerTraining, TrainingPosts, first_image_towers
from doppelgram.training.arrangement.towers import PlannedTower

# Of these the weights of towers are chosen whose weight is "auto".
_WEIGHTS = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0)
# Share of what the best weights tell (in log-likelihood, more than a coin does) that smaller ones may lack.
_ALIKE = 0.05
_FEWEST_PAIRS = 5
_PLACEHOLDER = Calibration(1.0, 1.0, 1.0, 1, 1, "not calibrated yet")


@dataclass(frozen=True)
class TowerVectors:
    """What every tower makes of some photographs, before that is fused.

    Attributes:
        towers: in the model's order.
        place: of each place tower (m, d).
        pose: of each pose tower (p, d), of all people of these photographs one after the other.
        photograph: of each person, which of the m photographs, (p,).
        nth: of each person, which of its photograph, (p,); 0 is the most prominent.
    """

    towers: Sequence[PlannedTower]
    place: list[NDArray[np.float32]]
    pose: list[NDArray[np.float32]]
    photograph: NDArray[np.int64]
    nth: NDArray[np.int64]

    def fused(self, people: int) -> NDArray[np.float32]:
        """Vectors (m, dim) by the towers' present weights, of at most ``people`` people."""
        place, pose = (
            fused(parts, [each.tower for each in of_kind(self.towers, kind)])
            for parts, kind in ((self.place, "place"), (self.pose, "pose"))
        )
        slots = np.zeros((len(place), people, pose.shape[1]), dtype=np.float32)
        kept = self.nth < people
        slots[self.photograph[kept], self.nth[kept]] = pose[kept]
        return np.hstack([place, slots.reshape(len(place), -1)])


def of_kind(towers: Sequence[PlannedTower], kind: str) -> list[PlannedTower]:
    """The towers of places or of poses, in order."""
    return [each for each in towers if each.recipe.of == kind]


def tower_vectors(
    towers: Sequence[PlannedTower],
    posts: TrainingPosts,
    rows: NDArray[np.int64],
    progress: Callable[[int], None] | None = None,
) -> TowerVectors:
    """Run every tower on what it is shown of some photographs."""
    counts = posts.inputs.people[rows]
    photograph = np.repeat(np.arange(len(rows)), counts)
    nth = np.arange(len(photograph)) - np.repeat(np.cumsum(counts) - counts, counts)
    persons = posts.first[rows][photograph] + nth
    place = [each.tower.embed(posts.shown[each.input_key][rows]) for each in of_kind(towers, "place")]
    pose = [each.tower.embed(posts.shown[each.input_key][persons]) for each in of_kind(towers, "pose")]
    if progress:
        progress(len(rows))
    return TowerVectors(towers, place, pose, photograph, nth)


def calibrated_space(
    training: TowerTraining, people: int, data: str, progress: Progress
) -> tuple[ArrangementSpace, dict[str, float]]:
    """The space of the trained towers, calibrated on the validation part if it has the pairs.

    Towers whose weight is "auto" get theirs.

    Returns:
        The space, and the share of hard pairs that it judges right.
    """
    towers, posts = training.towers, training.posts
    place, pose = (fused_dim([each.tower for each in of_kind(towers, kind)]) for kind in ("place", "pose"))
    empty = JointCalibration(_PLACEHOLDER, _PLACEHOLDER, 1.0, 1.0, 0.0, 0.0, 0.5, rule="both")
    space = ArrangementSpace(place, pose, people, empty)
    where = f"validation part of {data}"
    rows, kinds, apart = _pairs(training, posts.validated)
    if min(len(kinds.same), len(kinds.place), len(kinds.pose)) < _FEWEST_PAIRS:
        progress.warning("the validation part has too few hard pairs; the training part calibrates instead")
        where = f"training part of {data}"
        rows, kinds, apart = _pairs(training, posts.trained_on)
    with progress.bar("calibrating", len(rows)) as advance:
        found = tower_vectors(towers, posts, rows, advance)
    joint, vectors = _weighed(found, kinds, space, where)
    space = replace(space, calibration=joint)
    search = fit_joint_search(space, vectors, posts.place[rows], posts.pose[rows], apart)
    space = replace(space, calibration=replace(joint, search=search))
    pairs = np.concatenate([kinds.same, kinds.place, kinds.pose])
    same = space.distance(vectors[pairs[:, 0]], vectors[pairs[:, 1]]) <= space.threshold
    right = same == (np.arange(len(pairs)) < len(kinds.same))
    return space, {"val_pair_accuracy": round(float(right.mean()), 6), "val_pairs": len(pairs)}


def _pairs(training: TowerTraining, part: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Kinds, NDArray[np.bool_]]:
    """The posed photographs of a part, pairs of them, and which do not show the same photograph or person (m, m)."""
    posts = training.posts
    rows = np.flatnonzero(part & (posts.pose != ""))
    apart = ~_near_duplicates(training, rows)
    return rows, pair_kinds(posts.place[rows], posts.pose[rows], apart, training.run.seed), apart


def _near_duplicates(training: TowerTraining, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pairs (m, m) of rows that show the same photograph of a place or the same person, by untouched features."""
    posts = training.posts
    found = np.zeros((len(rows), len(rows)), dtype=bool)
    for each in first_image_towers(training.towers):
        features = unit(training.untouched[each.backbone_key])
        if each.recipe.of == "place":
            found |= near_duplicates(features[rows], posts.place[rows])
            continue
        first = posts.first[rows]
        seen = np.flatnonzero(first >= 0)
        found[np.ix_(seen, seen)] |= near_duplicates(features[first[seen]], posts.pose[rows][seen])
    return found


def _weighed(
    found: TowerVectors, kinds: Kinds, space: ArrangementSpace, where: str
) -> tuple[JointCalibration, NDArray[np.float32]]:
    """Give towers of weight "auto" the weights by which the pairs are told best, and calibrate with them.

    How much what is generic should say depends on what the model will be used for: on places and poses that it was
    trained on, little, on others, much. The validation part is taken for an example of that.
    """
    free = [each.tower for each in found.towers if each.recipe.weight == "auto"]

    def set_weights(weights: Sequence[float]) -> None:
        for tower, weight in zip(free, weights, strict=True):
            tower.weight = weight

    tried: list[tuple[float, tuple[float, ...]]] = []
    for weights in product(*(_WEIGHTS for _ in free)):
        set_weights(weights)
        vectors = found.fused(space.people)
        joint = fit_joint(space, vectors, kinds, where)
        tried.append((joint_loss(replace(space, calibration=joint), vectors, kinds), weights))
    smallest = min(loss for loss, _ in tried)
    bearable = smallest + _ALIKE * max(math.log(2) - smallest, 0.0)
    # Of weights that do about as well the smallest: a hundred validation photographs cannot tell them apart.
    set_weights(min((weights for loss, weights in tried if loss <= bearable), key=sum))
    vectors = found.fused(space.people)
    return fit_joint(space, vectors, kinds, where), vectors
