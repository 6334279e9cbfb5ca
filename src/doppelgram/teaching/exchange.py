"""Answers in and out as tables: pairs that the rest of the project reads, and names."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from doppelgram.dataset.image_table import path_key
from doppelgram.dataset.tables import Table, read_table
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.teaching.answers import Pair, Said
from doppelgram.teaching.questions import Question
from doppelgram.teaching.rounds import Group

PAIR_COLUMNS = ("path_a", "path_b", "same", "degree", "id_a", "id_b", "answer", "who", "when")
GROUP_COLUMNS = ("path", "group", "name", "settled", "id")
LABEL_COLUMNS = ("path", "label", "id", "group")
QUESTION_COLUMNS = ("image_a", "image_b", "same", "probability", "why")
_SAME, _DIFFERENT = ("1", "true", "yes", "same", "y"), ("0", "false", "no", "different", "n")
_SIDES = (("id_a", "id_b"), ("path_a", "path_b"), ("image_a", "image_b"))


class Read(NamedTuple):
    """What a table said: answers, and a sentence for each row that could not be used."""

    said: list[Said]
    problems: list[str]


class ReadNames(NamedTuple):
    """What a table called photographs: ids by name, and a sentence for each row that could not be used."""

    named: dict[str, list[str]]
    problems: list[str]


class Photographs:
    """Finds photographs of a catalog by id, path or name.

    Args:
        rows: columns ``id``, ``path`` and ``name``.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        self.path: Mapping[str, str] = dict(zip(rows["id"], rows["path"], strict=True))
        self.name: Mapping[str, str] = dict(zip(rows["id"], rows["name"], strict=True))
        self._found: dict[str, str] = {}
        for column in ("name", "path", "id"):  # the last one wins where a text is two of these
            self._found |= {path_key(text): id_ for text, id_ in zip(rows[column], rows["id"], strict=True)}

    def find(self, text: str) -> str:
        """The id of a photograph; empty where there is none."""
        return self._found.get(path_key(text), "") or self._found.get(path_key(str(Path(text).absolute())), "")

    def spelled(self, id_: str) -> str:
        """What to call it in a sentence."""
        return self.name.get(id_) or id_[:8]


def write_pairs(file: Path, pairs: Iterable[Pair], photographs: Photographs) -> int:
    """Write answers as a table of pairs, as `doppelgram.dataset.pairs.read_pairs` reads it; how many.

    ``same`` is 1 from a degree of one half on; ``degree`` says it in full.
    """
    rows = [
        (
            photographs.path.get(pair.id_a, ""),
            photographs.path.get(pair.id_b, ""),
            int(pair.degree >= 0.5),
            f"{pair.degree:g}",
            pair.id_a,
            pair.id_b,
            pair.number,
            pair.who,
            pair.when.isoformat(timespec="seconds"),
        )
        for pair in pairs
        if pair.id_a in photographs.path and pair.id_b in photographs.path
    ]
    return _write(file, PAIR_COLUMNS, rows)


def write_labels(file: Path, named: Iterable[tuple[str, str, int]], photographs: Photographs) -> int:
    """Write photographs with names as a labelled table, as `read_collection` reads it; how many.

    Args:
        file: to write.
        named: id, name and number of the group of each.
        photographs: of the catalog.
    """
    return _write(file, LABEL_COLUMNS, [(photographs.path[id_], name, id_, group) for id_, name, group in named])


def write_groups(file: Path, groups: Iterable[Group], photographs: Photographs) -> int:
    """Write the group of every photograph, the name of the group, and whether answers settle it; how many."""
    rows = [
        (photographs.path[id_], group.number, group.name, int(group.settled), id_)
        for group in groups
        for id_ in group.ids
    ]
    return _write(file, GROUP_COLUMNS, rows)


def question_rows(questions: Iterable[Question], photographs: Photographs) -> list[tuple[str, str, str, str, str]]:
    """Questions as rows of `QUESTION_COLUMNS`, about the photographs that stand for each side; ``same`` is empty."""
    return [
        (photographs.path[one.ids_a[0]], photographs.path[one.ids_b[0]], "", f"{one.probability:.3f}", one.reason)
        for one in questions
    ]


