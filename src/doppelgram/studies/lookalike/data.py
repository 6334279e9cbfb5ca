"""The look-alike exercise's images: which classes, which images, and which part each belongs to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split, read_class_list, read_split
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.studies.lookalike.plan import FEWEST_FACES, FEWEST_SIGNS


@dataclass(frozen=True)
class Prepared:
    """One data set, ready for training.

    Attributes:
        table: CSV of its images with absolute paths, their labels and groups.
        split: CSV with the part of each.
        collection: the table, read.
        parts: the split, read.
    """

    table: Path
    split: Path
    collection: Collection
    parts: Split

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(np.unique(self.collection.labels))


def prepare(
    name: str, data: Path, folder: Path, *, most: int = 0, listed: Path | None = None, seed: int = 0
) -> Prepared:
    """Choose classes and images, split them and write both down; what was written before is read again.

    Args:
        name: ``signs`` (classes of 20 images or more; parts share no panorama, the number before ``_`` in a file's
            name) or ``faces`` (the listed identities, or those of 16 images or more; split within each).
        data: the images, one folder a class.
        folder: where table and split are written.
        most: images of a class, drawn by whole groups where there are groups; 0 for all.
        listed: text file with the classes, one a line.
        seed: of the draw and the split.

    Raises:
        DoppelgramError: no such folder, no class that is large enough, or a part that stays empty.
    """
    table, split = folder / f"{name}.csv", folder / f"{name}-split.csv"
    if not split.is_file():
        chosen = _choose(name, data, most, listed, seed)
        drawn = make_split(chosen, "group" if name == "signs" else "image", seed=seed)
        empty = drawn.empty_parts({"train": 1, "val": 1, "test": 1})
        if empty:
            raise DoppelgramError(f"{data}: too few images to split; the {empty[0]} part stays empty")
        with written_whole(table) as aside:
            chosen.table.to_csv(aside, index=False)
        drawn.write(split)
    return Prepared(table, split, read_collection(table, label="label"), read_split(split))


def _choose(name: str, data: Path, most: int, listed: Path | None, seed: int) -> Collection:
    collection = read_collection(data)
    if listed is not None:
        collection = collection.of_classes(read_class_list(listed))
    else:
        collection = collection.labelled(min_images=FEWEST_SIGNS if name == "signs" else FEWEST_FACES)
    names = [os.path.abspath(path) for path in collection.paths]
    table = pd.DataFrame({"path": names, "label": collection.labels})
    if name == "signs":
        table["group"] = [Path(path).stem.split("_")[0] for path in names]
    if most:
        rng = np.random.default_rng(seed)
        units = table["group"] if "group" in table else table["path"]
        order = dict(zip(sorted(set(units)), rng.permutation(units.nunique()).tolist(), strict=True))
        # The first images of each class, groups in random order: images are left out by whole panoramas.
        rank = table.assign(order=units.map(order)).sort_values(["order", "path"]).groupby("label").cumcount()
        table = table[rank.reindex(table.index) < most].reset_index(drop=True)
    chosen = Collection(Path("/"), table, "label")
    if len(set(table["label"])) < 2:
        raise DoppelgramError(f"{data}: the exercise needs two classes or more, each with enough images")
    return chosen
