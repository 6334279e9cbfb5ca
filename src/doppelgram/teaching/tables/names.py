"""Names in and out as tables of labelled photographs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from doppelgram.errors import DoppelgramError
from doppelgram.teaching.tables.cells import opened_table, plain, write_table
from doppelgram.teaching.tables.photographs import Photographs

LABEL_COLUMNS = ("path", "label", "id", "group")


class ReadNames(NamedTuple):
    """What a table called photographs: ids by name, and a sentence for each row that could not be used."""

    named: dict[str, list[str]]
    problems: list[str]


def write_labels(file: Path, named: Iterable[tuple[str, str, int]], photographs: Photographs) -> int:
    """Write photographs with names as a labelled table, as `read_collection` reads it; how many.

    Args:
        file: to write.
        named: id, name and number of the group of each.
        photographs: of the catalog.
    """
    return write_table(file, LABEL_COLUMNS, [(photographs.path[id_], name, id_, group) for id_, name, group in named])


def read_names(file: Path, photographs: Photographs) -> ReadNames:
    """Read names: a column ``path`` or ``id``, and a column ``label`` or ``name``; rows without a name are passed over.

    Raises:
        DoppelgramError: the file or a column is missing, or the file cannot be read.
    """
    table = opened_table(file)
    columns = list(table.rows.columns)
    of = [column for column in ("id", "path") if column in columns]
    name = next((column for column in ("label", "name", "identity") if column in columns), "")
    if not of or not name:
        raise DoppelgramError(
            f"{file}: a table of names needs the columns path and label; it has {', '.join(table.spelled.values())}"
        )
    named, problems = dict[str, list[str]](), list[str]()
    for position, row in enumerate(table.rows.to_dict("records")):
        text = " ".join(plain(str(row[name])).split())
        id_ = next(filter(None, (photographs.find(plain(str(row[column]))) for column in of)), "")
        if not text:
            continue
        if id_:
            named.setdefault(text, []).append(id_)
        else:
            given = next((str(row[column]) for column in reversed(of) if row[column]), "")
            problems.append(f"{table.where(position)}: there is no photograph {given!r} in the catalog")
    return ReadNames(named, problems)
