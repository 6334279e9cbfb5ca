"""Splits into parts that share nothing they must not share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection, codes
from doppelgram.dataset.image_table import match_paths
from doppelgram.dataset.tables import read_table
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole

PARTS = ("train", "val", "test", "extra")
OWN = "own parts"  # what a split is by that the images came with
DEFAULT_FRACTIONS: Mapping[str, float] = {"train": 0.6, "val": 0.2, "test": 0.2}


@dataclass(frozen=True)
class Split:
    """Which part each image belongs to.

    Attributes:
        parts: path as the collection spells it -> ``train``, ``val``, ``test`` or ``extra``. Images that are
            ``extra`` are trained on but never evaluated.
        by: what was kept together ("image", or the name of a column).
        seed: the seed it was drawn with.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    by: str = "image"
    seed: int = 0

    def rows(self, collection: Collection) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
        """Row positions of each part in a collection, every known part present (possibly empty).

        Raises:
            DoppelgramError: the split names no image of this collection.
        """
        parts = np.array([*self.parts.values(), ""], dtype=np.str_)
        assigned = parts[match_paths(collection.names, self.parts)]
        if len(collection) and not (assigned != "").any():
            raise DoppelgramError(
                f"the split names none of the {len(collection)} images in {collection.root}; "
                "was it made for another folder?"
            )
        return {part: np.flatnonzero(assigned == part) for part in PARTS}

    def groups(self, collection: Collection) -> np.ndarray[Any, Any]:
        """Which images belong together, (n,): by what was kept together, else by the column ``group``, else alone."""
        alone = np.arange(len(collection)).astype(np.str_)
        for column in (self.by, "group"):
            if column in collection.table.columns:
                values = collection.column(column)
                return np.where(values == "", alone, values)
        return alone

    def counts(self) -> dict[str, int]:
        """Number of images in each part that has any."""
        values = list(self.parts.values())
        return {part: values.count(part) for part in PARTS if part in values}

    def write(self, file: Path) -> None:
        """Write as CSV with the columns ``path,part``, whole or not at all."""
        with written_whole(file) as aside:
            pd.DataFrame({"path": list(self.parts), "part": list(self.parts.values())}).to_csv(aside, index=False)

    def empty_parts(self, fractions: Mapping[str, float]) -> list[str]:
        """Parts that were to have a share and got no image."""
        counts = self.counts()
        return [part for part, share in fractions.items() if share > 0 and not counts.get(part)]


def read_split(file: Path) -> Split:
    """Read a split from a CSV with the columns ``path,part``.

    Raises:
        DoppelgramError: the file is missing, lacks a column, or a row names an unknown part or a path twice.
    """
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such split file; write one with `doppelgram split`")
    table = read_table(file, ("path", "part"), "a split")
    table.refuse(~table.rows["part"].isin(PARTS), f"part {{}} is not one of {', '.join(PARTS)}", "part")
    table.require_unique()
    return Split(dict(zip(table.rows["path"], table.rows["part"], strict=True)), by="file")


def own_split(collection: Collection, classes: Sequence[str] | None = None) -> Split | None:
    """The split that images come with: their column ``part``, if it names a known part for every one of them.

    Raises:
        DoppelgramError: there is one, and a list of ``classes`` to divide as well.
    """
    if "part" not in collection.table.columns:
        return None
    parts = collection.column("part").tolist()
    if not parts or not set(parts) <= set(PARTS):
        return None
    if classes is not None:
        raise DoppelgramError(
            f"{collection.root}: comes divided into parts; a list of classes to divide does not go with it"
        )
    return Split(dict(zip(collection.names, parts, strict=True)), OWN)


def split_of_data(
    data: Path | str, collection: Collection, progress: Progress, classes: Sequence[str] | None = None
) -> Split | None:
    """The split that images come with, as `own_split` finds it, with a note of it."""
    own = own_split(collection, classes)
    if own is None:
        return None
    counts = own.counts()
    shown = ", ".join(f"{part} {count}" for part, count in counts.items())
    progress.note(f"note: {data} comes divided into parts, and no split is drawn ({shown}); --split FILE takes another")
    for part in ("val", "test"):
        if part not in counts:
            progress.warning(f"{data} has no {part} part")
    return own


