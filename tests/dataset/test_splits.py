from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.splits import (
    DEFAULT_FRACTIONS,
    make_split,
    own_split,
    read_split,
    small_classes,
    split_by_group,
    split_by_image,
)
from doppelgram.errors import DoppelgramError


def collection(labels: list[str], groups: list[str] | None = None) -> Collection:
    table = pd.DataFrame({"path": [f"{n}.jpg" for n in range(len(labels))], "label": labels})
    if groups is not None:
        table["group"] = groups
    return Collection(Path("/data"), table, "label")


def test_by_image_divides_every_class_alike() -> None:
    images = collection(["a"] * 50 + ["b"] * 15 + ["c"] * 3)
    rows = split_by_image(images, seed=3).rows(images)
    for name, train, val in (("a", 30, 10), ("b", 9, 3), ("c", 3, 0)):
        assert (images.labels[rows["train"]] == name).sum() == train
        assert (images.labels[rows["val"]] == name).sum() == val
        assert (images.labels[rows["test"]] == name).sum() == val
    assert sorted(np.concatenate(list(rows.values()))) == list(range(68))


def test_the_seed_decides() -> None:
    images = collection(["a"] * 40, [str(n // 3) for n in range(40)])
    for make in (lambda s: split_by_image(images, seed=s), lambda s: split_by_group(images, "group", seed=s)):
        assert make(1).parts == make(1).parts
        assert make(1).parts != make(2).parts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 12)), min_size=6, max_size=120), st.integers(0, 5))
def test_a_group_never_straddles(rows: list[tuple[str, int]], seed: int) -> None:
    images = collection([label for label, _ in rows], [str(group) for _, group in rows])
    split = split_by_group(images, "group", seed=seed)
    part = np.array([split.parts[name] for name in images.names])
    for group in set(images.column("group")):
        assert len(set(part[images.column("group") == group])) == 1
    assert len(part) == len(rows)


def test_by_group_keeps_shares_and_classes_even() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(list("abcdef"), 3000, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.05]).tolist()
    images = collection(labels, [str(group) for group in rng.integers(0, 900, 3000)])
    rows = split_by_group(images, "group").rows(images)
    for part, share in (("train", 0.6), ("val", 0.2), ("test", 0.2)):
        for name in "abcdef":
            have = (images.labels[rows[part]] == name).sum() / (images.labels == name).sum()
            assert abs(have - share) < 0.05, (part, name, have)


@pytest.mark.parametrize("per_class", [1, 2, 3, 7])
def test_shares_hold_also_where_classes_have_few_groups(per_class: int) -> None:
    labels = [f"c{n // 12}" for n in range(1200)]
    groups = [f"c{n // 12}g{n % per_class}" for n in range(1200)]
    images = collection(labels, groups)
    counts = split_by_group(images, "group").counts()
    for part, share in (("train", 0.6), ("val", 0.2), ("test", 0.2)):
        assert abs(counts[part] / 1200 - share) < 0.08, counts


def test_unknown_groups_stand_alone() -> None:
    images = collection(["a"] * 20, [""] * 19 + ["g"])
    assert len(set(split_by_group(images, "group").parts.values())) == 3
    with pytest.raises(DoppelgramError, match="empty in every row"):
        split_by_group(collection(["a"] * 3, [""] * 3), "group")
    with pytest.raises(DoppelgramError, match="no column 'photo'"):
        make_split(images, "photo")


def test_auto_takes_the_group_where_there_is_one() -> None:
    assert make_split(collection(["a"] * 5, list("xyzuv"))).by == "group"
    assert make_split(collection(["a"] * 5)).by == "image"


def test_classes_that_only_teach_are_extra_and_leak_nothing() -> None:
    images = collection(["a"] * 10 + ["b"] * 10, [str(n % 10) for n in range(20)])
    split = make_split(images, "group", evaluate_on=["a"])
    parts = np.array([split.parts.get(name, "") for name in images.names])
    assert set(parts[:10]) == {"train", "val", "test"}
    for n in range(10):  # image n and image n + 10 share a group
        assert parts[n + 10] == ("extra" if parts[n] == "train" else "")
    assert make_split(images, "image", evaluate_on=["a"]).counts()["extra"] == 10


