"""Folders of images: what lies below one, and what its depth and its folders' names say of each image."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from doppelgram.dataset.collection import BARE, Collection
from doppelgram.dataset.image_table import columns_by_path, match_paths, read_image_table
from doppelgram.dataset.left import LeftAside, left_notes
from doppelgram.dataset.listing import IMAGE_ENDINGS, Listing, list_files
from doppelgram.dataset.tables import table_in
from doppelgram.dataset.times import Clock
from doppelgram.errors import DoppelgramError

_YEAR = re.compile(r"(19|20)\d\d")
_MONTH = re.compile(r"(0?[1-9]|1[0-2])([ ._-].*)?|(19|20)\d\d[._-]?\d\d([._-]?\d\d)?([ ._-].*)?", re.IGNORECASE)
_DAY = re.compile(r"(19|20)\d\d[._-]\d\d([._-]\d\d)?|(19|20)\d{6}")
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


def read_folder(folder: Path, clock: Clock, level: int = 0) -> Collection:
    """The images below a folder, sorted, with the columns that the layout gives.

    A table called ``posts`` in the folder adds ``author`` and ``timestamp``. A library, whose folders are dates or lie
    deeper than places and poses, has no labels unless ``level`` says which folder's name is one: 1 is the topmost.

    Raises:
        DoppelgramError: there are no images, they lie too deep, or the table cannot be used.
    """
    posts = table_in(folder, "posts")
    listing = list_files(folder)
    images, notes = listing.images, list(left_notes([*listing.left, *_others(listing, posts)]))
    if not images:
        raise DoppelgramError(
            f"{folder}: there are no images in this folder (endings: {', '.join(sorted(IMAGE_ENDINGS))})"
        )
    tables = [file for file in listing.tables if file != posts and file.parent == folder]
    if tables and not level and all(len(parts) == 1 for parts in images):
        raise DoppelgramError(
            f"{tables[0]}: this table lies beside the images and is not read with the folder; give the table itself "
            "(its columns path and label), or move it elsewhere"
        )
    if level or _is_library(images):
        return _library(folder, images, notes, level, posts, clock)
    depths = [len(parts) - 1 for parts in images]
    # The layout is that of most images: one stray file at the top must not turn 6,000 labels into none.
    depth = max(set(depths), key=lambda d: (depths.count(d), d))
    split = _parts_level(folder, images) if depth in (1, 2) else None
    if split is not None:
        depth = 2 if any(len(parts) == 3 for parts in images) else 1
    stray = [parts for parts in images if len(parts) - 1 != depth]
    if stray:
        shown = "/".join(stray[0])
        notes.append(f"{len(stray)} image{'s' * (len(stray) > 1)} outside the layout left aside, such as {shown!r}")
        images = [parts for parts in images if len(parts) - 1 == depth]
    table = pd.DataFrame({"path": ["/".join(parts) for parts in images]}, dtype=str)
    label = ""
    if split is not None:
        label = _divide(table, images, split, notes)
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


def _is_library(images: list[tuple[str, ...]]) -> bool:
    """Whether most images lie three folders deep or more, or in folders of years and months, or of days."""
    deep = sum(len(parts) > 3 for parts in images)
    dated = sum(
        (len(parts) == 3 and bool(_YEAR.fullmatch(parts[0]) and _MONTH.fullmatch(parts[1])))
        or (len(parts) == 2 and bool(_DAY.fullmatch(parts[0])))
        for parts in images
    )
    return 2 * (deep + dated) > len(images)


def _library(
    folder: Path, images: list[tuple[str, ...]], notes: list[str], level: int, posts: Path | None, clock: Clock
) -> Collection:
    """All images of a library, without labels, or labelled by the folder at a level."""
    deepest = max(len(parts) - 1 for parts in images)
    label = ""
    if level:
        kept = [parts for parts in images if len(parts) > level]
        if not kept:
            raise DoppelgramError(f"{folder}: no image lies {level} folders deep; --label-level is 1 to {deepest}")
        if len(kept) < len(images):
            shown = "/".join(next(parts for parts in images if len(parts) <= level))
            notes.append(f"{len(images) - len(kept):,} left aside (not so many folders deep): {shown!r}")
        images, label = kept, level_column(level)
    else:
        shown = "/".join(images[0][:-1])
        notes.append(
            f"folders such as {shown!r} are taken for those of a photo library, and no labels are made of them; "
            "--label-level N makes the name of the Nth folder the label"
        )
    table = pd.DataFrame({"path": ["/".join(parts) for parts in images]}, dtype=str)
    if label:
        table[label] = [parts[level - 1] for parts in images]
    if posts is not None:
        table, notes = _with_posts(table, notes, posts, clock)
    return Collection(folder, table, label, tuple(notes))


def level_column(level: int) -> str:
    """The name of the column that the folders at a level make, and by which a recipe can ask for it."""
    return f"level:{level}"


def level_of(label: str) -> int:
    """The level that a label asks for; 0 where it is the name of a column."""
    match = re.fullmatch(r"level:([1-9]\d?)", label.strip())
    return int(match[1]) if match else 0


def _others(listing: Listing, posts: Path | None) -> list[LeftAside]:
    """The files of a folder that are no images, but for its table of posts: none of them is read."""
    left = listing.leave_others()
    left += [LeftAside(listing.name(file), "JSON, which 'trace' reads") for file in listing.json]
    return left + [
        LeftAside(listing.name(file), "tables, which are read where they are given instead of the folder")
        for file in listing.tables
        if file != posts
    ]


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
