"""What `doppelgram serve` was given: a catalog, what a trace wrote, trainings, posts, or a folder of photographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from doppelgram.catalog.folder import CATALOG_FILE
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.training.history import find_runs

CATALOG, PHOTOGRAPHS, POSTS, RUNS = "catalog", "photographs", "posts", "runs"


@dataclass(frozen=True)
class Served:
    """What is served.

    Attributes:
        kind: ``catalog``, ``photographs``, ``posts`` or ``runs``; photographs and posts are indexed first.
        catalog: folder of the catalog, there or to be made; of trainings their own folder.
        data: the photographs or posts; None for a catalog or trainings.
        name: for titles.
    """

    kind: str
    catalog: Path
    data: Path | None
    name: str


def served(given: Path | str, catalog: Path | str | None = None, *, posts: bool | None = None) -> Served:
    """Find out what was given.

    Args:
        given: a catalog, a folder that a trace wrote, a training run or a folder of runs, posts, or photographs.
        catalog: where the catalog of photographs or posts is kept; by default beside the page, in the working
            directory, under the name of what was given.
        posts: whether what is given is to be read as posts; found out by default.

    Raises:
        DoppelgramError: there is no such thing, or it is empty.
    """
    path = Path(given).expanduser()
    if str(path).startswith("s3:"):
        raise DoppelgramError(f"{given}: the page keeps files beside the catalog, so it must lie in a folder")
    if not path.exists():
        raise DoppelgramError(f"{path}: there is no such catalog, folder or table")
    for folder in (path, path / "catalog"):
        if (folder / CATALOG_FILE).is_file():
            return Served(CATALOG, folder, None, path.resolve().name)
    if path.is_dir() and find_runs(path):
        return Served(RUNS, path, None, path.resolve().name)
    as_posts = _are_posts(path) if posts is None else posts
    if not as_posts:
        read_collection(path)  # what cannot be read is said before a catalog is made
    name = path.resolve().stem or "photographs"
    kept = Path(catalog).expanduser() if catalog is not None else Path(f"{name}-catalog")
    return Served(POSTS if as_posts else PHOTOGRAPHS, kept, path, name)


def _are_posts(path: Path) -> bool:
    """Whether authors and times are known of these photographs."""
    from doppelgram.dataset.posts.registry import read_posts

    try:
        read = read_posts(path)
    except DoppelgramError:
        return False
    return bool((read.authors != "").any() and read.table["timestamp"].notna().any())