def read_class_list(file: Path) -> list[str]:
    """Class names from a text file, one a line; raises DoppelgramError where it cannot be read."""
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such file; it lists one class a line")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DoppelgramError(f"{file}: is not a text file; it lists one class a line") from None
    return [line.strip() for line in lines if line.strip()]


def small_classes(collection: Collection, split: Split, fractions: Mapping[str, float]) -> str:
    """A sentence on classes too small to have an image in every part of a split, if most are; else empty.

    Said of splits that divide classes: by image, or by a column such as ``group`` that is not the label.
    """
    wanted = {part: share for part, share in fractions.items() if share > 0}
    if len(wanted) < 2 or not collection.label or split.by in (collection.label, "file", OWN):
        return ""
    instead = (
        "split by class instead, which keeps whole classes apart (split --by class, or --set split.by=class): the "
        "model is then tested on classes that it has not seen"
    )
    names, classes = codes(collection.labels)
    needed = int(np.ceil(1 / min(share for part, share in wanted.items() if part != "train") - 1e-9))
    few = np.bincount(classes, minlength=len(names)) < needed
    if split.by == "image":
        small = int(few.sum())
        if 2 * small <= len(names):
            return ""
        return (
            f"{small:,} of {len(names):,} classes have fewer than {needed} images, so that all of these are trained on "
            f"and none is left to validate or test with; {instead}"
        )
    rows = split.rows(collection)
    held = np.array([np.bincount(classes[rows[part]], minlength=len(names)) > 0 for part in wanted])
    divided = held.any(axis=0)
    small = int((divided & (few | ~held.all(axis=0))).sum())
    if 2 * small <= divided.sum() or held.sum(axis=0).max(initial=0) < 2:
        return ""
    return (
        f"{small:,} of {divided.sum():,} classes have fewer than {needed} images, or none in one of the parts "
        f"{', '.join(wanted)}, since images of one '{split.by}' stay together; that is too few to validate and test "
        f"with; {instead}"
    )


def check_fractions(fractions: Mapping[str, float]) -> None:
    """Refuse shares of train, val and test that are negative, leave nothing to train on, or do not add up to 1."""
    unknown = sorted(set(fractions) - {"train", "val", "test"})
    if unknown:
        raise DoppelgramError(f"a split has the parts train, val and test; '{unknown[0]}' is none of them")
    total = sum(fractions.values())
    wrong = any(not share >= 0 for share in fractions.values())  # also when it is not a number
    if wrong or fractions.get("train", 0) <= 0 or not abs(total - 1) < 1e-6:
        shown = ", ".join(f"{part} {share:g}" for part, share in fractions.items())
        raise DoppelgramError(f"the shares of a split are 0 or more, train above 0, and add up to 1; got {shown}")


def split_by_image(collection: Collection, fractions: Mapping[str, float] = DEFAULT_FRACTIONS, seed: int = 0) -> Split:
    """Stratified split: every class is divided in the same shares.

    Shares are rounded down for val and test, so what is left over of a small class stays in train: a class of
    three images is trained on whole rather than tested against nothing.
    """
    check_fractions(fractions)
    rng = np.random.default_rng(seed)
    _, classes = codes(collection.labels)
    assigned = np.full(len(collection), "train", dtype="<U5")
    for value in range(classes.max() + 1 if len(classes) else 0):
        members = rng.permutation(np.flatnonzero(classes == value))
        start = 0
        for part in ("val", "test"):
            # 1e-9: 0.2 * 15 must be 3, not 2.9999999999999996 rounded down to 2
            count = int(len(members) * fractions.get(part, 0) + 1e-9)
            assigned[members[start : start + count]] = part
            start += count
    return Split(dict(zip(collection.names, assigned.tolist(), strict=True)), "image", seed)


