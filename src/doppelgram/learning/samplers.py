"""Which images make up each batch of an epoch.

A sampler offers ``epoch_batches(epoch)``: a list of int64 index arrays, the same for the same seed and epoch,
whatever ran before. Every image is shown in every epoch; what is shown more than once is bounded and stated.
"""

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError

Indices = NDArray[np.int64]


class ShuffleSampler:
    """Every image once an epoch, in random order; for losses that look at each image and its class.

    Batches differ in size by one at most, so that no tiny batch is left at the end: n images make
    ceil(n / batch_size) batches.

    Args:
        labels: (n,) integer class codes.
        batch_size: most images in a batch.
        seed: not negative.
        min_per_class: a class with fewer images shows that many an epoch, each about as often; 0: each image once.
    """

    def __init__(self, labels: ArrayLike, batch_size: int, seed: int, min_per_class: int = 0) -> None:
        if not len(np.asarray(labels)):
            raise DoppelgramError("There are no images to draw batches from.")
        if batch_size < 1:
            raise DoppelgramError(f"A batch needs at least 1 image, not {batch_size}.")
        members = _rows_by_class(labels)
        self._small = [rows for rows in members if len(rows) < min_per_class]
        self._min_per_class = min_per_class
        self._count = sum(len(rows) for rows in members)
        shown = self._count + sum(min_per_class - len(rows) for rows in self._small)
        self._batches = -(-shown // batch_size)
        self._seed = _seed(seed)

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return self._batches

    def epoch_batches(self, epoch: int) -> list[Indices]:
        """Index batches of an epoch, which counts from 0."""
        random = np.random.default_rng([self._seed, epoch])
        again = [np.resize(random.permutation(rows), self._min_per_class)[len(rows) :] for rows in self._small]
        order = random.permutation(np.concatenate([np.arange(self._count), *again]))
        return list(np.array_split(order.astype(np.int64), self._batches))


class MPerClassSampler:
    """Batches of a few classes with a few images of each, so that every batch holds pairs to learn from.

    The images of each class are shuffled and cut into groups of ``per_class``; a batch is up to
    ``classes_per_batch`` groups, and each group's images are adjacent. The rules:

    * Every image is shown every epoch. The last group of a class is filled with further images of the class, taken
      evenly, so that a class of n images shows ceil(n / per_class) * per_class. A class with fewer images than a
      group repeats them; copies of an image make no true positive pair but serve as negatives.
    * The classes of a batch are distinct, unless a class has more groups than there are batches. Such a class is
      spread evenly, with different images in a batch, but at least one group of each batch is of another class. (If
      necessary there are more, smaller batches.)
    * Batches differ in size by two groups at most; rather than that the last one is small, all are a little smaller. A
      batch with a single class gets one extra group of another class, which is shown a second time.

    Args:
        labels: (n,) integer class codes.
        classes_per_batch: groups in a batch, at least 2.
        per_class: images in a group, at least 2.
        seed: not negative.

    Raises:
        DoppelgramError: fewer than two classes, or numbers too small to make pairs.
    """

    def __init__(self, labels: ArrayLike, classes_per_batch: int, per_class: int, seed: int) -> None:
        if classes_per_batch < 2:
            raise DoppelgramError(f"A batch needs at least 2 classes to compare, not {classes_per_batch}.")
        if per_class < 2:
            raise DoppelgramError(f"A batch needs at least 2 images of a class to make a pair, not {per_class}.")
        self._members = _rows_by_class(labels)
        if len(self._members) < 2:
            raise DoppelgramError("Learning what looks alike needs at least two classes; these images have one label.")
        self._per_class = per_class
        self._seed = _seed(seed)
        groups = np.array([-(-len(rows) // per_class) for rows in self._members])
        needed = -(-int(groups.sum()) // classes_per_batch)
        # one group of each batch is kept for a second class
        self._batches = max(needed, -(-int(groups.max()) // (classes_per_batch - 1)))

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return self._batches

    def epoch_batches(self, epoch: int) -> list[Indices]:
        """Index batches of an epoch, which counts from 0."""
        random = np.random.default_rng([self._seed, epoch])
        groups: list[Indices] = []
        owners: list[int] = []
        for owner in random.permutation(len(self._members)):
            cut = self._cut(self._members[owner], random)
            groups.extend(cut)
            owners.extend([int(owner)] * len(cut))
        # Dealt out like cards, groups of a class that follow one another fall into different batches.
        dealt = [list(range(start, len(groups), self._batches)) for start in range(self._batches)]
        spare = itertools.cycle(random.permutation(len(groups)).tolist())
        for batch in dealt:
            present = {owners[group] for group in batch}
            if len(present) == 1:
                batch.append(next(group for group in spare if owners[group] not in present))
        batches = [np.concatenate([groups[group] for group in batch]) for batch in dealt]
        return [batches[position] for position in random.permutation(len(batches))]

    def _cut(self, members: Indices, random: np.random.Generator) -> list[Indices]:
        """Shuffle a class and cut it into full groups."""
        order = random.permutation(members)
        total = -(-len(order) // self._per_class) * self._per_class
        return list(np.resize(order, total).reshape(-1, self._per_class))


def _rows_by_class(labels: ArrayLike) -> list[Indices]:
    """Positions of the images of each class, classes in order of their codes."""
    codes = np.asarray(labels)
    ends = np.unique(codes, return_counts=True)[1].cumsum()
    return np.split(np.argsort(codes, kind="stable").astype(np.int64), ends[:-1])


def _seed(seed: int) -> int:
    if seed < 0:
        raise DoppelgramError(f"The seed must not be negative, but is {seed}.")
    return int(seed)
