"""Readers: a folder or a table on disk becomes a Collection."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

from doppelgram.dataset.collection import RESERVED, Collection
from doppelgram.dataset.csv_tables import read_csv, without_index
from doppelgram.errors import DoppelgramError

IMAGE_ENDINGS = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif")
)
TABLE_ENDINGS = frozenset((".csv", ".tsv", ".parquet", ".pq"))
OUR_MARKS = ("run.json", "metrics.json", "catalog.json")  # of runs, reports and catalogs kept beside the images
PART_FOLDERS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}  # fmt: skip
BARE = "_zz"  # the folder name of the role-model study for a place without people


def read_collection(
    data: Path | str, *, label: str = "", name_pattern: str = "", root: Path | None = None
) -> Collection:
    r"""Read a folder or a table of images.

    A **folder** is recognised by its depth. Images right inside it carry no label. ``<class>/<image>`` gives the
    column ``label``; where every image is called ``<class>_<number>`` as in LFW the column is ``identity``.
    ``<place>/<pose>/<image>`` gives ``place`` and ``pose`` and compares both; below ``_zz`` lie pictures of the
    bare place, whose pose is left empty. A ``posts.csv`` beside such folders adds ``author`` and ``timestamp``.
    Where one of the two levels is ``train``, ``val``, ``test`` (or ``training``, ``valid``, ...) the folder is a split:
    ``train/<class>/<image>`` gives ``identity``, the class, and ``part``.
    A **table** (CSV, TSV, Parquet) has a column ``path`` relative to the table's folder (or to ``root``), and any
    others; ``author``, ``timestamp``, ``group`` and ``part`` have their own meaning; ``place`` with ``pose``, or
    else the first other column, is the label unless ``label`` names one.

    No image is opened here: whether a file is missing or broken is found out, and reported, when it is loaded.

    Args:
        data: the folder or the table.
        label: column to compare by, or several joined by ``+``.
        name_pattern: regular expression with named groups, searched in each file's name without its ending;
            each group becomes a column (``(?P<panorama>\d+)_`` makes a column ``panorama``).
        root: where a table's relative paths start, when not in the table's own folder.

    Raises:
        DoppelgramError: nothing there, no images, or a row or column that cannot be used, named.
    """
    data = Path(data).expanduser()
    if not data.exists():
        raise DoppelgramError(f"{data}: there is no such folder or table")
    if data.is_dir():
        collection = _read_folder(data)
    elif data.suffix.lower() in TABLE_ENDINGS:
        collection = _read_table(data, root)
    else:
        raise DoppelgramError(
            f"{data}: expected a folder of images or a table ending in {', '.join(sorted(TABLE_ENDINGS))}"
        )
    if name_pattern:
        collection = _with_name_columns(collection, name_pattern)
    return collection.with_label(label) if label else collection


def _more(names: list[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""


def list_images(folder: Path) -> tuple[list[tuple[str, ...]], list[str]]:
    """Image files below a folder as tuples of path parts, sorted, and notes about what was left aside."""
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
                other += 1
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


def _read_folder(folder: Path) -> Collection:
    images, notes = list_images(folder)
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
    paths = ["/".join(parts) for parts in images]
    if depth == 0:
        return Collection(folder, pd.DataFrame({"path": paths}, dtype=str), "", tuple(notes))
    if level is not None:
        return _divided(folder, images, level, notes)
    if depth == 1:
        lfw = all(re.fullmatch(re.escape(kind) + r"_\d{4,}", Path(name).stem) for kind, name in images)
        column = "identity" if lfw else "label"
        table = pd.DataFrame({"path": paths, column: [parts[0] for parts in images]}, dtype=str)
        if not lfw and (groups := _sources(images)):
            table["group"] = groups
        return Collection(folder, table, column, tuple(notes))
    places = [parts[0] for parts in images]
    poses = ["" if parts[1] == BARE else parts[1] for parts in images]
    table = pd.DataFrame({"path": paths, "place": places, "pose": poses}, dtype=str)
    if (folder / "posts.csv").is_file():
        posts = _read_rows(folder / "posts.csv")
        extra = [column for column in ("author", "timestamp") if column in posts.columns]
        table = table.merge(posts[["path", *extra]].drop_duplicates("path"), on="path", how="left")
        if "author" in extra:
            table["author"] = table["author"].fillna("")
    return Collection(folder, table, "place+pose", tuple(notes))


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


def _divided(folder: Path, images: list[tuple[str, ...]], level: int, notes: list[str]) -> Collection:
    """Images whose folders say which part of a split each belongs to, and, where there are two levels, its class."""
    table = pd.DataFrame({"path": ["/".join(parts) for parts in images]}, dtype=str)
    labelled = len(images[0]) == 3
    if labelled:
        table["identity"] = pd.Series([parts[1 - level] for parts in images], dtype=str)
    table["part"] = pd.Series([_part_of(parts[level]) for parts in images], dtype=str)
    counts = table["part"].value_counts()
    shown = ", ".join(f"{part} {counts[part]}" for part in ("train", "val", "test") if part in counts)
    names = sorted({parts[level] for parts in images}, key=lambda name: list(PART_FOLDERS).index(name.casefold()))
    classes = f"the folders {'above' if level else 'below'} them as classes" if labelled else "without classes"
    notes = [*notes, f"{', '.join(map(repr, names))} are read as the parts of a split, {classes} ({shown})"]
    return Collection(folder, table, "identity" if labelled else "", tuple(notes))


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


def open_table(file: Path) -> pd.DataFrame:
    """A CSV, TSV or Parquet file as it is, its columns' names stripped; text for what CSV and TSV hold.

    A frame's index means nothing: rows keep the file's order and are numbered anew.

    Raises:
        DoppelgramError: it cannot be read, or a column stands there twice.
    """
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            table = without_index(pd.read_parquet(file))
        else:
            table = read_csv(file, "\t" if file.suffix.lower() == ".tsv" else ",")
    except (OSError, ValueError) as problem:  # pandas' and pyarrow's parsing errors are ValueErrors
        raise DoppelgramError(f"{file}: cannot be read as a table: {' '.join(str(problem).split())}") from None
    table.columns = [str(column).strip() for column in table.columns]
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise DoppelgramError(f"{file}: the column '{twice[0]}' stands in the table twice")
    return table


def _read_rows(file: Path) -> pd.DataFrame:
    """Rows of a table as text, timestamps as UTC times; wrong rows are named by number (the header is row 1)."""
    table = open_table(file)
    if "path" not in table.columns:
        raise DoppelgramError(f"{file}: the table needs a column 'path'; its columns are {', '.join(table.columns)}")
    for column in table.columns:
        if column == "timestamp":
            times = pd.to_datetime(table[column].replace("", None), utc=True, errors="coerce", format="ISO8601")
            wrong = times.isna() & table[column].notna() & (table[column].astype(str) != "")
            if wrong.any():
                row = int(wrong.to_numpy().argmax())
                raise DoppelgramError(
                    f"{file}: row {row + 2}: timestamp {str(table[column].iloc[row])!r} is not a date and time "
                    "such as 2019-12-20T04:27:27Z"
                )
            table[column] = times
        else:
            table[column] = _as_text(table[column])
    empty = table["path"].str.strip() == ""
    if empty.any():
        raise DoppelgramError(f"{file}: row {int(empty.to_numpy().argmax()) + 2}: the path is empty")
    return table


def _as_text(column: pd.Series) -> pd.Series:
    """Values as text, empty where there is none; whole numbers without a point, also where gaps made them floats."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype(object).where(column.notna(), "").astype(str)


