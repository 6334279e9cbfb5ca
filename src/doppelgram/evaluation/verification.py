"""Verification: is this pair the same or not?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from doppelgram.evaluation.calibration import best_threshold
from doppelgram.evaluation.intervals import bootstrap_pairs, percentiles
from doppelgram.evaluation.result import Metric
from doppelgram.evaluation.roc import FAR_LEVELS, Roc, pair_statistics
from doppelgram.space.exact import Float64, Int64

Bools = NDArray[np.bool_]


def pair_metrics(
    distances: Float64, same: Bools, left: Int64, right: Int64, *, threshold: float | None = None, seed: int = 0
) -> tuple[dict[str, Metric], list[str]]:
    """``pair_auc``, ``pair_eer``, ``tar_at_far_*`` and ``pair_accuracy``, with remarks.

    ``pair_accuracy`` weighs same and different pairs equally whatever their numbers, as the calibration does: it is
    the plain share judged rightly where there are as many of each.

    Args:
        distances: (p,) float64.
        same: (p,) answers.
        left: (p,) number of one image of each pair; intervals draw images again.
        right: (p,) number of the other.
        threshold: the distance up to which a pair counts as the same, chosen on other images. If None, it is chosen
            on one half of these images and applied to the pairs of the other, and the other way round.
        seed: of the halves and of the intervals.
    """
    if not same.any() or same.all():
        missing = "different" if same.any() or not len(same) else "same"
        return {}, [f"There is no pair of the kind '{missing}', so nothing is said about pairs."]
    metrics, notes = {}, []
    order = np.argsort(distances, kind="stable")
    distances, same, left, right = distances[order], same[order], left[order], right[order]
    roc = Roc(distances, same)
    value = pair_statistics(roc, np.ones((1, len(same))))[0]
    replicates = bootstrap_pairs(lambda weights: pair_statistics(roc, weights), left, right, seed=seed)
    names = ["pair_auc", "pair_eer", *(f"tar_at_far_{level:g}" for level in FAR_LEVELS)]
    for column, name in enumerate(names):
        low, high = percentiles(replicates[:, column], float(value[column]))
        metrics[name] = Metric(float(value[column]), low, high, len(same))
    different = int((~same).sum())
    coarse = [f"{level:g}" for level in FAR_LEVELS if different * level < 1]
    if coarse:
        notes.append(
            f"{different:,} different pairs cannot tell a false accept rate of {' or '.join(coarse)} from none: "
            "tar_at_far there is the share of same pairs accepted without any false accept."
        )
    if threshold is not None:
        used, right_answer = np.ones(len(same), dtype=bool), (distances <= threshold) == same
        notes.append(f"pair_accuracy uses the given threshold, distance {threshold:.4g}.")
    else:
        used, right_answer = cross_judged(distances, same, left, right, seed=seed)
        if not used.any():
            notes.append("pair_accuracy is left out: no threshold was given, and there are too few images to halve.")
            return metrics, notes
        notes.append(
            "pair_accuracy: no threshold was given, so it was chosen on one half of the images and applied to the "
            f"pairs of the other half, and the other way round; {len(same) - int(used.sum()):,} pairs across the "
            "halves are not in it."
        )
    metrics["pair_accuracy"] = balanced_share(right_answer[used], same[used], left[used], right[used], seed=seed)
    return metrics, notes


def cross_judged(distances: Float64, same: Bools, left: Int64, right: Int64, *, seed: int) -> tuple[Bools, Bools]:
    """Judge the pairs within each half of the images by the threshold that is best on the other half.

    Images that pairs connect, directly or through others, stay in one half as long as no such group holds more than
    half of the images; otherwise images are halved at random and pairs across the halves are not judged.

    Returns:
        Which pairs were judged, and which of them rightly; both (p,). None are if a half lacks a kind of pair.
    """
    _, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
    a, b = codes[: len(left)], codes[len(left) :]
    images = int(codes.max()) + 1
    group = connected(a, b, images)
    if np.bincount(group).max() * 2 > images:
        group = np.arange(images)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(group.max() + 1)[group]
    sizes = np.cumsum(np.bincount(shuffled))
    half = shuffled <= np.searchsorted(sizes, images / 2)
    used, correct = np.zeros(len(same), dtype=bool), np.zeros(len(same), dtype=bool)
    first, second = half[a] & half[b], ~half[a] & ~half[b]
    if any(not same[part].any() or same[part].all() for part in (first, second)):
        return used, correct
    for fit, judge in ((first, second), (second, first)):
        threshold = best_threshold(distances[fit], same[fit])
        correct[judge] = (distances[judge] <= threshold) == same[judge]
        used |= judge
    return used, correct


def connected(a: Int64, b: Int64, images: int) -> Int64:
    """Number of the group of each image, (images,), where images ``a[i]`` and ``b[i]`` are in one group."""
    group = np.arange(images)
    while True:
        low = np.minimum(group[a], group[b])
        lowered = group.copy()
        np.minimum.at(lowered, a, low)
        np.minimum.at(lowered, b, low)
        lowered = lowered[lowered]
        if np.array_equal(lowered, group):
            return np.asarray(np.unique(group, return_inverse=True)[1], dtype=np.int64)
        group = lowered


def balanced_share(correct: Bools, same: Bools, left: Int64, right: Int64, *, seed: int) -> Metric:
    """Share judged rightly, same and different pairs weighing equally; the interval draws images again."""
    columns = np.column_stack([same & correct, ~same & correct, same, ~same]).astype(np.float64)

    def share(weights: Float64) -> Float64:
        sums = weights @ columns
        with np.errstate(invalid="ignore"):
            return np.asarray((sums[:, :2] / sums[:, 2:]).mean(axis=1, keepdims=True))

    value = float(share(np.ones((1, len(same))))[0, 0])
    return Metric(value, *percentiles(bootstrap_pairs(share, left, right, seed=seed)[:, 0], value), len(same))
