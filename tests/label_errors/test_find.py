"""Planted errors come to the top, each in its own list and once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram import DoppelgramError
from doppelgram.label_errors.duplicates import CopyGroup
from doppelgram.label_errors.find import AGREEMENT, KINDS, OUTLYING, Kind, LabelError, find_label_errors
from doppelgram.label_errors.neighbourhood import LabelledImages
from doppelgram.space import exact
from doppelgram.space.euclidean import EuclideanSpace


def found_in(
    points: np.ndarray,
    labels: np.ndarray,
    content: np.ndarray,
    *groups: CopyGroup,
    neighbours: int = 10,
    **columns: np.ndarray,
) -> dict[Kind, list[LabelError]]:
    """Label errors among points in Euclidean space."""
    images = LabelledImages(EuclideanSpace(points.shape[1]), points, labels, content, **columns)
    return find_label_errors(images, groups, neighbours=neighbours)


def clusters(
    classes: int, size: int, seed: int = 0, dim: int = 16, noise: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1.5, (classes, dim))
    truth = np.repeat(np.arange(classes), size)
    points = (centres[truth] + rng.normal(0, noise, (classes * size, dim))).astype(np.float32)
    return points, np.array([f"class{code}" for code in truth])


def names(count: int) -> np.ndarray:
    return np.array([f"{n:05d}" for n in range(count)])


def naive_margins(points: np.ndarray, labels: np.ndarray, k: int) -> list[tuple[float, str]]:
    """Vote margin and suggestion of every image, by loops."""
    n = len(points)
    distances = np.sqrt(((points[:, None].astype(float) - points[None]) ** 2).sum(axis=2))
    spreads = []
    for i in range(n):
        mates = sorted(distances[i, j] for j in range(n) if j != i and labels[j] == labels[i])[:k]
        if mates:
            spreads.append(np.mean(mates))
    scale = np.median(spreads)
    answers = []
    for i in range(n):
        near = sorted((distances[i, j], j) for j in range(n) if j != i)[:k]
        votes: dict[str, float] = {}
        for distance, j in near:
            votes[labels[j]] = votes.get(labels[j], 0.0) + np.exp(-(distance**2) / (2 * scale**2))
        own = votes.pop(labels[i], 0.0)
        best = max(votes, key=lambda name: votes[name]) if votes else ""
        total = own + sum(votes.values())
        answers.append(((votes.get(best, 0.0) - own) / (total + np.exp(-0.5)), best))
    return answers


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 12), classes=st.integers(2, 5))
def test_label_mistakes_equal_a_naive_vote(seed: int, k: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    points, labels = clusters(classes, 8, seed, dim=4, noise=0.8)
    flipped = rng.choice(len(labels), 4, replace=False)
    labels[flipped] = labels[rng.permutation(flipped)]
    expected = naive_margins(points, labels, k)
    found = found_in(points, labels, names(len(labels)), neighbours=k)["label"]
    assert {error.row for error in found} == {row for row, (margin, _) in enumerate(expected) if margin >= AGREEMENT}
    for error in found:
        assert error.score == pytest.approx(expected[error.row][0], abs=1e-5)
        assert error.suggested == expected[error.row][1]
    assert [error.score for error in found] == sorted((error.score for error in found), reverse=True)


def test_flipped_labels_come_first_with_the_right_class() -> None:
    points, truth = clusters(12, 40)
    rng = np.random.default_rng(1)
    flipped = rng.choice(len(truth), len(truth) // 20, replace=False)
    labels = truth.copy()
    for row in flipped:
        labels[row] = rng.choice([name for name in np.unique(truth) if name != truth[row]])
    found = found_in(points, labels, names(len(labels)))["label"]
    first = found[: 2 * len(flipped)]
    caught = [error for error in first if error.row in flipped]
    assert len(caught) >= 0.95 * len(flipped)
    assert len(first) <= 1.1 * len(flipped), "on clear classes hardly anything else is suspected"
    assert all(error.suggested == truth[error.row] for error in caught)
    assert all(str(truth[error.row]) in error.reason for error in caught)


def test_an_image_in_no_mans_land_is_an_outlier_and_no_label_mistake() -> None:
    points, labels = clusters(4, 20)
    points[7] += 12.0
    found = found_in(points, labels, names(80))
    assert found["label"] == []
    assert found["outlier"][0].row == 7
    assert found["outlier"][0].score >= OUTLYING
    assert labels[found["outlier"][0].others[0]] == labels[7]
    assert all(np.isfinite(error.distance) for errors in found.values() for error in errors)


def test_copies_with_other_labels_first_then_leaks_and_no_harmless_ones() -> None:
    points, labels = clusters(3, 10)
    parts = np.array((["train"] * 6 + ["val"] * 2 + ["test"] * 2) * 3)
    groups = [
        CopyGroup((0, 9), 0.0, True),  # one class, train and test
        CopyGroup((1, 2), 0.0, True),  # one class, both in train: harmless
        CopyGroup((3, 4, 15), 0.02, False),  # two classes
        CopyGroup((5, 16), 0.0, True),  # two classes, the same bytes
    ]
    found = found_in(points, labels, names(30), *groups, parts=parts)["copy"]
    assert [error.row for error in found] == [5, 3, 0]
    assert found[0].score == 1
    assert 0.9 < found[1].score < 1
    assert found[1].others == (15, 4), "what contradicts stands first"
    assert "class0 and class1" in found[1].reason
    assert "test and train" in found[2].reason
    assert "trained on" in found[2].reason


def test_files_with_the_same_bytes_do_not_vote_for_each_other() -> None:
    points, labels = clusters(3, 12)
    points = np.concatenate([points, np.repeat(points[:1], 11, axis=0)])
    labels = np.concatenate([labels, ["class1"] * 11])  # eleven copies of an image of class0, under another label
    content = np.concatenate([names(36), ["00000"] * 11])
    found = found_in(points, labels, content, CopyGroup((0, *range(36, 47)), 0.0, True))
    assert {error.row for error in found["label"]} == set(range(36, 47))
    assert all(error.suggested == "class0" for error in found["label"])
    assert found["copy"][0].others[:11] == tuple(range(36, 47))
    assert not any({error.row, *error.others} <= {0, *range(36, 47)} for error in found["pair"])


def test_nearest_wrong_pairs_are_the_nearest_and_come_once() -> None:
    points, labels = clusters(3, 15, noise=0.9)
    points[3] = points[20] + 0.01
    found = found_in(points, labels, names(45))
    suspects = {error.row for error in found["label"]}
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    distances[labels[:, None] == labels[None]] = np.inf
    distances[list(suspects)] = distances[:, list(suspects)] = np.inf
    if not suspects & {3, 20}:
        assert {found["pair"][0].row, found["pair"][0].others[0]} == {3, 20}
    best = found["pair"][0]
    assert best.distance == pytest.approx(distances.min(), abs=1e-5)
    listed = [row for error in found["pair"] for row in (error.row, *error.others)]
    assert len(listed) == len(set(listed))
    assert [m.distance for m in found["pair"]] == sorted(m.distance for m in found["pair"])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), block=st.integers(1, 60))
def test_the_answer_does_not_depend_on_blocks_and_names_an_image_once(seed: int, block: int) -> None:
    points, labels = clusters(4, 9, seed, dim=3, noise=1.2)
    found = found_in(points, labels, names(36))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "BLOCK_ELEMENTS", 36 * block)
        assert found == found_in(points, labels, names(36))
    assert list(found) == list(KINDS)
    for errors in found.values():
        rows = [error.row for error in errors]
        assert len(rows) == len(set(rows))
        assert all(0 <= error.score <= 1 for error in errors)


def test_only_what_is_asked_about_is_reported() -> None:
    points, labels = clusters(4, 20, noise=1.2)
    requested = np.arange(80) % 4 == 0
    found = found_in(points, labels, names(80), requested=requested)
    everything = found_in(points, labels, names(80))
    assert [m for m in everything["label"] if requested[m.row]] == found["label"]
    for errors in found.values():
        assert all(requested[error.row] for error in errors)


def test_classes_of_one_image() -> None:
    points, labels = clusters(3, 10)
    labels[4] = "Class0"  # a slip of the pen makes a class of its own
    found = found_in(points, labels, names(30))
    assert [(m.row, m.suggested) for m in found["label"]] == [(4, "class0")]
    assert "the only image" in found["label"][0].reason
    alone = found_in(points[:1], labels[:1], names(1))
    assert all(not errors for errors in alone.values())
    one_class = found_in(points[:10], np.array(["same"] * 10), names(10))
    assert not one_class["label"]
    assert not one_class["pair"]


def test_all_images_at_one_point() -> None:
    found = found_in(np.zeros((12, 3)), np.array(["a", "b"] * 6), names(12))
    assert all(np.isfinite(error.score) for errors in found.values() for error in errors)


def test_wrong_input_is_refused() -> None:
    points, labels = clusters(2, 3)
    with pytest.raises(DoppelgramError, match="6 embeddings but 5 labels"):
        found_in(points, labels[:5], names(6))
    with pytest.raises(DoppelgramError, match="row 2 has no label"):
        found_in(points, np.array(["a", "a", "", "b", "b", "b"]), names(6))
