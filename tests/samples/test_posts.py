import csv
import hashlib
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.samples.posts import render_posts

POSTS, PLACES, POSES, SIZE = 48, 4, 3, 64


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "posts"
    return render_posts(out, posts=POSTS, places=PLACES, poses=POSES, size=SIZE, seed=7)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_tables_have_the_agreed_columns_and_name_every_picture(world: Path) -> None:
    posts, truth = rows(world / "posts.csv"), rows(world / "truth.csv")
    assert list(posts[0]) == ["path", "place", "pose", "author", "timestamp"]
    assert list(truth[0]) == ["path", "arrangement", "parent", "person", "photo"]
    paths = [row["path"] for row in posts]
    assert paths == [row["path"] for row in truth] == sorted(set(paths))
    assert set(paths) == {p.relative_to(world).as_posix() for p in world.rglob("*.jpg")}
    for row in posts:
        assert row["path"].split("/")[:2] == [row["place"], row["pose"]]
        assert row["timestamp"].endswith("Z")
        assert datetime.fromisoformat(row["timestamp"]).utcoffset() is not None


def test_counts_and_sizes(world: Path) -> None:
    posts = rows(world / "posts.csv")
    poses = Counter(row["pose"] for row in posts)
    assert poses.pop("_zz") == 6 * PLACES
    assert poses.total() == POSTS
    assert len(poses) == POSES
    assert len({row["place"] for row in posts}) == PLACES
    arrangements = Counter((row["place"], row["pose"]) for row in posts if row["pose"] != "_zz")
    assert len(arrangements) == PLACES * POSES
    assert min(arrangements.values()) >= 2
    for row in posts:
        with Image.open(world / row["path"]) as image:
            assert (image.size, image.mode, image.format) == ((SIZE, SIZE), "RGB", "JPEG")


def test_truth_is_a_forest_in_time(world: Path) -> None:
    posts = {row["path"]: row for row in rows(world / "posts.csv")}
    truth = {row["path"]: row for row in rows(world / "truth.csv")}
    copies = [row for row in truth.values() if row["parent"]]
    assert len(copies) > POSTS / 3
    other_author = 0
    for row in copies:
        child, parent = posts[row["path"]], posts[row["parent"]]
        assert parent["timestamp"] < child["timestamp"]
        assert truth[row["parent"]]["arrangement"] == row["arrangement"] == f"{child['place']}::{child['pose']}"
        other_author += parent["author"] != child["author"]
    assert other_author >= 0.9 * len(copies)
    for name in {row["arrangement"] for row in truth.values() if row["person"]}:
        first = min((posts[p]["timestamp"], p) for p, row in truth.items() if row["arrangement"] == name)[1]
        assert truth[first]["parent"] == ""


def test_order_and_numbers_do_not_tell_the_time(world: Path) -> None:
    posts = rows(world / "posts.csv")
    when = np.argsort(np.argsort([row["timestamp"] for row in posts]))
    number = np.argsort(np.argsort([int(Path(row["path"]).stem) for row in posts]))
    assert abs(np.corrcoef(when, number)[0, 1]) < 0.35
    assert abs(np.corrcoef(when, np.arange(len(posts)))[0, 1]) < 0.35


def test_persons_belong_to_authors_and_groups_leave_room_for_a_split(world: Path) -> None:
    posts = {row["path"]: row for row in rows(world / "posts.csv")}
    truth = rows(world / "truth.csv")
    assert len({(row["person"], posts[row["path"]]["author"]) for row in truth if row["person"]}) == len(
        {row["person"] for row in truth if row["person"]}
    )
    assert len({row["photo"] for row in truth}) < len(truth) / 1.5
    assert all((row["person"] == "") == (posts[row["path"]]["pose"] == "_zz") for row in truth)
    root: dict[str, str] = {}

    def find(node: str) -> str:
        while root.setdefault(node, node) != node:
            node = root[node]
        return node

    for row in truth:
        for group in (row["person"], row["photo"]):
            if group:
                root[find(row["path"])] = find(group)
    sizes = Counter(find(row["path"]) for row in truth)
    assert max(sizes.values()) <= len(truth) * 0.5
    assert len(sizes) >= 4


