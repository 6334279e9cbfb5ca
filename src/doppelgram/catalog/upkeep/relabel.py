"""New labels for rows of a catalog; the label and the label columns of the collection stay in step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

from doppelgram.catalog.cells import plain
from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.catalog.rows import Entry
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.upkeep.selection import Names
from doppelgram.dataset.collection import JOIN, RESERVED
from doppelgram.dataset.tables import read_table
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import listing

LABEL = "label"
_MOST_JOINED = 3


def columns_of_label(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The label columns whose values, joined, are the labels; none where labels are not made of columns."""
    labelled = [entry for entry in entries if entry.label]
    names = [name for name in (labelled[0].columns or {}) if name not in FOUND_COLUMNS] if labelled else []
    for length in range(1, _MOST_JOINED + 1):
        for of in permutations(names, length):
            if all(_joined(entry.columns or {}, of) == entry.label for entry in labelled):
                return of
    return ()


def relabelled(entry: Entry, new: Mapping[str, str], of: Sequence[str]) -> Entry:
    """An entry with new values.

    Args:
        entry: as it is.
        new: values by label column; ``label`` is the label itself.
        of: what `columns_of_label` says of the catalog.

    Raises:
        DoppelgramError: the label is made of several columns, and it is given as one.
    """
    columns = dict(entry.columns or {})
    columns.update((name, value) for name, value in new.items() if name != LABEL or LABEL in columns)
    label = entry.label
    if LABEL in new:
        if len(of) > 1:
            raise DoppelgramError(
                f"the labels of this catalog are made of {listing(of)}; give new values of these columns"
            )
        label = new[LABEL]
        columns.update((name, label) for name in of)
    elif not set(of).isdisjoint(new):
        label = _joined(columns, of)
    return replace(entry, label=label, columns=columns)


def read_labels(file: Path, catalog: Catalog) -> dict[str, dict[str, str]]:
    """New values by id from a table: a column ``path`` or ``id``, and ``label`` or label columns of the catalog.

    An empty cell says nothing.

    Raises:
        DoppelgramError: the table cannot be read, names an image that is not there, or has no column that is known.
    """
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such file")
    table = read_table(file)
    names, rows = Names(catalog), table.rows
    of = [column for column in ("id", "path") if column in rows.columns]
    known = {LABEL, *(name for entry in catalog.entries() for name in entry.columns or {})} - set(FOUND_COLUMNS)
    values = [column for column in rows.columns if column in known]
    if not of or not values:
        raise DoppelgramError(
            f"{file}: needs a column path (or id), and one of {listing(sorted(known))}; it has "
            f"{listing(list(table.spelled.values()))}"
        )
    found: dict[str, dict[str, str]] = {}
    for position, row in enumerate(rows.to_dict("records")):
        new = {column: plain(str(row[column])) for column in values if str(row[column])}
        called = [str(row[column]) for column in of if str(row[column])]
        ids = next(filter(None, map(names.find, called)), [])
        if not ids and new:
            raise DoppelgramError(f"{table.where(position)}: there is no image {(called or [''])[-1]!r} in the catalog")
        for id_ in ids if new else ():
            if found.setdefault(id_, new) != new:
                raise DoppelgramError(f"{table.where(position)}: this image has another label in an earlier row")
    return found


def relabel(catalog: Catalog, new: Mapping[str, Mapping[str, str]]) -> list[Entry]:
    """The entries that new values change, as they have to be; `Catalog.update` writes them.

    Args:
        catalog: with the entries.
        new: values by id, and by label column, or ``label``.

    Raises:
        DoppelgramError: a column cannot be set, or the label is made of several columns and is given as one.
    """
    wrong = next((name for values in new.values() for name in values if name in (*RESERVED, *FOUND_COLUMNS)), None)
    if wrong is not None:
        raise DoppelgramError(f"'{wrong}' is no label column")
    entries = catalog.entries()
    of = columns_of_label(entries)
    changed = ((entry, relabelled(entry, new[entry.id], of)) for entry in entries if entry.id in new)
    return [after for before, after in changed if after != before]


def _joined(columns: Mapping[str, str], of: Sequence[str]) -> str:
    values = [columns.get(name, "") for name in of]
    return JOIN.join(values) if all(values) else ""