def test_written_and_read_back(tmp_path: Path) -> None:
    images = collection(["a"] * 10)
    split = split_by_image(images)
    split.write(tmp_path / "new/split.csv")
    assert dict(read_split(tmp_path / "new/split.csv").parts) == dict(split.parts)
    assert not list(tmp_path.glob("**/*.part"))
    (tmp_path / "comma.csv").write_text("path,part\na,train,\nb,test,\n")
    assert dict(read_split(tmp_path / "comma.csv").parts) == {"a": "train", "b": "test"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path\na\n", "no 'part'"),
        ("path,part\na,train\nb,exam\n", "row 3: part 'exam'"),
        ("path,part\na,train\na,val\n", "row 3: the path 'a' stands"),
    ],
)
def test_bad_split_files(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(DoppelgramError, match=words):
        read_split(tmp_path / "s.csv")


def test_the_parts_that_images_come_with() -> None:
    def images(*parts: str) -> Collection:
        return Collection(Path("/x"), pd.DataFrame({"path": [str(n) for n in range(len(parts))], "part": parts}))

    split = own_split(images("train", "test", "extra"))
    assert split is not None
    assert dict(split.parts) == {"0": "train", "1": "test", "2": "extra"}
    for parts in (("train", ""), ("front", "back"), ()):
        assert own_split(images(*parts)) is None
    assert own_split(collection(["a"])) is None


def test_a_split_of_another_folder_is_refused() -> None:
    other = collection(["a"] * 4).take([0])
    split = split_by_image(other)
    strange = Collection(Path("/elsewhere"), pd.DataFrame({"path": ["z.jpg"], "label": ["a"]}), "label")
    with pytest.raises(DoppelgramError, match="none of the 1 images"):
        split.rows(strange)


def test_bad_shares() -> None:
    for shares in (
        {"train": 0.5, "val": 0.2, "test": 0.2},
        {"train": 0.0, "val": 0.5, "test": 0.5},
        {"train": 1.2, "val": -0.2},
    ):
        with pytest.raises(DoppelgramError, match="shares"):
            split_by_image(collection(["a"]), shares)
    with pytest.raises(DoppelgramError, match="'exam' is none"):
        split_by_image(collection(["a"]), {"train": 0.5, "exam": 0.5})


def test_small_classes_are_said_where_groups_are_kept_together_too(tmp_path: Path) -> None:
    def said(images: int, groups: int) -> str:
        rows = [(f"{label}{n}.png", label, f"{label}{n % groups}") for label in "abcd" for n in range(images)]
        table = pd.DataFrame(rows, columns=["path", "label", "group"])
        collection = Collection(tmp_path, table, "label")
        return small_classes(collection, make_split(collection), DEFAULT_FRACTIONS)

    assert "4 of 4 classes have fewer than 5 images" in said(2, 2)
    assert "fewer than 5 images" in said(4, 4)  # which the parts may share
    assert "or none in one of the parts train, val, test" in said(20, 2)  # many images, of two groups
    assert said(20, 10) == ""


def test_small_classes_are_said_and_may_be_kept_whole(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": [f"{n}.png" for n in range(60)], "label": [f"c{n // 3:02}" for n in range(60)]})
    collection = Collection(tmp_path, table, "label")
    drawn = make_split(collection, "image")
    assert drawn.counts() == {"train": 60}
    assert "20 of 20 classes have fewer than 5 images" in small_classes(collection, drawn, DEFAULT_FRACTIONS)
    whole = make_split(collection, "class")
    assert small_classes(collection, whole, DEFAULT_FRACTIONS) == ""
    assert whole.counts() == {"train": 36, "val": 12, "test": 12}
    parts = dict(zip(table["path"], table["label"], strict=True))
    by_part = {part: {parts[path] for path, one in whole.parts.items() if one == part} for part in whole.counts()}
    assert sum(map(len, by_part.values())) == 20
    with pytest.raises(DoppelgramError, match="no labels"):
        make_split(Collection(tmp_path, table[["path"]]), "class")
