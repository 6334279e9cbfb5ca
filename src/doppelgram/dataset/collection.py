"""The Collection: an immutable table of images, one row an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.dataset.archives import located
from doppelgram.dataset.columns import find_column
from doppelgram.errors import DoppelgramError

# Columns that say something of a row other than what the image shows; every other column is a label column.
RESERVED = ("path", "author", "timestamp", "group", "part")
JOIN = "::"
BARE = "_zz"  # the folder name of the role-model study for a place without people


@dataclass(frozen=True)
class Collection:
    """A table of images.

    Attributes:
        root: folder that relative paths start from.
        table: one row an image; ``path`` (text, relative to ``root`` or absolute, and of a picture in a ZIP file
            ``some.zip/inside.jpg``), then any further columns as
            text, an empty string meaning "not known"; ``timestamp``, where there is one, is a UTC time.
        label: the column whose values training and evaluation compare, or several joined by ``+``
            (``place+pose``: two images are alike when both agree); empty where the images carry no labels.
        notes: remarks of the reader that a person should see ("3 files with other endings were left aside").
    """

    root: Path
    table: pd.DataFrame
    label: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Rows go by position everywhere: a frame that was sorted or filtered must not align by its old numbers.
        if not self.table.index.equals(pd.RangeIndex(len(self.table))):
            object.__setattr__(self, "table", self.table.reset_index(drop=True))
        if "path" not in self.table.columns:
            raise DoppelgramError(f"the table has no column 'path'; its columns are {', '.join(self.table.columns)}")
        self._columns(self.label)

    def __str__(self) -> str:
        """Where the images are from, for a sentence."""
        return str(self.root)

    def __len__(self) -> int:
        return len(self.table)

    def _columns(self, joined: str) -> list[str]:
        """The table's names of columns joined by ``+``; an alias stands for the column that it means."""
        found = []
        for part in filter(None, (part.strip() for part in joined.split("+"))):
            column = find_column(part, list(self.table.columns))
            if not column:
                known = [c for c in self.table.columns if c != "path"]
                has = f"it has {', '.join(known)}" if known else "it has no columns besides the path"
                raise DoppelgramError(f"{self.root}: there is no column '{part}' in this collection; {has}")
            found.append(column)
        return found

    # The table does not change, so what is derived from all of it is derived once.
    @cached_property
    def paths(self) -> list[Path]:
        """Absolute path of every image, in row order."""
        return [located(self.root, path) for path in self.table["path"]]

    @cached_property
    def names(self) -> list[str]:
        """Path of every image as the table spells it: the key that splits and catalogs use."""
        return self.table["path"].tolist()

    @property
    def label_columns(self) -> tuple[str, ...]:
        """Columns that describe what an image shows."""
        return tuple(column for column in self.table.columns if column not in RESERVED)

    def column(self, name: str) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Values of one column, or of several joined by ``+``, as text of shape (n,).

        A joined value is empty where any of its parts is.

        Raises:
            DoppelgramError: there is no such column.
        """
        columns = [self.table[part].astype(str).to_numpy(dtype=np.str_) for part in self._columns(name)]
        return np.array([JOIN.join(row) if all(row) else "" for row in zip(*columns, strict=True)], dtype=np.str_)

    @cached_property
    def labels(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Value of the label column(s) for every image, shape (n,); empty text where it is not known."""
        labels = self.column(self.label) if self.label else np.full(len(self), "", dtype=np.str_)
        labels.flags.writeable = False
        return labels

    def with_label(self, label: str) -> Collection:
        """The same images, compared by another column (or several joined by ``+``)."""
        return replace(self, label=label)

    def take(self, rows: Sequence[int] | np.ndarray[Any, Any]) -> Collection:
        """The collection of the given rows (positions, or a mask of shape (n,)), in that order."""
        index = np.asarray(rows)
        if index.dtype == bool:
            index = np.flatnonzero(index)
        return replace(self, table=self.table.iloc[index.astype(np.int64)].reset_index(drop=True))

    def labelled(self, *, min_images: int = 1) -> Collection:
        """Only images with a label, of classes with at least ``min_images`` of them.

        Raises:
            DoppelgramError: nothing is left.
        """
        labels = self.labels
        _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
        kept = (counts[inverse] >= min_images) & (labels != "")
        if not kept.any():
            why = "no image has a label" if not (labels != "").any() else f"no class has {min_images} images or more"
            raise DoppelgramError(f"{self.root}: {why}; put images in one folder per class, or name a label column")
        rare = sorted(set(labels[(counts[inverse] < min_images) & (labels != "")].tolist()))
        unlabelled = int((labels == "").sum())
        notes = []
        if rare:
            shown = ", ".join(map(repr, rare[:3])) + (f" and {len(rare) - 3:,} more" if len(rare) > 3 else "")
            which = "1 class has" if len(rare) == 1 else f"{len(rare):,} classes have"
            notes.append(
                f"{which} fewer than {min_images} images and {'is' if len(rare) == 1 else 'are'} left aside: {shown}"
            )
        if unlabelled:
            notes.append(f"{unlabelled:,} image{'s have' if unlabelled > 1 else ' has'} no label, left aside")
        return replace(self.take(kept), notes=(*self.notes, *notes))

    def of_classes(self, classes: Sequence[str]) -> Collection:
        """Only images whose label is one of ``classes``.

        Raises:
            DoppelgramError: no image has any of these labels.
        """
        kept = np.isin(self.labels, list(classes))
        if not kept.any():
            raise DoppelgramError(f"{self.root}: none of the {len(classes)} named classes occurs in this collection")
        return self.take(kept)


def codes(labels: np.ndarray[Any, Any]) -> tuple[list[str], np.ndarray[Any, np.dtype[np.int64]]]:
    """Class names in sorted order, and for each label (n,) the position of its class among them (int64)."""
    names, inverse = np.unique(labels, return_inverse=True)
    return [str(name) for name in names], inverse.astype(np.int64)
