"""Confidence intervals: Wilson's for proportions, the bootstrap over images for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.exact import Float64, Int64

CONFIDENCE = 0.95
REPLICATES = 1000
# Numbers drawn at a time, so that memory does not grow with the number of replicates.
_CHUNK = 2_000_000


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion (E. B. Wilson, JASA 22, 1927).

    Args:
        successes: 0 <= successes <= n.
        n: trials, 1 or more.
        confidence: between 0 and 1.

    Raises:
        DoppelgramError: arguments out of range.
    """
    if not 0 < confidence < 1:
        raise DoppelgramError(f"confidence is {confidence}; it must lie between 0 and 1")
    if n < 1 or not 0 <= successes <= n:
        raise DoppelgramError(f"{successes} successes out of {n} have no interval; at least one trial is needed")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    centre = p + z * z / (2 * n)
    half = z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
    # At 0 and n one end is the proportion itself; rounding would put it a hair inside.
    return (0.0 if successes == 0 else max(0.0, low)), (1.0 if successes == n else min(1.0, high))


def percentiles(replicates: Float64, value: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Percentile interval of bootstrap replicates (NaN ones left out), widened to hold ``value`` if need be."""
    valid = replicates[np.isfinite(replicates)]
    if not len(valid):
        return value, value
    low, high = np.quantile(valid, [(1 - confidence) / 2, (1 + confidence) / 2])
    return min(float(low), value), max(float(high), value)


def bootstrap_mean(values: Float64, *, seed: int) -> tuple[float, float]:
    """Interval of a mean over images: the images are drawn again with replacement.

    Args:
        values: (n,) one number an image, n >= 1.
        seed: the same seed gives the same interval.
    """
    rng, n = np.random.default_rng(seed), len(values)
    means = _drawn_means(lambda rows: values[rng.integers(0, n, size=(rows, n), dtype=np.int32)], n)
    return percentiles(means, float(values.mean()))


def bootstrap_balanced(correct: NDArray[np.bool_], classes: Int64, *, seed: int) -> tuple[float, float, float]:
    """Mean over classes of the share correct, with an interval from drawing images again within each class.

    Drawing n images of a class again, of which a share p is correct, makes the number of correct ones binomial,
    so no image needs to be drawn one by one.

    Args:
        correct: (n,), n >= 1.
        classes: (n,) class of each image.
        seed: the same seed gives the same interval.

    Returns:
        The value and both ends of its interval.
    """
    _, codes, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    recall = np.bincount(codes, weights=correct) / sizes
    rng, value = np.random.default_rng(seed), float(recall.mean())
    means = _drawn_means(lambda rows: rng.binomial(sizes, recall, size=(rows, len(sizes))) / sizes, len(sizes))
    return (value, *percentiles(means, value))


def _drawn_means(draw: Callable[[int], NDArray[Any]], width: int) -> Float64:
    """Means (`REPLICATES`,) of the rows (r, width) that ``draw`` gives, some of them in memory at a time."""
    rows = max(1, _CHUNK // width)
    parts = [draw(min(rows, REPLICATES - start)).mean(axis=1) for start in range(0, REPLICATES, rows)]
    return np.concatenate(parts)


def image_weights(images: int, *, seed: int, rows: int, replicates: int = REPLICATES) -> Iterator[Float64]:
    """Bootstrap weights of images in chunks of shape (<= rows, images): independent Poisson(1) counts.

    Poisson counts are the multinomial ones of drawing with replacement without their fixed sum, which does not
    matter to statistics that are shares (Owen and Eckles, Bootstrapping data arrays of arbitrary order, Annals of
    Applied Statistics 6, 2012).
    """
    rng = np.random.default_rng(seed)
    for start in range(0, replicates, rows):
        yield rng.poisson(1.0, size=(min(rows, replicates - start), images)).astype(np.float64)


def bootstrap_pairs(
    statistic: Callable[[Float64], Float64],
    left: Int64,
    right: Int64,
    *,
    seed: int,
    replicates: int = REPLICATES,
) -> Float64:
    """Replicates of pair statistics when images, not pairs, are drawn again.

    Pairs that share an image are not independent, so drawing pairs would give intervals that are too narrow. A pair
    weighs the product of its two images' weights, as in Owen and Eckles (2012): the interval errs on the wide side.

    Args:
        statistic: from weights of shape (r, p) to s statistics of shape (r, s).
        left: (p,) number of one image of each pair.
        right: (p,) number of the other.
        seed: the same seed gives the same replicates.
        replicates: how many times to draw.

    Returns:
        (replicates, s) float64.
    """
    images, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
    a, b = codes[: len(left)], codes[len(left) :]
    rows = max(1, min(replicates, _CHUNK // (4 * max(len(left), len(images)))))
    chunks = image_weights(len(images), seed=seed, rows=rows, replicates=replicates)
    return np.concatenate([statistic(weights[:, a] * weights[:, b]) for weights in chunks])
