"""Answers in and out as tables of pairs that the rest of the project reads."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from doppelgram.errors import DoppelgramError
from doppelgram.teaching.answers import ASIDE, NAME, Entry, Pair, Said, pairs_of, pairs_said
from doppelgram.teaching.tables.cells import opened_table, plain, write_table
from doppelgram.teaching.tables.photographs import Photographs

PAIR_COLUMNS = (
    *("path_a", "path_b", "same", "degree", "id_a", "id_b", "answer", "who", "when"),
    *("aside", "shown_a", "shown_b", "odds", "strength", "model"),
)
_SAME, _DIFFERENT = ("1", "true", "yes", "same", "y"), ("0", "false", "no", "different", "n")
_SIDES = (("id_a", "id_b"), ("path_a", "path_b"), ("image_a", "image_b"))
_MOST = 1e6  # log-odds and strengths beyond this are none


class Read(NamedTuple):
    """What a table said: answers, and a sentence for each row that could not be used."""

    said: list[Said]
    problems: list[str]


def write_pairs(file: Path, standing: Iterable[Entry], aside: Container[int], photographs: Photographs) -> int:
    """Write answers as a table of pairs, as `doppelgram.dataset.pairs.read_pairs` reads it; how many.

    ``same`` is 1 from a degree of one half on; ``degree`` says it in full. Rows of one ``answer`` were said at once;
    the first names all photographs that were shown where these are more than two, and how the question stood, so that
    `read_answers` gives the same answers again.

    Args:
        file: to write.
        standing: `Answers.standing`.
        aside: numbers of answers that do not count, which column ``aside`` marks.
        photographs: of the catalog.
    """
    rows: list[tuple[object, ...]] = []
    for entry in standing:
        if entry.kind == NAME:
            continue
        pairs = [one for one in pairs_of(entry) if one.id_a in photographs.path and one.id_b in photographs.path]
        marked = int(entry.kind == ASIDE or entry.number in aside)
        question = _question(entry)
        for at, pair in enumerate(pairs):
            rows.append((*_pair(pair, photographs), marked, *(question if at == 0 else [""] * len(question))))
    return write_table(file, PAIR_COLUMNS, rows)


def _pair(pair: Pair, photographs: Photographs) -> tuple[object, ...]:
    return (
        photographs.path[pair.id_a],
        photographs.path[pair.id_b],
        int(pair.degree >= 0.5),
        f"{pair.degree:g}",
        pair.id_a,
        pair.id_b,
        pair.number,
        pair.who,
        pair.when.isoformat(timespec="seconds"),
    )


def _question(entry: Entry) -> list[object]:
    """What was shown, by ids, and the log-odds of the question, their strength and their model; empty where none."""
    several = len(entry.ids_a) + len(entry.ids_b) > 2
    shown = [" ".join(ids) if several else "" for ids in (entry.ids_a, entry.ids_b)]
    # Not as a number, which may begin with a minus: that is a formula to `write_table`.
    asked = ["", "", ""] if entry.odds is None else [entry.odds, entry.strength, entry.model]
    return [*shown, *asked]


def read_answers(file: Path, photographs: Photographs) -> Read:
    """Read answers: two columns name the photographs by id, path or name, ``same`` says yes or no.

    The two columns are ``image_a,image_b``, ``path_a,path_b`` or ``id_a,id_b``. Where there is a column ``degree``, it
    counts where it is filled. Rows without an answer are passed over; one that cannot be used gives a sentence, and the
    rest goes on. Of a table that `write_pairs` wrote, what was kept aside stays so, and rows of one answer are one.

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
    read, problems = list[tuple[str, Said, list[tuple[str, ...]]]](), list[str]()
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
        elif not (why := _unusable(row)):
            said = Said((found[0],), (found[1],), float(answer), *_asked(row))
            shown = [tuple(str(row.get(side, "")).split()) for side in ("shown_a", "shown_b")]
            read.append((str(row.get("answer", "")), said, shown))
            continue
        problems.append(f"{table.where(position)}: {why}")
    grouped = [list(rows) for _, rows in groupby(read, key=itemgetter(0))]
    whole = (_whole([(said, shown) for _, said, shown in rows], photographs) for rows in grouped)
    return Read([said for answers in whole for said in answers], problems)


def _whole(rows: list[tuple[Said, list[tuple[str, ...]]]], photographs: Photographs) -> list[Said]:
    """One answer about all that was shown, if the rows still say exactly that; else each row by itself."""
    first, (shown_a, shown_b) = rows[0]
    if not shown_a or not shown_b:
        return [said for said, _ in rows]
    usable = not set(shown_a) & set(shown_b) and photographs.path.keys() >= {*shown_a, *shown_b}
    whole = first._replace(ids_a=shown_a, ids_b=shown_b)
    told = {(said.ids_a[0], said.ids_b[0], said.degree, said.aside) for said, _ in rows}
    if usable and told == {(a, b, whole.degree, whole.aside) for a, b in pairs_said(shown_a, shown_b, whole.degree)}:
        return [whole]
    return [said._replace(odds=None, strength=1.0, model="") for said, _ in rows]


def _unusable(row: Mapping[Any, Any]) -> str:
    """Why the columns that only an exported table has cannot be used; empty where they can."""
    for column in ("odds", "strength"):
        text = plain(str(row.get(column, "")))
        try:
            usable = not text or (math.isfinite(float(text)) and abs(float(text)) <= _MOST)
        except ValueError:
            usable = False
        if not usable or (column == "strength" and text and float(text) <= 0):
            return f"{column} is {text[:40]!r}; leave it as it was exported, or empty"
    aside = str(row.get("aside", "")).strip().casefold()
    return "" if aside in ("", *_SAME, *_DIFFERENT) else f"aside is {aside[:40]!r}; write 1 or 0"


def _asked(row: Mapping[Any, Any]) -> tuple[float | None, float, str, str, bool]:
    """Log-odds, strength and model of the question, who answered, and whether the answer is kept aside."""
    odds, strength = (plain(str(row.get(column, ""))) for column in ("odds", "strength"))
    aside = str(row.get("aside", "")).strip().casefold() in _SAME
    who, model = plain(str(row.get("who", ""))), str(row.get("model", ""))
    return float(odds) if odds else None, float(strength) if strength else 1.0, model, who, aside


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
