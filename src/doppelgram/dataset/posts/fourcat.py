"""4CAT's tables of posts, and its pictures: a folder or ZIP file with a list that says which are whose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.listing import CAPTURE_FILE
from doppelgram.dataset.posts.source import Record, Source
from doppelgram.dataset.records.fields import facts_of, fold, name_in_url
from doppelgram.dataset.tables import Table
from doppelgram.errors import DoppelgramError

name = "4cat"
reads = "a table of 4CAT or Zeeschuimer (CSV) with 4CAT's folder or ZIP file of pictures, or pictures named by address"
_COLUMNS = frozenset(("id", "thread_id", "timestamp"))


def records(value: Any, file: Path) -> list[Record] | None:
    """Nothing: 4CAT's own JSON is the list of its pictures, which belongs to the table."""
    return None


def rows(table: Table, source: Source) -> list[Record] | None:
    """A record for each row, its pictures by 4CAT's list, or else by the last part of their addresses."""
    names = [fold(column) for column in table.spelled.values()]
    if not set(names) >= _COLUMNS or "path" in table.rows:
        return None
    fetched, failed = _captures(source)
    found = []
    for record, row in _of_rows(table, names, source):
        key = row.get("id", "")
        files = fetched.get(key, [])
        facts = replace(record.facts, key=key)
        if files:
            facts = replace(facts, media=tuple((one,) for one in files), local=True)
        elif key in failed:
            record = replace(record, why_not="posts whose picture 4CAT could not fetch")
        found.append(replace(record, facts=facts))
    return found


def _of_rows(table: Table, names: Sequence[str], source: Source) -> list[tuple[Record, dict[str, str]]]:
    return [
        (Record(f"{source.shown(table.file)}: row {number}", facts_of(row)), row)
        for number, row in zip(table.numbers.tolist(), rows_of(table, names), strict=True)
    ]


def rows_of(table: Table, names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a table as records, under these names; ``images/0`` and ``images.1`` are a list."""
    found = []
    for values in table.rows.itertuples(index=False, name=None):
        row: dict[str, Any] = {}
        for column, value in zip(names, values, strict=True):
            head, _, rest = column.rpartition("_") if column.rpartition("_")[2].isdigit() else (column, "", "")
            if rest and value:
                row.setdefault(head, [])
                if isinstance(row[head], list):
                    row[head].append(value)
            elif not rest:
                row[column] = value
        found.append(row)
    return found


def _captures(source: Source) -> tuple[dict[str, list[str]], set[str]]:
    """Paths of the pictures of each post by its id, and ids of posts whose pictures could not be fetched."""
    fetched: dict[str, list[str]] = {}
    failed: set[str] = set()
    lists = {file: "" for file in source.listing.others if file.name == CAPTURE_FILE}
    lists |= {file: archive for archive, folder in source.archives.items() for file in folder.rglob(CAPTURE_FILE)}
    for file, archive in lists.items():
        try:
            entries = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise DoppelgramError(f"{file}: 4CAT's list of pictures cannot be read: {problem}") from None
        within = file.parent.relative_to(source.archives[archive] if archive else source.folder)
        folder = Path(archive, within).as_posix() if archive or within.parts else ""
        for url, entry in entries.items() if isinstance(entries, Mapping) else ():
            if not isinstance(entry, Mapping):
                continue
            ids = [str(one) for one in entry.get("post_ids") or ()]
            names = [str(entry.get("filename") or ""), name_in_url(str(url))]
            image = source.pictures.of_names(filter(None, names), folder) if entry.get("success", True) else None
            for key in ids:
                if image is None:
                    failed.add(key)
                elif image not in fetched.setdefault(key, []):
                    fetched[key].append(image)
    return fetched, failed - set(fetched)


def refuse_without_table(source: Source) -> None:
    """Refuse 4CAT's pictures without the table that says who posted them.

    Raises:
        DoppelgramError: a list of pictures lies there, and no table of posts.
    """
    lists = [file for file in source.listing.others if file.name == CAPTURE_FILE]
    if (lists or source.archives) and not source.holds(name):
        raise DoppelgramError(
            f"{lists[0] if lists else source.path}: these are pictures that 4CAT fetched, without the table of their "
            "posts; put the dataset's CSV file beside them"
        )
