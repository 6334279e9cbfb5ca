"""Pairs of images, by row or by path, and pairs read from a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from doppelgram.dataset.image_table import found_path
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
    """Pairs of images by path: ``a`` and ``b`` of length n, ``same`` bool (n,)."""

    a: list[Path]
    b: list[Path]
    same: np.ndarray[Any, np.dtype[np.bool_]]


def read_pairs(file: Path, root: Path | None = None) -> PathPairs:
    """Read pairs from a table with the columns ``path_a,path_b,same``.

    Args:
        file: the table; ``same`` is 1 or 0, true or false.
        root: where relative paths start, by default the table's folder.

    Raises:
        DoppelgramError: the file, a column or a row cannot be used, named.
    """
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such file of pairs")
    table = read_table(file, ("path_a", "path_b", "same"), "a table of pairs")
    if table.rows.empty:
        raise DoppelgramError(f"{file}: there are no pairs in this file")
    for column in ("path_a", "path_b"):
        table.refuse(table.rows[column] == "", f"{column} is empty")
    answer = table.rows["same"].str.lower()
    table.refuse(~answer.isin(_YES | _NO), "same is {}; write 1 or 0", "same")
    base = Path(root) if root else file.parent
    left, right = ([base / found_path(base, path) for path in table.rows[name]] for name in ("path_a", "path_b"))
    return PathPairs(left, right, answer.isin(_YES).to_numpy(dtype=bool))
