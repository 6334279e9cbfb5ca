"""Divide images into parts, and keep the division in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import as_collection
from doppelgram.dataset.splits import DEFAULT_FRACTIONS, Split, make_split, own_split, read_class_list


def split_data(
    data: Collection | Path | str,
    by: str,
    out: Path | str,
    *,
    fractions: Mapping[str, float] | None = None,
    seed: int = 0,
    evaluate_on: Path | str | None = None,
) -> Split:
    """Draw a leak-free split of images and write it as CSV.

    Where the images come divided (column ``part``; folders ``train``, ``val``, ``test``) that split is written instead,
    unless ``by`` names another column.

    Args:
        data: the images, a folder or table of them, or a `Collection`, which is stratified by its label.
        by: ``image`` (stratified by label), or a column whose values must not straddle parts.
        out: the CSV.
        fractions: shares of train, val and test; 0.6, 0.2, 0.2 by default.
        seed: the same seed gives the same split.
        evaluate_on: text file with one class a line; images of other classes become ``extra``.
    """
    collection = as_collection(data)
    classes = read_class_list(Path(evaluate_on).expanduser()) if evaluate_on is not None else None
    own = own_split(collection, classes) if by in ("image", "auto", "part") else None
    split = own or make_split(collection, by, fractions or DEFAULT_FRACTIONS, seed, classes)
    split.write(Path(out).expanduser())
    return split
