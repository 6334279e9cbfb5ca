"""Samplers: every image every epoch, distinct classes, bounded repetition, and the same again from a seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from doppelgram.errors import DoppelgramError
from doppelgram.learning.samplers import MPerClassSampler, ShuffleSampler


def labels_of(sizes: list[int]) -> np.ndarray:
    """Codes 0, 1, ... with so many images each, in mixed order."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=15), st.integers(2, 6), st.integers(2, 5), st.integers(0, 10**6)
)
@example([1, 1], 2, 2, 0)
@example([100, 1], 8, 4, 0)
@example([100, 1, 1], 2, 4, 0)
@example([64, 2, 2, 2, 2, 2, 2, 2, 2, 48], 4, 4, 1)
@example([1] * 15, 4, 3, 1)
def test_rules_of_m_per_class(sizes: list[int], classes_per_batch: int, per_class: int, seed: int) -> None:
    labels = labels_of(sizes)
    sampler = MPerClassSampler(labels, classes_per_batch, per_class, seed)
    batches = sampler.epoch_batches(3)
    groups = [-(-size // per_class) for size in sizes]
    count = len(batches)
    assert count == len(sampler)
    assert count == max(-(-sum(groups) // classes_per_batch), -(-max(groups) // (classes_per_batch - 1)))

    shown = np.concatenate(batches)
    assert shown.dtype == np.int64
    assert set(shown.tolist()) == set(range(len(labels))), "every image, every epoch"

    lengths = [len(batch) // per_class for batch in batches]
    assert max(lengths) <= classes_per_batch
    assert max(lengths) - min(lengths) <= 2
    assert all(len(batch) % per_class == 0 for batch in batches)
    lent = len(shown) // per_class - sum(groups)
    assert 0 <= lent <= count
    if max(groups) <= count and sum(groups) >= 2 * count:
        assert lent == 0
        assert len(shown) == sum(groups) * per_class

    for batch in batches:
        owners = labels[batch].reshape(-1, per_class)
        assert (owners == owners[:, :1]).all(), "a group is of one class"
        stands = Counter(owners[:, 0].tolist())
        assert len(stands) >= 2, "there is always a negative"
        for code, times in stands.items():
            assert times <= -(-groups[code] // count), "a class is spread over the batches as evenly as can be"
        for group, code in zip(batch.reshape(-1, per_class), owners[:, 0], strict=True):
            assert len(set(group.tolist())) == min(per_class, sizes[code]), "repeats only where a class is too small"


@given(st.lists(st.integers(2, 12), min_size=8, max_size=20), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_images_of_one_class_are_shown_evenly(sizes: list[int], seed: int) -> None:
    labels = labels_of(sizes)
    shown = Counter(np.concatenate(MPerClassSampler(labels, 4, 4, seed).epoch_batches(0)).tolist())
    for code, size in enumerate(sizes):
        times = [shown[image] for image in np.flatnonzero(labels == code).tolist()]
        assert sum(times) == -(-size // 4) * 4
        assert max(times) - min(times) <= 1


def test_one_class_with_half_the_images() -> None:
    labels = labels_of([200] + [4] * 50)
    batches = MPerClassSampler(labels, 8, 4, seed=5).epoch_batches(0)
    assert sorted(len(batch) for batch in batches) == [28] * 4 + [32] * 9  # 100 groups over 13 batches
    assert sum(map(len, batches)) == 400  # nothing shown twice
    assert {int((labels[batch] == 0).sum()) for batch in batches} <= {12, 16}  # 50 of the groups


def test_a_singleton_stands_as_copies_among_other_classes() -> None:
    labels = np.array([0, 1, 1, 1, 2, 2, 2])
    for batch in MPerClassSampler(labels, 3, 3, seed=0).epoch_batches(0):
        assert Counter(labels[batch].tolist()) == {0: 3, 1: 3, 2: 3}
        assert batch.tolist().count(0) == 3


@pytest.mark.parametrize("make", [lambda y, s: MPerClassSampler(y, 4, 3, s), lambda y, s: ShuffleSampler(y, 10, s)])
def test_same_seed_and_epoch_same_batches(make: object) -> None:
    assert callable(make)
    labels = labels_of([5, 9, 2, 1, 7, 12])

    def flat(seed: int, epoch: int) -> list[list[int]]:
        return [batch.tolist() for batch in make(labels, seed).epoch_batches(epoch)]

    used = make(labels, 1)
    used.epoch_batches(0)
    assert [batch.tolist() for batch in used.epoch_batches(4)] == flat(1, 4), "earlier epochs leave no trace"
    assert flat(1, 4) != flat(1, 5)
    assert flat(1, 4) != flat(2, 4)


def test_neighbours_change_from_epoch_to_epoch() -> None:
    labels = labels_of([4] * 40)
    sampler = MPerClassSampler(labels, 4, 4, seed=0)
    met = {frozenset(set(labels[batch].tolist())) for epoch in range(20) for batch in sampler.epoch_batches(epoch)}
    assert len(met) > 190  # 200 batches of four classes out of forty


@given(st.integers(1, 100), st.integers(1, 40), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_shuffle_shows_every_image_once(count: int, batch_size: int, epoch: int) -> None:
    sampler = ShuffleSampler(np.zeros(count), batch_size, seed=3)
    batches = sampler.epoch_batches(epoch)
    lengths = [len(batch) for batch in batches]
    assert len(batches) == len(sampler) == -(-count // batch_size)
    assert max(lengths) <= batch_size
    assert max(lengths) - min(lengths) <= 1
    assert sorted(np.concatenate(batches).tolist()) == list(range(count))


def test_shuffle_shows_small_classes_again() -> None:
    labels = labels_of([1, 3, 8, 20])
    sampler = ShuffleSampler(labels, 10, seed=3, min_per_class=8)
    batches = sampler.epoch_batches(2)
    assert len(batches) == len(sampler) == 5
    shown = np.bincount(np.concatenate(batches), minlength=32)
    assert np.bincount(labels, weights=shown).tolist() == [8, 8, 8, 20]
    assert sorted(shown[labels == 1].tolist()) == [2, 3, 3]
    assert (shown[labels >= 2] == 1).all()


@pytest.mark.parametrize(
    ("labels", "classes_per_batch", "per_class", "seed", "message"),
    [
        ([0, 0, 0, 0], 4, 2, 0, "at least two classes"),
        ([], 4, 2, 0, "at least two classes"),
        ([0, 1], 1, 2, 0, "at least 2 classes to compare, not 1"),
        ([0, 1], 2, 1, 0, "at least 2 images of a class to make a pair, not 1"),
        ([0, 1], 2, 2, -1, "seed must not be negative"),
    ],
)
def test_impossible_batches_are_refused(
    labels: list[int], classes_per_batch: int, per_class: int, seed: int, message: str
) -> None:
    with pytest.raises(DoppelgramError, match=message):
        MPerClassSampler(np.array(labels, dtype=np.int64), classes_per_batch, per_class, seed)


def test_impossible_shuffles_are_refused() -> None:
    with pytest.raises(DoppelgramError, match="no images"):
        ShuffleSampler([], 4, 0)
    with pytest.raises(DoppelgramError, match="at least 1 image"):
        ShuffleSampler([0, 1], 0, 0)
