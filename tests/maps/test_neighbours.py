import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.maps.neighbours import count_wrong, nearest_labels


def naive(x: np.ndarray, labels: np.ndarray, asked: int, answers: list[int], ids: list[str]) -> str:
    best: list[tuple[float, bool, str]] = []
    for row in answers:
        if ids[row] != ids[asked] and labels[row]:
            distance = np.float32(np.linalg.norm(x[asked].astype(float) - x[row].astype(float)))
            best.append((float(distance), bool(labels[row] == labels[asked]), str(labels[row])))
    return min(best, key=lambda found: found[:2])[2] if best else ""


@given(st.integers(3, 9), st.integers(0, 10_000), st.booleans())
@settings(max_examples=150, deadline=None)
def test_judged_as_one_by_one(n: int, seed: int, divided: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, 2)).astype(np.float32)  # full of ties
    labels = rng.choice(["a", "b", "c", ""], n)
    parts = rng.choice(["train", "test"], n) if divided else np.full(n, "")
    ids = [str(number) for number in rng.integers(0, n, n)]
    found = nearest_labels(x, labels, parts, ids)
    trained = [i for i in range(n) if parts[i] == ("train" if (parts == "train").any() else "")]
    for i in range(n):
        mine = [j for j in range(n) if parts[j] == parts[i]]
        known = {labels[j] for j in trained if labels[j]}
        here = {labels[j] for j in mine if labels[j]}
        answers = trained if known and (known & here or not here) else mine
        wanted = naive(x, labels, i, answers, ids)
        assert (found.predicted[i] == labels[i]) == (wanted == labels[i])
        assert bool(found.predicted[i]) == bool(wanted)
    assert (found.wrong == (found.judged & (found.predicted != labels))).all()
    assert not found.judged[labels == ""].any()
    for i in range(n):
        mine = found.neighbours[i][found.neighbours[i] >= 0]
        assert all(ids[j] != ids[i] for j in mine)
        assert len(mine) == min(5, sum(other != ids[i] for other in ids))


def test_the_training_part_answers() -> None:
    x = np.array([[0.0], [10], [1], [9]], np.float32)
    labels = np.array(["a", "b", "b", "b"])
    found = nearest_labels(x, labels, np.array(["train", "train", "test", "test"]), list("wxyz"))
    assert found.predicted.tolist() == ["b", "a", "a", "b"]
    assert found.wrong.tolist() == [True, True, True, False]
    counts = count_wrong(found, np.array(["train", "train", "test", "test"]))
    assert list(counts) == ["train", "test"]
    assert counts["test"] == {"n": 2, "wrong": 1, "rate": 0.5}


def test_classes_that_were_never_taught_are_asked_of_each_other() -> None:
    x = np.array([[0.0], [0.1], [5], [5.1]], np.float32)
    found = nearest_labels(
        x, np.array(["a", "a", "new", "new"]), np.array(["train", "train", "test", "test"]), list("wxyz")
    )
    assert not found.wrong.any()


def test_images_without_labels_are_predicted_and_not_judged() -> None:
    x = np.array([[0.0], [0.1], [0.2]], np.float32)
    found = nearest_labels(x, np.array(["a", "a", ""]), np.array(["train", "train", "new"]), list("xyz"))
    assert found.predicted.tolist() == ["a", "a", "a"]
    assert found.judged.tolist() == [True, True, False]


def test_a_copy_of_the_image_is_no_answer() -> None:
    x = np.array([[0.0], [0.0], [3]], np.float32)
    found = nearest_labels(
        x, np.array(["a", "a", "b"]), np.array(["train", "test", "train"]), ["same", "same", "other"]
    )
    assert found.predicted[1] == "b"
