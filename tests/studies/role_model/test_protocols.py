from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.samples.posts import render_posts
from doppelgram.studies.role_model.protocols import closed_protocol, open_protocol, protocol_pairs, read_grouped_posts


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_posts(tmp_path_factory.mktemp("posts") / "world", posts=240, places=6, poses=6, size=32, seed=3)


def made_up(posts: int = 600, persons: int = 150, photos: int = 300, seed: int = 0) -> Collection:
    """Posts that hang together: every person poses in one way, every photograph is of one place."""
    rng = np.random.default_rng(seed)
    person, photo = rng.integers(0, persons, posts), rng.integers(0, photos, posts)
    table = pd.DataFrame(
        {
            "path": [f"{n}.jpg" for n in range(posts)],
            "place": [f"place{n % 9}" for n in photo],
            "pose": [f"pose{n % 7}" for n in person],
            "person": [f"p{n}" for n in person],
            "photo": [f"f{n}" for n in photo],
        }
    )
    return Collection(Path("/posts"), table, "place+pose")


def shared(posts: Collection, parts: dict[str, np.ndarray], column: str) -> set[str]:
    values = {name: set(posts.column(column)[rows]) - {""} for name, rows in parts.items()}
    return (values["train"] & values["val"]) | (values["train"] & values["test"]) | (values["val"] & values["test"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_closed_parts_share_neither_person_nor_photo(seed: int) -> None:
    posts = made_up(seed=seed)
    protocol = closed_protocol(posts, seed=seed)
    rows = protocol.split.rows(posts)
    assert not shared(posts, rows, "person")
    assert not shared(posts, rows, "photo")
    kept = sum(len(part) for part in rows.values())
    assert kept + protocol.left_out == len(posts)
    # persons and photographs divided at random would keep 0.57² + 0.17² + 0.26² = 42 % of these posts
    assert kept > 0.6 * len(posts)
    for part, share in (("train", 0.57), ("val", 0.17), ("test", 0.26)):
        assert abs(len(rows[part]) / kept - share) < 0.12
        assert len(set(posts.column("pose")[rows[part]])) == 7
        assert len(set(posts.column("place")[rows[part]])) == 9


@pytest.mark.slow
def test_the_seed_decides() -> None:
    posts = made_up()
    for make in (closed_protocol, open_protocol):
        assert make(posts, seed=1).split == make(posts, seed=1).split
        assert make(posts, seed=1).split.parts != make(posts, seed=2).split.parts


def test_open_parts_share_neither_place_nor_pose() -> None:
    posts = made_up(900)
    protocol = open_protocol(posts)
    rows = protocol.split.rows(posts)
    for column in ("place", "pose", "person", "photo"):
        assert not shared(posts, rows, column), column
    assert protocol.left_out == len(posts) - sum(len(part) for part in rows.values()) > 0
    assert sorted(sum(protocol.places.values(), ())) == sorted(set(posts.column("place")))
    assert set(posts.column("pose")[rows["test"]]) == set(protocol.poses["test"])
    assert min(len(names) for names in (*protocol.places.values(), *protocol.poses.values())) >= 2


@pytest.mark.slow
def test_a_person_who_holds_two_poses_stands_in_one_part() -> None:
    posts = made_up(900)
    table = posts.table.copy()
    table.loc[table.sample(60, random_state=0).index, "person"] = "everybody"
    posts = Collection(posts.root, table, "place+pose")
    for protocol in (open_protocol(posts), closed_protocol(posts)):
        assert not shared(posts, protocol.split.rows(posts), "person")


def test_pairs_are_balanced_hard_and_apart() -> None:
    posts = made_up()
    pairs = protocol_pairs(posts, 400)
    place, pose = ((posts.column(name)[pairs.a] == posts.column(name)[pairs.b]) for name in ("place", "pose"))
    for column in ("person", "photo"):
        assert (posts.column(column)[pairs.a] != posts.column(column)[pairs.b]).all()
    assert len(pairs) == 400
    assert pairs.same.sum() == 200
    assert ((place & pose) == pairs.same).all()
    assert (place & ~pose).sum() == (~place & pose).sum() == 100
    assert len({frozenset(pair) for pair in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)}) == 400
    again = protocol_pairs(posts, 400)
    assert (again.a == pairs.a).all()
    assert (again.b == pairs.b).all()


def test_fewer_pairs_where_there_are_no_more() -> None:
    posts = made_up(60)
    pairs = protocol_pairs(posts, 4000)
    assert 0 < len(pairs) < 4000
    assert pairs.same.mean() == 0.5


@pytest.mark.slow
def test_the_sample_world_is_read_with_its_truth(world: Path, tmp_path: Path) -> None:
    posts = read_grouped_posts(world)
    bare = posts.column("pose") == ""
    assert (posts.column("person")[~bare] != "").all()
    assert (posts.column("photo")[~bare] != "").all()
    rows = closed_protocol(posts).split.rows(posts)
    assert not shared(posts, rows, "person")
    assert not shared(posts, rows, "photo")
    protocol = open_protocol(posts)
    lines = (world / "truth.csv").read_text().splitlines()
    ends = tmp_path / "ends.csv"
    ends.write_text("\n".join([lines[0], *(f"{line}," for line in lines[1:])]))  # rows end in a comma
    assert read_grouped_posts(world, ends).table.equals(posts.table)
    for part in ("train", "val", "test"):  # a bare place teaches, or is asked, where its place does
        images = posts.take(protocol.split.rows(posts)[part])
        assert set(images.column("place")) <= set(protocol.places[part])


def test_what_is_wrong_is_named(world: Path, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match=r"none\.csv: there is no such table"):
        read_grouped_posts(world, tmp_path / "none.csv")
    truth = pd.read_csv(world / "truth.csv", dtype=str, keep_default_na=False)
    file = tmp_path / "truth.csv"
    truth.drop(columns="photo").to_csv(file, index=False)
    with pytest.raises(DoppelgramError, match="no 'photo'"):
        read_grouped_posts(world, file)
    posed = truth[truth["person"] != ""]
    posed.iloc[1:].to_csv(file, index=False)
    with pytest.raises(DoppelgramError, match=f"the person of '{posed['path'].iloc[0]}' is not named"):
        read_grouped_posts(world, file)
    pd.concat([truth, truth.iloc[:1]]).to_csv(file, index=False)
    with pytest.raises(DoppelgramError, match="stands in an earlier row"):
        read_grouped_posts(world, file)
    few = made_up()
    few = few.take(np.isin(few.column("pose"), ["pose0", "pose1"]))
    with pytest.raises(DoppelgramError, match="needs six of each"):
        open_protocol(few)
