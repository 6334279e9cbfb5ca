"""Pairs of images, by row or by path, and pairs read from a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from doppelgram.dataset.image_table import found_path
from doppelgram.dataset.listing import IMAGE_ENDINGS
from doppelgram.dataset.tables import read_table
from doppelgram.errors import DoppelgramError

Index = np.ndarray[Any, np.dtype[np.int64]]
_YES, _NO = frozenset(("1", "true", "yes", "same")), frozenset(("0", "false", "no", "different"))


@dataclass(frozen=True)
class Pairs:
    """Pairs of images by row position: ``a`` and ``b`` int64 (n,), ``same`` bool (n,)."""

    a: Index
    b: Index
    same: np.ndarray[Any, np.dtype[np.bool_]]

    def __len__(self) -> int:
        return len(self.a)


class PathPairs(NamedTuple):
    """Pairs of images by path: ``a`` and ``b`` of length n, ``same`` bool (n,), ``fold`` int64 (n,) or None."""

    a: list[Path]
    b: list[Path]
    same: np.ndarray[Any, np.dtype[np.bool_]]
    fold: Index | None = None


def _read_lfw(file: Path, base: Path) -> PathPairs | None:
    """Pairs of a file as Labeled Faces in the Wild has them; None where it is another file.

    The first line has the number of folds (or none) and of pairs of each kind in a fold. Others are
    ``name first second``, the numbers of two images of one person, or ``name first other second``.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (UnicodeDecodeError, OSError):
        return None
    if not lines or not re.fullmatch(r"\d+(\s+\d+)?", lines[0]):
        return None
    ending, folder = _lfw_files(base)
    left: list[Path] = []
    right: list[Path] = []
    same: list[bool] = []
    for number, line in enumerate(lines[1:], start=2):
        parts = line.split("\t") if "\t" in line else line.split()
        if len(parts) not in (3, 4) or not parts[1].isdigit() or not parts[-1].isdigit():
            raise DoppelgramError(
                f"{file}: line {number}: is neither 'name number number' nor 'name number name number'"
            )
        other = parts[0] if len(parts) == 3 else parts[2]
        for person, image, side in ((parts[0], parts[1], left), (other, parts[-1], right)):
            side.append(folder / person / f"{person}_{int(image):04d}{ending}")
        same.append(len(parts) == 3)
    numbers = [int(one) for one in lines[0].split()]
    expected = numbers[-1] * 2 * (numbers[0] if len(numbers) == 2 else 1)
    if len(same) != expected:
        raise DoppelgramError(f"{file}: line 1 speaks of {expected:,} pairs, and there are {len(same):,}; is it whole?")
    folds = np.arange(len(same)) // (numbers[-1] * 2)
    return PathPairs(left, right, np.array(same, dtype=bool), folds.astype(np.int64))


def _lfw_files(base: Path) -> tuple[str, Path]:
    """The ending of LFW's images, and the folder that holds one folder a person: the base, or one in it."""
    for folder in (base, *sorted(one for one in base.iterdir() if one.is_dir())):
        image = next((one for one in folder.glob("*/*_[0-9][0-9][0-9][0-9].*") if one.suffix in IMAGE_ENDINGS), None)
        if image is not None:
            return image.suffix, folder
    return ".jpg", base


def read_pairs(file: Path, root: Path | None = None) -> PathPairs:
    """Read pairs from a table with the columns ``path_a,path_b,same``, or from LFW's ``pairs.txt``.

    Rows whose column ``aside``, where there is one, says 1 are answers that contradict others; they are passed over.

    Args:
        file: the table, in which ``same`` is 1 or 0, true or false.
        root: where relative paths start, by default the table's folder.

    Raises:
        DoppelgramError: the file, a column or a row cannot be used, named.
    """
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such file of pairs")
    base = Path(root) if root else file.parent
    if (named := _read_lfw(file, base)) is not None:
        return named
    table = read_table(file, ("path_a", "path_b", "same"), "a table of pairs")
    if "aside" in table.rows:
        counts = ~table.rows["aside"].str.lower().isin(_YES).to_numpy(dtype=bool)
        table = replace(table, rows=table.rows[counts].reset_index(drop=True), numbers=table.numbers[counts])
    if table.rows.empty:
        raise DoppelgramError(f"{file}: there are no pairs in this file")
    for column in ("path_a", "path_b"):
        table.refuse(table.rows[column] == "", f"{column} is empty")
    answer = table.rows["same"].str.lower()
    table.refuse(~answer.isin(_YES | _NO), "same is {}; write 1 or 0", "same")
    left, right = ([base / found_path(base, path) for path in table.rows[name]] for name in ("path_a", "path_b"))
    return PathPairs(left, right, answer.isin(_YES).to_numpy(dtype=bool))