def write_questions(file: Path, questions: Iterable[Question], photographs: Photographs) -> int:
    """Write questions as a table to fill in, which `read_answers` reads; how many."""
    return _write(file, QUESTION_COLUMNS, question_rows(questions, photographs))


_FORMULA = ("=", "+", "-", "@")


def _write(file: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
    with written_whole(file) as aside, aside.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(header)
        writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return len(rows)


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what could begin one."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _plain(text: str) -> str:
    """The text of a cell, without the apostrophe of `_harmless`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def read_answers(file: Path, photographs: Photographs) -> Read:
    """Read answers: two columns name the photographs by id, path or name, ``same`` says yes or no.

    The two columns are ``image_a,image_b``, ``path_a,path_b`` or ``id_a,id_b``. Where there is a column ``degree``, it
    counts where it is filled. Rows without an answer are passed over; one that cannot be used gives a sentence, and the
    rest goes on.

    Raises:
        DoppelgramError: the file or a column is missing, or the file cannot be read.
    """
    table = _table(file)
    there = [sides for sides in _SIDES if set(sides) <= set(table.rows.columns)]
    if not there or not {"same", "degree"} & set(table.rows.columns):
        raise DoppelgramError(
            f"{file}: a table of answers needs the columns image_a, image_b and same; it has "
            f"{', '.join(table.spelled.values())}"
        )
    said, problems = list[Said](), list[str]()
    for position, row in enumerate(table.rows.to_dict("records")):
        answer = _degree(str(row.get("degree") or row.get("same", "")))
        if answer == "":
            continue
        found = ["", ""]
        for sides in there:
            found = [id_ or photographs.find(str(row[side])) for id_, side in zip(found, sides, strict=True)]
        missing = next((at for at, id_ in enumerate(found) if not id_), None)
        if missing is not None:
            text = next((str(row[sides[missing]]) for sides in reversed(there) if row[sides[missing]]), "")
            why = f"there is no photograph {text!r} in the catalog" if text else f"{there[-1][missing]} is empty"
        elif found[0] == found[1]:
            why = "compares a photograph with itself"
        elif answer is None:
            why = f"the answer is {str(row.get('degree') or row.get('same'))[:40]!r}; write yes, no, or a number 0 to 1"
        else:
            said.append(Said((found[0],), (found[1],), float(answer)))
            continue
        problems.append(f"{table.where(position)}: {why}")
    return Read(said, problems)


def read_names(file: Path, photographs: Photographs) -> ReadNames:
    """Read names: a column ``path`` or ``id``, and a column ``label`` or ``name``; rows without a name are passed over.

    Raises:
        DoppelgramError: the file or a column is missing, or the file cannot be read.
    """
    table = _table(file)
    columns = list(table.rows.columns)
    of = [column for column in ("id", "path") if column in columns]
    name = next((column for column in ("label", "name", "identity") if column in columns), "")
    if not of or not name:
        raise DoppelgramError(
            f"{file}: a table of names needs the columns path and label; it has {', '.join(table.spelled.values())}"
        )
    named, problems = dict[str, list[str]](), list[str]()
    for position, row in enumerate(table.rows.to_dict("records")):
        text = " ".join(_plain(str(row[name])).split())
        id_ = next(filter(None, (photographs.find(_plain(str(row[column]))) for column in of)), "")
        if not text:
            continue
        if id_:
            named.setdefault(text, []).append(id_)
        else:
            given = next((str(row[column]) for column in reversed(of) if row[column]), "")
            problems.append(f"{table.where(position)}: there is no photograph {given!r} in the catalog")
    return ReadNames(named, problems)


def _table(file: Path) -> Table:
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such file")
    return read_table(file)


def _degree(text: str) -> float | str | None:
    """An answer from 0 to 1; empty where there is none, None where it is none."""
    text = text.strip().casefold()
    if text in _SAME:
        return 1.0
    if text in _DIFFERENT:
        return 0.0
    try:
        value = float(text.replace(",", ".")) if text else None
    except ValueError:
        return None
    return "" if value is None else value if 0 <= value <= 1 else None