def split_by_group(
    collection: Collection, column: str, fractions: Mapping[str, float] = DEFAULT_FRACTIONS, seed: int = 0
) -> Split:
    """Split in which no group (photograph, panorama, person) stands in two parts, classes as even as that allows.

    Groups are handed out one at a time, large ones first, each to the part that lacks most of the group's
    classes, and most images in all, relative to its share (after the iterative stratification of Sechidis, Tsoumakas
    and Vlahavas 2011). Groups that are as large as classes, or larger than a share, leave the parts uneven.
    Images whose group is not known form a group of one.
    """
    check_fractions(fractions)
    groups = collection.column(column)
    if not (groups != "").any():
        raise DoppelgramError(
            f"{collection.root}: column '{column}' is empty in every row; it cannot keep images together"
        )
    unknown = np.flatnonzero(groups == "")
    groups = groups.astype(object)
    groups[unknown] = [f"\0{row}" for row in unknown]
    names, classes = codes(collection.labels)
    _, group_of = np.unique(groups.astype(str), return_inverse=True)
    # How many images of which class each group has, as runs of (class, count): never a groups x classes table.
    pairs, counts = np.unique(np.stack([group_of, classes]), axis=1, return_counts=True)
    start = np.searchsorted(pairs[0], np.arange(group_of.max() + 2))
    sizes = np.bincount(group_of)

    parts = [part for part in ("train", "val", "test") if fractions.get(part, 0) > 0]
    shares = np.array([fractions[part] for part in parts])
    wanted = shares[:, None] * np.bincount(classes, minlength=len(names))[None, :]
    lacking = wanted.copy()
    wanted_images = shares * len(collection)
    lacking_images = wanted_images.copy()
    # The parts' sizes come before the classes' evenness once they are off by more than this share.
    strictness = np.sqrt(len(sizes))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    chosen = np.zeros(len(sizes), dtype=np.int64)
    for group in order:
        run = slice(start[group], start[group + 1])
        present, count = pairs[1, run], counts[run]
        # Relative lack: 1 = the part has nothing yet of this class, 0 = it has its share. Ties go to train.
        lack = (lacking[:, present] / wanted[:, present] * count).sum(1) / count.sum()
        lack += strictness * lacking_images / wanted_images
        chosen[group] = part = int(lack.argmax())
        lacking[part, present] -= count
        lacking_images[part] -= count.sum()
    assigned = [parts[chosen[group]] for group in group_of]
    return Split(dict(zip(collection.names, assigned, strict=True)), column, seed)


def make_split(
    collection: Collection,
    by: str = "auto",
    fractions: Mapping[str, float] = DEFAULT_FRACTIONS,
    seed: int = 0,
    evaluate_on: list[str] | None = None,
) -> Split:
    """Split a collection by image, by a column, or ``auto``: by the column ``group`` where there is one.

    Args:
        collection: the images; where it has labels they are stratified.
        by: ``image``, ``class`` (each class whole in one part), ``auto``, or the name of a column (several joined by
            ``+``) whose values stay together.
        fractions: shares of train, val and test.
        seed: the same seed gives the same split.
        evaluate_on: if given, only these classes are divided; images of all others become ``extra``.
    """
    if by == "class":
        if not collection.label:
            raise DoppelgramError(f"{collection.root}: there are no labels, so there are no classes to keep whole")
        by = collection.label
    if by == "auto":
        by = "group" if "group" in collection.table.columns else "image"
    divided = collection.of_classes(evaluate_on) if evaluate_on is not None else collection
    split = split_by_image(divided, fractions, seed) if by == "image" else split_by_group(divided, by, fractions, seed)
    if evaluate_on is None:
        return split
    # No image of a group that is evaluated is trained on, of whatever class it is.
    groups = collection.column(by) if by != "image" else np.full(len(collection), "", dtype=np.str_)
    rows = list(zip(groups.tolist(), collection.names, strict=True))
    evaluated = {group for group, name in rows if group and split.parts.get(name) in ("val", "test")}
    extra = {name: "extra" for group, name in rows if name not in split.parts and group not in evaluated}
    return Split({**split.parts, **extra}, by, seed)
