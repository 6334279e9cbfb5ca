"""The exercise's questions, answered from its numbers: what mining changes, what size suffices, what maps show.

Every sentence is composed from figures of the test part. Differences are paired: both networks see the same images,
and what is drawn again for the interval are panoramas or photographs, not answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from doppelgram.comparison.result import Interval
from doppelgram.evaluation.intervals import image_weights, percentiles
from doppelgram.numbers import listing, number, percent, points
from doppelgram.studies.lookalike.neighbourhood import CAPTIONS, PCA, TSNE, Neighbourhood

_DRAWS = 1000
# A map that answers wrongly for fewer of the test images than this, beyond those of the space, tells classes like it.
_NEARLY = 0.05
# Whether the map by t-SNE and the one by PCA do.
_MAPS = {
    (True, True): "Both maps keep the classes apart about as well as the space does.",
    (True, False): "The map by t-SNE keeps the classes apart about as well as the space does; the one by PCA lays "
    "classes over each other that the space keeps apart.",
    (False, True): "The map by PCA keeps the classes apart about as well as the space does; the one by t-SNE mixes "
    "classes that the space keeps apart.",
    (False, False): "Both maps mix classes that the space keeps apart: do not read them as the space itself.",
}


class Mined(NamedTuple):
    """What mining changes in one network on one data set: each miner beside triplets drawn at random.

    Attributes:
        title: of the data set and the network.
        random: the space trained on random triplets.
        mined: by the miner's name in words.
        baseline: the space of the contrastive loss.
        troubled: names in words of the trainings that reported a problem, such as a collapse.
    """

    title: str
    random: Neighbourhood
    mined: dict[str, Neighbourhood]
    baseline: Neighbourhood
    troubled: Sequence[str] = ()


class Sized(NamedTuple):
    """One network in all its sizes on one data set.

    Attributes:
        title: of the data set and the network.
        neighbourhoods: by number of dimensions.
    """

    title: str
    neighbourhoods: dict[int, Neighbourhood]


def difference(one: Neighbourhood, other: Neighbourhood, *, seed: int = 0) -> Interval:
    """How much more often the nearest image is right in one space than in the other, of the same test images.

    The interval is of a bootstrap over units (panoramas or images): a unit's images are drawn together.
    """
    gain = one.right.astype(np.float64) - other.right.astype(np.float64)
    sums, sizes = np.bincount(one.units, weights=gain), np.bincount(one.units).astype(np.float64)
    weights = np.concatenate(list(image_weights(len(sums), seed=seed, rows=200, replicates=_DRAWS)))
    drawn = weights @ sums / np.maximum(weights @ sizes, 1)
    value = float(gain.mean())
    return Interval(value, *percentiles(drawn, value))


def mining_answers(found: Sequence[Mined]) -> list[str]:
    """What mining changes, a sentence a data set and network."""
    texts = []
    for one in found:
        parts = []
        for name, space in one.mined.items():
            gain = difference(space, one.random)
            parts.append(f"{name} {_gain(gain)}")
        beside = difference(one.random, one.baseline)
        text = (
            f"{one.title}: beside triplets drawn at random ({percent(float(one.random.right.mean()))} right), "
            f"{listing(parts)}. Beside the contrastive baseline, drawing triplets at random {_gain(beside)}."
        )
        if one.troubled:
            text += (
                f" Training reported a problem with {listing(one.troubled)} (see the warnings below): with another "
                "learning rate the figures may be others."
            )
        texts.append(text)
    return texts


def _gain(gain: Interval) -> str:
    if not gain.decided:
        return f"shows no clear difference, {points(*gain)}"
    return f"gains {points(*gain)}" if gain.value > 0 else f"loses {points(-gain.value, -gain.high, -gain.low)}"


def size_answers(found: Sequence[Sized]) -> list[str]:
    """Whether two dimensions suffice, a sentence a data set and network, and what the data sets differ in."""
    texts = []
    for one in found:
        smallest, largest = min(one.neighbourhoods), max(one.neighbourhoods)
        if smallest == largest:
            texts.append(f"{one.title}: trained with {largest} dimensions only. {_directions(one, largest)}".strip())
            continue
        few, many = (percent(float(one.neighbourhoods[dim].right.mean())) for dim in (smallest, largest))
        lost = difference(one.neighbourhoods[largest], one.neighbourhoods[smallest])
        text = (
            f"{one.title}: with {smallest} dimensions {few} are right, with {largest} {many}; "
            f"the difference is {points(*lost)}. {_level(one, largest)} {_directions(one, largest)}"
        )
        texts.append(text.strip())
    return texts


def _level(one: Sized, largest: int) -> str:
    """From which size on no loss can be seen, for that size and every larger one."""
    level = largest
    for dim in sorted(one.neighbourhoods, reverse=True)[1:]:
        if difference(one.neighbourhoods[largest], one.neighbourhoods[dim]).low > 0:
            break
        level = dim
    if level < largest:
        return f"From {level} dimensions on these test images show no loss."
    return f"Already the next smaller size is worse than {largest}."


def _directions(one: Sized, largest: int) -> str:
    directions = one.neighbourhoods[largest].directions
    if not np.isfinite(directions):
        return ""
    return (
        f"In the space of {largest} dimensions the class means spread in about {number(directions)} directions "
        "(participation ratio)."
    )


def map_answers(found: Sequence[Sized]) -> list[str]:
    """What the maps show of the largest space, a sentence a data set and network."""
    texts = []
    for one in found:
        full = one.neighbourhoods[max(one.neighbourhoods)]
        if not {PCA, TSNE} <= set(full.on_map):
            continue
        shares = {method: float(full.on_map[method].mean()) for method in (PCA, TSNE)}
        here = float(full.right.mean())
        kept = {method: here - share < _NEARLY for method, share in shares.items()}
        texts.append(
            f"{one.title}: in {max(one.neighbourhoods)} dimensions the nearest training image of a test image is right "
            f"for {percent(here)}; on the map {CAPTIONS[TSNE]} for {percent(shares[TSNE])}, {CAPTIONS[PCA]}, whose "
            f"axes hold {percent(full.plane, 0)} of the variance, for {percent(shares[PCA])}. "
            + _MAPS[kept[TSNE], kept[PCA]]
        )
    return texts
