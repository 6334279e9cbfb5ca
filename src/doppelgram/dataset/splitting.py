"""Divide images into parts, and keep the division in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.readers import read_collection
from doppelgram.dataset.splits import DEFAULT_FRACTIONS, Split, make_split, own_split
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


def split_of_data(
    data: Path | str, collection: Collection, console: Console, listed: list[str] | None = None
) -> Split | None:
    """The split that images come with, said on the console; None where one is to be drawn.

    Raises:
        DoppelgramError: there is one, and a list of classes to divide as well.
    """
    own = _own(data, collection, listed)
    if own is None:
        return None
    counts = own.counts()
    shown = ", ".join(f"{part} {count}" for part, count in counts.items())
    said = [f"note: {data} comes divided into parts, and no split is drawn ({shown}); --split FILE takes another"]
    said += [f"warning: {data} has no {part} part" for part in ("val", "test") if part not in counts]
    for line in said:
        style = "dim" if line.startswith("note") else "yellow"
        console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)
    return own


def _own(data: Path | str, collection: Collection, listed: list[str] | None) -> Split | None:
    own = own_split(collection)
    if own is not None and listed is not None:
        raise DoppelgramError(f"{data}: comes divided into parts; a list of classes to divide does not go with it")
    return own


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

    Where the images come divided (column ``part``; folders ``train``, ``val``, ``test``) that split is written instead,
    unless ``by`` names another column.

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
    own = _own(data, collection, listed) if by in ("image", "auto", "part") else None
    split = own or make_split(collection, by, fractions or DEFAULT_FRACTIONS, seed, listed)
    split.write(Path(out).expanduser())
    return split