def test_keypoints_are_of_the_people_and_lie_inside_the_frame(world: Path) -> None:
    found = json.loads((world / "keypoints.json").read_text(encoding="utf-8"))
    assert set(found) == {row["path"] for row in rows(world / "truth.csv") if row["person"]}
    points = np.array(list(found.values()))
    assert points.shape == (POSTS, 18, 2)
    assert ((points >= 0) & (points <= SIZE)).all(axis=2).mean() > 0.97
    nose, neck, ankles = points[:, 0], points[:, 1], points[:, [10, 13]]
    assert (nose[:, 1] < neck[:, 1]).all()
    assert (neck[:, 1] < ankles[..., 1].max(axis=1)).all()
    # the neck is the middle of the shoulders, and a body that faces us has its right side on the left
    np.testing.assert_allclose(neck, (points[:, 2] + points[:, 5]) / 2, atol=0.02)
    assert (points[:, 2, 0] < points[:, 5, 0]).all()


def test_a_copy_resembles_its_parent_more_than_the_rest_of_its_arrangement(world: Path) -> None:
    found = json.loads((world / "keypoints.json").read_text(encoding="utf-8"))
    truth = {row["path"]: row for row in rows(world / "truth.csv") if row["person"]}

    def body(path: str) -> np.ndarray:
        points = np.array(found[path])
        hips = (points[8] + points[11]) / 2
        points = (points - hips) / np.linalg.norm(points[1] - hips)
        return points[[3, 4, 6, 7, 9, 10, 12, 13]]

    def apart(a: str, b: str) -> float:
        return float(np.linalg.norm(body(a) - body(b), axis=1).mean())

    to_parent, to_other_pose = [], []
    for path, row in truth.items():
        if row["parent"]:
            to_parent.append(apart(path, row["parent"]))
            to_other_pose += [apart(path, p) for p in truth if p.split("/")[1] != path.split("/")[1]]
    assert np.median(to_parent) < 0.5 * np.median(to_other_pose)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    options = {"posts": 6, "places": 2, "poses": 2, "size": 48}
    seen: list[int] = []
    first = digest(render_posts(tmp_path / "a", **options, seed=1, progress=seen.append))
    assert seen == [1] * (6 + 12)
    assert digest(render_posts(tmp_path / "b", **options, seed=1)) == first
    other = digest(render_posts(tmp_path / "c", **options, seed=2))
    assert not set(other.values()) & {v for k, v in first.items() if k.endswith(".jpg")}


def test_a_second_run_replaces_the_first_and_spares_other_files(tmp_path: Path) -> None:
    options = {"posts": 4, "poses": 1, "size": 48}
    (tmp_path / "notes.txt").write_text("mine")
    render_posts(tmp_path, places=2, seed=3, **options)
    clean = digest(render_posts(tmp_path / "fresh", places=1, seed=4, **options))
    render_posts(tmp_path, places=1, seed=4, **options)
    again = {k: v for k, v in digest(tmp_path).items() if not k.startswith("fresh") and k != "notes.txt"}
    assert again == clean
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / ".rendering").exists()


def test_files_of_somebody_else_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("path\nmine.jpg\n")
    with pytest.raises(DoppelgramError, match=r"posts\.csv exists"):
        render_posts(tmp_path, posts=2, places=1, poses=1, size=32)
    assert (tmp_path / "posts.csv").read_text() == "path\nmine.jpg\n"
    assert [p.name for p in tmp_path.iterdir()] == ["posts.csv"]
    with pytest.raises(DoppelgramError, match="is a file"):
        render_posts(tmp_path / "posts.csv", posts=2, places=1, poses=1, size=32)


@pytest.mark.parametrize(
    ("name", "value"),
    [("places", 99), ("places", 0), ("poses", 99), ("posts", 0), ("size", 8), ("size", 5000), ("seed", -1)],
)
def test_an_argument_out_of_range_is_named(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(DoppelgramError, match=rf"{name} is {value}; give a number from"):
        render_posts(tmp_path / "out", **{name: value})
    assert not (tmp_path / "out").exists()


def test_one_post_in_one_place_is_a_world(tmp_path: Path) -> None:
    out = render_posts(tmp_path / "w", posts=1, places=1, poses=1, size=32)
    assert len(rows(out / "posts.csv")) == 7
