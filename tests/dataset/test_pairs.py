from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.pairs import NegativeRule, make_pairs, make_triplets, read_pairs
from doppelgram.errors import DoppelgramError


@pytest.fixture
def posts() -> Collection:
    rng = np.random.default_rng(0)
    n = 300
    table = pd.DataFrame(
        {
            "path": [f"{i}.jpg" for i in range(n)],
            "place": rng.choice(["rome", "giza", "bath"], n),
            "pose": rng.choice(["star", "tree", "", "lean"], n),
            "person": rng.integers(0, 40, n).astype(str),
        }
    )
    return Collection(Path("/data"), table, "place+pose")


def test_pairs_are_balanced_and_true(posts: Collection) -> None:
    pairs = make_pairs(posts, 401, seed=1)
    assert pairs.same.sum() == 201
    labels = posts.labels
    assert ((labels[pairs.a] == labels[pairs.b]) == pairs.same).all()
    assert (labels[pairs.a] != "").all()
    assert (pairs.a != pairs.b).all()
    again = make_pairs(posts, 401, seed=1)
    assert (again.a == pairs.a).all()
    assert (make_pairs(posts, 401, seed=2).a != pairs.a).any()


def test_hard_negatives_follow_the_rule_and_leaks_are_kept_out(posts: Collection) -> None:
    pairs = make_pairs(posts, 300, rule="same place, other pose", apart=["person"])
    place, pose, person = (posts.column(name) for name in ("place", "pose", "person"))
    a, b = pairs.a[~pairs.same], pairs.b[~pairs.same]
    assert (place[a] == place[b]).all()
    assert (pose[a] != pose[b]).all()
    assert (person[pairs.a] != person[pairs.b]).all()


def test_impossible_pairs_are_said_to_be(posts: Collection) -> None:
    one = posts.take([row for row, place in enumerate(posts.column("place")) if place == "rome"])
    with pytest.raises(DoppelgramError, match="different-label pairs"):
        make_pairs(one.with_label("place"), 10)
    with pytest.raises(DoppelgramError, match="same-label pairs"):
        make_pairs(posts.with_label("path"), 10)


@pytest.mark.parametrize("rule", ["same place", "place same", "same place other pose", "different pose"])
def test_bad_rules(rule: str) -> None:
    with pytest.raises(DoppelgramError, match="rule"):
        NegativeRule.parse(rule)


def test_triplets() -> None:
    labels = np.array(list("aaabbcd"))
    anchors, positives, negatives = make_triplets(labels, 50, seed=0)
    assert (labels[anchors] == labels[positives]).all()
    assert (anchors != positives).all()
    assert (labels[anchors] != labels[negatives]).all()
    assert set(anchors) == {0, 1, 2, 3, 4}
    for hopeless in (np.array(list("abc")), np.array(list("aaa"))):
        with pytest.raises(DoppelgramError, match="triplets need"):
            make_triplets(hopeless, 5)


def test_pairs_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("path_a,path_b,same\na.jpg,b.jpg,1\na.jpg,/x/c.jpg,False\n")
    left, right, same = read_pairs(file)
    assert left == [tmp_path / "a.jpg"] * 2
    assert right == [tmp_path / "b.jpg", Path("/x/c.jpg")]
    assert same.tolist() == [True, False]
    assert read_pairs(file, Path("/root"))[0][0] == Path("/root/a.jpg")
    file.write_text("path_a,path_b,same\na.jpg,b.jpg,1,\na.jpg,/x/c.jpg,False,\n")  # rows end in a comma
    assert read_pairs(file)[1] == right
    assert read_pairs(file)[2].tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path_a,same\nx,1\n", "no 'path_b'"),
        ("path_a,path_b,same\nx,y,maybe\n", "row 2: same is 'maybe'"),
        ("path_a,path_b,same\nx,y,1\n,y,1\n", "row 3: path_a is empty"),
        ("path_a,path_b,same\n", "no pairs"),
    ],
)
def test_bad_pair_files(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DoppelgramError, match=words):
        read_pairs(tmp_path / "p.csv")
