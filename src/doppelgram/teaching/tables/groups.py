"""Groups and questions as tables to look at and to fill in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from doppelgram.teaching.questions import Question
from doppelgram.teaching.rounds import Group
from doppelgram.teaching.tables.cells import write_table
from doppelgram.teaching.tables.photographs import Photographs

GROUP_COLUMNS = ("path", "group", "name", "settled", "id")
QUESTION_COLUMNS = ("image_a", "image_b", "same", "probability", "why")


def write_groups(file: Path, groups: Iterable[Group], photographs: Photographs) -> int:
    """Write the group of every photograph, the name of the group, and whether answers settle it; how many."""
    rows = [
        (photographs.path[id_], group.number, group.name, int(group.settled), id_)
        for group in groups
        for id_ in group.ids
    ]
    return write_table(file, GROUP_COLUMNS, rows)


def question_rows(questions: Iterable[Question], photographs: Photographs) -> list[tuple[str, str, str, str, str]]:
    """Questions as rows of `QUESTION_COLUMNS`, about the photographs that stand for each side; ``same`` is empty."""
    return [
        (photographs.path[one.ids_a[0]], photographs.path[one.ids_b[0]], "", f"{one.probability:.3f}", one.reason)
        for one in questions
    ]


def write_questions(file: Path, questions: Iterable[Question], photographs: Photographs) -> int:
    """Write questions as a table to fill in, which `read_answers` reads; how many."""
    return write_table(file, QUESTION_COLUMNS, question_rows(questions, photographs))
