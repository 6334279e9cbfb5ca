from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.studies.role_model.pairs import NegativeRule, make_pairs


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
