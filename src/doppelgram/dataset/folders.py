"""Folders of images: what lies below one, and what its depth and its folders' names say of each image."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

from doppelgram.dataset.collection import BARE, Collection
from doppelgram.dataset.image_table import columns_by_path, match_paths, read_image_table
from doppelgram.dataset.tables import table_in
from doppelgram.dataset.times import Clock
from doppelgram.errors import DoppelgramError

IMAGE_ENDINGS = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
)
OUR_MARKS = ("run.json", "metrics.json", "catalog.json")  # of runs, reports and catalogs kept beside the images
PART_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def _more(names: list[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""


def list_images(folder: Path, table: Path | None = None) -> tuple[list[tuple[str, ...]], list[str]]:
    """Image files below a folder as tuples of path parts, sorted, and notes about what, besides ``table``, is left."""
    images: list[tuple[str, ...]] = []
    other = undecodable = 0
    ours: list[str] = []
    closed: list[str] = []
    seen = {os.path.realpath(folder)}
    for parent, folders, files in os.walk(
        folder, followlinks=True, onerror=lambda problem: closed.append(str(problem.filename))
    ):
        entered = []
        for name in sorted(folders):
            place = os.path.join(parent, name)
            real = os.path.realpath(place)
            if name.startswith(".") or real in seen:  # a link that leads back would never end
                continue
            if any(os.path.isfile(os.path.join(place, mark)) for mark in OUR_MARKS):
                ours.append(name)
                continue
            seen.add(real)
            entered.append(name)
        folders[:] = entered
        inside = Path(parent).relative_to(folder).parts
        for name in files:
            if name.startswith("."):
                continue
            if os.path.splitext(name)[1].lower() not in IMAGE_ENDINGS:
                other += table is None or Path(parent, name) != table
                continue
            parts = (*inside, name)
            try:
                "/".join(parts).encode("utf-8")
            except UnicodeEncodeError:
                undecodable += 1
                continue
            images.append(parts)
    notes = []
    if other:
        notes.append(f"{other} file{'s' * (other > 1)} without an image's ending left aside")
    if ours:
        notes.append(f"folder {ours[0]!r} was written by doppelgram and is left aside" + _more(ours))
    if closed:
        notes.append(f"folder {closed[0]!r} cannot be opened and is left aside" + _more(closed))
    if undecodable:
        notes.append(
            f"{undecodable} file{'s' * (undecodable > 1)} whose name is not valid UTF-8 left aside: rename to use"
        )
    return sorted(images), notes


def read_folder(folder: Path, clock: Clock) -> Collection:
    """The images below a folder, sorted, with the columns that the layout gives.

    A table called ``posts`` in the folder adds ``author`` and ``timestamp``.

    Raises:
        DoppelgramError: there are no images, they lie too deep, or the table cannot be used.
    """
    posts = table_in(folder, "posts")
    images, notes = list_images(folder, posts)
    if not images:
        raise DoppelgramError(
            f"{folder}: there are no images in this folder (endings: {', '.join(sorted(IMAGE_ENDINGS))})"
        )
    depths = [len(parts) - 1 for parts in images]
    # The layout is that of most images: one stray file at the top must not turn 6,000 labels into none.
    depth = max(set(depths), key=lambda d: (depths.count(d), d))
    level = _parts_level(folder, images) if depth in (1, 2) else None
    if level is not None:
        depth = 2 if any(len(parts) == 3 for parts in images) else 1
    stray = [parts for parts in images if len(parts) - 1 != depth]
    if depth > 2:
        raise DoppelgramError(
            f"{folder}: images lie {depth} folders deep; use <class>/<image>, <place>/<pose>/<image>, or a table"
        )
    if stray:
        shown = "/".join(stray[0])
        notes.append(f"{len(stray)} image{'s' * (len(stray) > 1)} outside the layout left aside, such as {shown!r}")
        images = [parts for parts in images if len(parts) - 1 == depth]
    table = pd.DataFrame({"path": ["/".join(parts) for parts in images]}, dtype=str)
    label = ""
    if level is not None:
        label = _divide(table, images, level, notes)
    elif depth == 1:
        lfw = all(re.fullmatch(re.escape(kind) + r"_\d{4,}", Path(name).stem) for kind, name in images)
        label = "identity" if lfw else "label"
        table[label] = [parts[0] for parts in images]
        if not lfw and (groups := _sources(images)):
            table["group"] = groups
    elif depth == 2:
        label = "place+pose"
        table["place"] = [parts[0] for parts in images]
        table["pose"] = ["" if parts[1] == BARE else parts[1] for parts in images]
    if posts is not None:
        table, notes = _with_posts(table, notes, posts, clock)
    return Collection(folder, table, label, tuple(notes))


def _with_posts(table: pd.DataFrame, notes: list[str], file: Path, clock: Clock) -> tuple[pd.DataFrame, list[str]]:
    """The images with the authors and times that a table beside them names, and what of it names none of them."""
    posts = read_image_table(file, clock)
    names = [name for name in ("author", "timestamp") if name in posts.table]
    strange = int((match_paths(posts.names, table["path"]) < 0).sum())
    if strange:
        notes = [*notes, f"{file.name}: {strange:,} of its {len(posts):,} rows name no image of this folder"]
    return pd.concat([table, columns_by_path(table["path"], posts.table, names)], axis=1), [*notes, *posts.notes]


def _part_of(name: str) -> str:
    return PART_FOLDERS.get(name.casefold(), "")


def _parts_level(folder: Path, images: list[tuple[str, ...]]) -> int | None:
    """Which level of folders is the parts of a split: 0, ``train/<class>``, 1, ``<class>/train``, or neither.

    Raises:
        DoppelgramError: folders of another name lie beside ``train/<class>`` and another part.
    """
    deep = [parts for parts in images if len(parts) == 3]
    tops = {parts[0] for parts in images if len(parts) > 1}
    for level, names in enumerate((tops, {parts[1] for parts in deep})):
        parts = {_part_of(name) for name in names} - {""}
        if "train" not in parts or len(parts) < 2:
            continue
        others = sorted(name for name in names if not _part_of(name))
        if not others:
            return level
        if level == 0 and any(_part_of(top) for top, *_ in deep):
            known = " and ".join(repr(name) for name in sorted(names - set(others)))
            raise DoppelgramError(
                f"{folder}: the folders {known} look like the parts of a split, but {others[0]!r}{_more(others)} "
                "beside them does not; move it elsewhere, or name path, label and part of each image in a table"
            )
    return None


def _divide(table: pd.DataFrame, images: list[tuple[str, ...]], level: int, notes: list[str]) -> str:
    """Add, from the folders' names, the part of each image and, where there are two levels, its class: the label."""
    labelled = len(images[0]) == 3
    if labelled:
        table["identity"] = pd.Series([parts[1 - level] for parts in images], dtype=str)
    table["part"] = pd.Series([_part_of(parts[level]) for parts in images], dtype=str)
    counts = table["part"].value_counts()
    shown = ", ".join(f"{part} {counts[part]}" for part in ("train", "val", "test") if part in counts)
    names = sorted({parts[level] for parts in images}, key=lambda name: list(PART_FOLDERS).index(name.casefold()))
    classes = f"the folders {'above' if level else 'below'} them as classes" if labelled else "without classes"
    notes.append(f"{', '.join(map(repr, names))} are read as the parts of a split, {classes} ({shown})")
    return "identity" if labelled else ""


def _sources(images: list[tuple[str, ...]]) -> list[str]:
    """The source of each image where names are ``<source>_<number>``, or nothing.

    ``IMG_0001.jpg`` has that form too: a camera's prefix is no source. Sources are believed only if most classes have
    three of them or more.
    """
    matches = [re.fullmatch(r"(.+)_\d+", Path(name).stem) for _, name in images]
    if not all(matches):
        return []
    groups = [match.group(1) for match in matches if match]
    by_class: dict[str, set[str]] = {}
    for (kind, _), group in zip(images, groups, strict=True):
        by_class.setdefault(kind, set()).add(group)
    finer = sum(len(found) >= 3 for found in by_class.values())
    return groups if 2 * finer > len(by_class) else []