def _read_table(file: Path, root: Path | None) -> Collection:
    table = _read_rows(file)
    if table.empty:
        raise DoppelgramError(f"{file}: the table has no rows")
    twice = table["path"].duplicated()
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise DoppelgramError(
            f"{file}: row {row + 2}: the path {table['path'].iloc[row]!r} stands in an earlier row too"
        )
    labels = [column for column in table.columns if column not in RESERVED]
    table = table[["path", *[column for column in table.columns if column != "path"]]]
    label = labels[0] if labels else ""
    if {"place", "pose"} <= set(labels):
        label = "place+pose"
        table["pose"] = table["pose"].replace(BARE, "")
    return Collection(Path(root) if root else file.parent, table, label)


def _with_name_columns(collection: Collection, pattern: str) -> Collection:
    try:
        expression = re.compile(pattern)
    except re.error as problem:
        raise DoppelgramError(f"name pattern {pattern!r} is not a regular expression: {problem}") from None
    names = list(expression.groupindex)
    if "path" in names:
        raise DoppelgramError(
            f"name pattern {pattern!r} would replace the column 'path'; call the group something else"
        )
    if not names:
        raise DoppelgramError(f"name pattern {pattern!r} has no named group; write (?P<column>...) around what to keep")
    found = [expression.search(Path(path).stem) for path in collection.names]
    missing = next((path for path, match in zip(collection.names, found, strict=True) if match is None), None)
    if missing is not None:
        raise DoppelgramError(f"name pattern {pattern!r} does not occur in the file name {missing!r}")
    table = collection.table.copy()
    for name in names:
        table[name] = [match.group(name) or "" for match in found if match is not None]
    return Collection(collection.root, table, collection.label, collection.notes)
