"""Divide images into parts, and keep the division in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doppelgram.dataset.readers import read_collection
from doppelgram.dataset.splits import DEFAULT_FRACTIONS, Split, make_split
from doppelgram.errors import DoppelgramError


def read_class_list(file: Path) -> list[str]:
    """Class names from a text file, one a line; raises DoppelgramError where it cannot be read."""
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such file; it lists one class a line")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DoppelgramError(f"{file}: is not a text file; it lists one class a line") from None
    return [line.strip() for line in lines if line.strip()]


def split_data(
    data: Path | str,
    by: str,
    out: Path | str,
    *,
    fractions: Mapping[str, float] | None = None,
    seed: int = 0,
    label: str = "",
    name_pattern: str = "",
    evaluate_on: Path | str | None = None,
) -> Split:
    """Draw a leak-free split of a folder or table and write it as CSV.

    Args:
        data: the images.
        by: ``image`` (stratified by label), or a column whose values must not straddle parts.
        out: the CSV.
        fractions: shares of train, val and test; 0.6, 0.2, 0.2 by default.
        seed: the same seed gives the same split.
        label: column to stratify by, if not the reader's own.
        name_pattern: regular expression with named groups that makes columns from file names.
        evaluate_on: text file with one class a line; images of other classes become ``extra``.
    """
    collection = read_collection(data, label=label, name_pattern=name_pattern)
    listed = read_class_list(Path(evaluate_on).expanduser()) if evaluate_on is not None else None
    shares = fractions or DEFAULT_FRACTIONS
    split = make_split(collection, by, shares, seed, listed)
    split.write(Path(out).expanduser())
    return split
