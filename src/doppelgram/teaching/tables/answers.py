"""Answers in and out as tables of pairs that the rest of the project reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from doppelgram.errors import DoppelgramError
from doppelgram.teaching.answers import Pair, Said
from doppelgram.teaching.tables.cells import opened_table, write_table
from doppelgram.teaching.tables.photographs import Photographs

PAIR_COLUMNS = ("path_a", "path_b", "same", "degree", "id_a", "id_b", "answer", "who", "when")
_SAME, _DIFFERENT = ("1", "true", "yes", "same", "y"), ("0", "false", "no", "different", "n")
_SIDES = (("id_a", "id_b"), ("path_a", "path_b"), ("image_a", "image_b"))


class Read(NamedTuple):
    """What a table said: answers, and a sentence for each row that could not be used."""

    said: list[Said]
    problems: list[str]


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
    return write_table(file, PAIR_COLUMNS, rows)


def read_answers(file: Path, photographs: Photographs) -> Read:
    """Read answers: two columns name the photographs by id, path or name, ``same`` says yes or no.

    The two columns are ``image_a,image_b``, ``path_a,path_b`` or ``id_a,id_b``. Where there is a column ``degree``, it
    counts where it is filled. Rows without an answer are passed over; one that cannot be used gives a sentence, and the
    rest goes on.

    Raises:
        DoppelgramError: the file or a column is missing, or the file cannot be read.
    """
    table = opened_table(file)
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
