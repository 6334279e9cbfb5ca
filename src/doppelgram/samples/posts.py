"""Rendering the posts of the sample world: pictures, posts.csv, truth.csv and keypoints.json."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

from doppelgram.errors import DoppelgramError
from doppelgram.samples.landmarks import LANDMARKS
from doppelgram.samples.output import fresh
from doppelgram.samples.photo import choose_view, take
from doppelgram.samples.process import Post, plan
from doppelgram.samples.scene import MARGIN, SUPERSAMPLE, shoot
from doppelgram.samples.skeleton import POSES

BARE = "_zz"


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Raise DoppelgramError unless ``low <= value <= high``."""
    if not low <= value <= high:
        raise DoppelgramError(f"{name} is {value}; give a number from {low} to {high}")


def render_posts(
    out: Path,
    *,
    posts: int = 240,
    places: int = 6,
    poses: int = 5,
    size: int = 160,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Render posts of people posing before landmarks, with a known history of who repeated whom.

    Writes ``<place>/<pose>/<number>.jpg``, six bare places each as ``<place>/_zz/<number>.jpg``, and

    - ``posts.csv``: path, place, pose, author, timestamp (ISO 8601, UTC);
    - ``truth.csv``: path, arrangement, parent, person, photo, for scoring and splitting only;
    - ``keypoints.json``: path -> 18 [x, y] pixels of the person, in OpenPose's order.

    The same arguments give the same files. Rows are sorted by path and numbers are shuffled, so neither tells time.

    Args:
        out: folder to write into; an earlier rendering there is replaced.
        posts: number of posts, bare places not counted.
        places: how many landmarks (1-12).
        poses: how many poses (1-10).
        size: side of the square pictures in pixels (32-1024).
        seed: which world.
        progress: called with 1 after each picture.

    Returns:
        ``out``.

    Raises:
        DoppelgramError: an argument is out of range, or ``out`` holds files that are not of an earlier rendering.
    """
    check_range("posts", posts, 1, 20_000)
    check_range("places", places, 1, len(LANDMARKS))
    check_range("poses", poses, 1, len(POSES))
    check_range("size", size, 32, 1024)
    check_range("seed", seed, 0, 2**63 - 1)
    out = Path(out)
    planned = plan(posts, places, list(POSES)[:poses], seed)
    with fresh(out) as folder:
        keypoints: dict[str, list[list[float]]] = {}
        by_view: dict[tuple[int, int], list[Post]] = {}
        for post in planned:
            by_view.setdefault((post.place, post.view), []).append(post)
        for (place, number), group in sorted(by_view.items()):
            photo = take(choose_view(LANDMARKS[place], number, seed), round(size * SUPERSAMPLE * MARGIN))
            for post in group:
                shot = shoot(photo, post, size, seed)
                path = folder / post_path(post)
                path.parent.mkdir(parents=True, exist_ok=True)
                shot.picture.save(path, quality=shot.quality)
                if shot.points is not None:
                    keypoints[post_path(post)] = [[round(float(v), 2) for v in point] for point in shot.points]
                if progress is not None:
                    progress(1)
        _write_tables(folder, planned, seed)
        lines = [f"{json.dumps(path)}: {json.dumps(keypoints[path])}" for path in sorted(keypoints)]
        (folder / "keypoints.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return out


def post_path(post: Post) -> str:
    """Where a post's picture lies, relative to the world's folder."""
    return f"{LANDMARKS[post.place].name}/{post.pose or BARE}/{post.number:05d}.jpg"


def _write_tables(folder: Path, planned: list[Post], seed: int) -> None:
    rows, truth = [], []
    for post in planned:
        path, place = post_path(post), LANDMARKS[post.place].name
        parent = "" if post.parent is None else post_path(planned[post.parent])
        pose = post.pose or BARE
        rows.append([path, place, pose, post.author, post.time.strftime("%Y-%m-%dT%H:%M:%SZ")])
        person = "" if post.person is None else f"person{post.person:03d}"
        truth.append(
            [path, f"{place}::{pose}", parent, person, choose_view(LANDMARKS[post.place], post.view, seed).name]
        )
    for name, head, table in (
        ("posts.csv", ["path", "place", "pose", "author", "timestamp"], rows),
        ("truth.csv", ["path", "arrangement", "parent", "person", "photo"], truth),
    ):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(head)
            writer.writerows(sorted(table))
