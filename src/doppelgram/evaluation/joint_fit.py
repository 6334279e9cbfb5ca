"""What place and pose distances mean, alone and together, fitted to pairs of photographs that were not trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.answers import ANSWERS
from doppelgram.evaluation.calibration import fit_calibration
from doppelgram.evaluation.curve_fit import fit_curve
from doppelgram.space.arrangement import PLACE, POSE, ArrangementSpace
from doppelgram.space.joint import JointCalibration, JointSearch

Bools = NDArray[np.bool_]
_PAIRS = 4000  # of each kind, at most
_DUPLICATE_SHARE = 1e-3  # pairs of different things that are taken for near_duplicates


@dataclass(frozen=True)
class Kinds:
    """Pairs (i, j) of rows by what they share, each int64 (m, 2).

    Attributes:
        same: place and pose.
        place: the place in another pose.
        pose: the pose at another place.
    """

    same: NDArray[np.int64]
    place: NDArray[np.int64]
    pose: NDArray[np.int64]


def near_duplicates(features: NDArray[Any], classes: NDArray[Any]) -> Bools:
    """Pairs (n, n) so alike that they are taken for the same photograph, or the same person cut out.

    Nobody says which posts share a photograph or a person, and a pair that does is recognised by that. Two images
    count as such if untouched features of theirs are nearer than all but one in a thousand pairs of different
    classes.

    Args:
        features: (n, d), of length one.
        classes: (n,).
    """
    distance = 2 - 2 * np.asarray(features, dtype=np.float64) @ np.asarray(features, dtype=np.float64).T
    other = classes[:, None] != classes[None]
    if not other.any():
        return np.zeros(distance.shape, dtype=bool)
    return np.asarray(distance < np.quantile(distance[other], _DUPLICATE_SHARE))


def pair_kinds(place: NDArray[Any], pose: NDArray[Any], apart: Bools, seed: int) -> Kinds:
    """Random pairs of each kind, the same number of the first as of the other two together.

    Args:
        place, pose: of n photographs, (n,); pairs of photographs without a pose are left out.
        apart: (n, n), which pairs may be used.
        seed: the same seed gives the same pairs.
    """
    rng = np.random.default_rng(seed)
    usable = np.triu(apart & (pose != "")[:, None] & (pose != "")[None], 1)
    same_place, same_pose = place[:, None] == place[None], pose[:, None] == pose[None]
    found = [
        rng.permutation(np.argwhere(usable & kind))
        for kind in (same_place & same_pose, same_place & ~same_pose, ~same_place & same_pose)
    ]
    half = min(len(found[0]) // 2, len(found[1]), len(found[2]), _PAIRS // 2)
    return Kinds(found[0][: 2 * half], found[1][:half], found[2][:half])


def fit_joint(
    space: ArrangementSpace, vectors: NDArray[Any], kinds: Kinds, fitted_on: str, rule: str = "both"
) -> JointCalibration:
    """Calibrate both distances and their combination.

    The place's probability is fitted to pairs of the same pose, the pose's to pairs of the same place: the hard ones,
    in which only what is asked about differs. The weights are those of greatest likelihood where the three kinds of
    pairs are equally common, which with pairs that share nothing makes the prior of `JointCalibration`; they are drawn
    a little towards 1. The threshold is where most of the pairs are told rightly.

    Args:
        space: layout of the vectors; its calibration is not used.
        vectors: (n, dim).
        kinds: pairs of their rows.
        fitted_on: which photographs these are, in words.
        rule: how both probabilities become one, see `JointCalibration`.

    Raises:
        DoppelgramError: a kind of pair is missing, or distances say nothing.
    """
    if not min(len(kinds.same), len(kinds.place), len(kinds.pose)):
        raise DoppelgramError(
            f"{fitted_on}: a joint calibration needs pairs of the same arrangement, of the same place in another pose "
            "and of the same pose at another place, and one of these is missing"
        )
    pairs = np.concatenate([kinds.same, kinds.place, kinds.pose])
    kind = np.repeat([0, 1, 2], [len(kinds.same), len(kinds.place), len(kinds.pose)])
    d_place, d_pose = space.part_distances(vectors[pairs[:, 0]], vectors[pairs[:, 1]])
    known = ~np.isnan(d_pose)
    place = fit_calibration(d_place[kind != 1], kind[kind != 1] == 0, fitted_on=fitted_on)
    asked = known & (kind != 2)
    pose = fit_calibration(d_pose[asked], kind[asked] == 0, fitted_on=fitted_on)
    # How much likelier a missing pose is where the poses are the same than where they are not; both counted as equally
    # common, whatever the mix of the pairs, and never as evidence that they are the same.
    missing = [((~known[kind == k]).sum() + 1) / ((kind == k).sum() + 2) for k in (0, 1)]
    prior = min(float(np.log(missing[0] / missing[1])), 0.0)
    joint = JointCalibration(place, pose, 1.0, 1.0, 0.0, prior, 0.5, rule=rule)
    right = kind == 0
    common = 1 / (3 * np.bincount(kind)[kind])

    def cost(x: NDArray[np.float64]) -> float:
        odds = _with(joint, x).log_odds(d_place, d_pose)
        loss = common @ np.logaddexp(0.0, np.where(right, -odds, odds))
        return float(loss + 0.01 * ((x - 1) ** 2).sum())

    found = minimize(cost, np.ones(2), method="Nelder-Mead", options={"maxiter": 300})
    joint = _with(joint, np.maximum(found.x, 0.05))
    return replace(joint, threshold=_threshold(joint.probability(d_place, d_pose), right))


def joint_loss(space: ArrangementSpace, vectors: NDArray[Any], kinds: Kinds) -> float:
    """Mean negative log-likelihood of pairs under a calibrated space; smaller is better."""
    losses = []
    for pairs, sign in ((kinds.same, -1), (kinds.place, 1), (kinds.pose, 1)):
        distances = space.part_distances(vectors[pairs[:, 0]], vectors[pairs[:, 1]])
        losses.append(np.logaddexp(0.0, sign * space.calibration.log_odds(*distances)))
    return float(np.concatenate(losses).mean())


def _with(joint: JointCalibration, x: NDArray[np.float64]) -> JointCalibration:
    return replace(joint, place_weight=max(float(x[0]), 0.0), pose_weight=max(float(x[1]), 0.0))


def _threshold(probability: NDArray[np.float64], right: Bools) -> float:
    """The probability above which most pairs are told rightly, in the middle of the gap there."""
    order = np.argsort(-probability, kind="stable")
    gain = np.concatenate([[0], np.cumsum(np.where(right[order], 1, -1))])
    cut = int(gain.argmax())
    ordered = np.concatenate([[1.0], probability[order], [0.0]])
    return float(np.clip((ordered[cut] + ordered[cut + 1]) / 2, 1e-6, 1 - 1e-6))


def fit_joint_search(
    space: ArrangementSpace, vectors: NDArray[Any], place: NDArray[Any], pose: NDArray[Any], apart: Bools
) -> dict[str, JointSearch]:
    """Count how often what a search finds is right: each photograph looked for among the others.

    Args:
        space: with its calibration of pairs.
        vectors: (n, dim).
        place: of n photographs.
        pose: likewise.
        apart: (n, n), which photographs a query may find: not one of the same person or photograph.

    Returns:
        By what ranks; empty where nothing can be found.
    """
    left, right = np.nonzero(apart & ~np.eye(len(place), dtype=bool))
    fitted: dict[str, JointSearch] = {}
    if not len(left):
        return fitted
    distance = space.distance(vectors[left], vectors[right])
    d_place, d_pose = space.part_distances(vectors[left], vectors[right])
    measures = {"joint": distance, PLACE: d_place, POSE: np.nan_to_num(d_pose, nan=np.inf)}
    for by, measure in measures.items():
        order = np.lexsort((measure, left))
        rank = np.arange(len(left)) - np.searchsorted(left, left)
        kept = order[rank < ANSWERS]
        same_place, same_pose = (labels[left[kept]] == labels[right[kept]] for labels in (place, pose))
        both, source = same_place & same_pose, left[kept]
        about = f"the {ANSWERS} nearest by {by} of {len(np.unique(source)):,} photographs"
        curves = {"both": fit_curve(distance[kept], both, sources=source, about=about)}
        for name, d, same in ((PLACE, d_place[kept], same_place), (POSE, d_pose[kept], same_pose)):
            other = ~both & ~np.isnan(d)
            if not other.any():
                other = ~np.isnan(d)
            if not other.any():
                return {}
            rest = f"{about} that are of another arrangement"
            curves[name] = fit_curve(d[other], same[other], sources=source[other], about=rest)
        unknown = ~both & np.isnan(d_pose[kept])
        share = (int(same_pose[unknown].sum()) + 1) / (int(unknown.sum()) + 2)
        fitted[by] = JointSearch(**curves, pose_unknown=share)
    return fitted
