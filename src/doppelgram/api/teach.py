"""Teach a catalog what looks alike: answers in, groups and probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.files import check_folder
from doppelgram.numbers import count
from doppelgram.teaching.recalibrate import Change
from doppelgram.teaching.state import State
from doppelgram.teaching.tables.answers import read_answers
from doppelgram.teaching.tables.groups import QUESTION_COLUMNS, question_rows, write_questions
from doppelgram.teaching.tables.names import ReadNames, read_names
from doppelgram.teaching.teacher import Teacher
from doppelgram.teaching.versions import Version
from doppelgram.training.recipes.files import read_recipe

GROUPS_FILE, PAIRS_FILE, LABELS_FILE, QUESTIONS_FILE = "groups.csv", "pairs.csv", "labels.csv", "questions.csv"


@dataclass(frozen=True)
class Taught:
    """What was done and what it changed.

    Attributes:
        lines: all of it in sentences, and what to do next.
        problems: rows that could not be used and answers that were kept aside, a sentence each.
        state: what all answers have bought.
        change: what became of the probabilities; None where no answers were given.
        versions: all of them, oldest first.
        questions: the most useful ones, a row each as in a table to fill in, the header first; empty if not asked for.
        files: that were written.
        mend: where rows could not be used, how many and what to do; empty where all could.
    """

    lines: list[str]
    problems: list[str]
    state: State
    change: Change | None
    versions: list[Version]
    questions: Sequence[tuple[str, ...]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    mend: str = ""


def teach(
    catalog: Path | str,
    *,
    answers: Path | str | None = None,
    names: Path | str | None = None,
    questions: int = 0,
    export: Path | str | None = None,
    train: str | Path | None = None,
    back_to: int | None = None,
    who: str = "",
    weights: Path | str | None = None,
    progress: Progress | None = None,
) -> Taught:
    """Take in answers and names, group the photographs by them, and refit probabilities where that is better.

    Args:
        catalog: catalog folder.
        answers: table with ``image_a,image_b,same``: two photographs by path, name or id, and 1 or 0.
        names: table with ``path,label``: what photographs show.
        questions: so many of the most useful questions are given.
        export: folder for the tables of groups, of pairs, of named photographs and, if any are asked for, of questions.
        train: recipe to train with on the photographs that have names.
        back_to: number of the version to put into effect.
        who: who gave the answers; kept with them.
        weights: folder in which pretrained weights of the catalog's model are looked up first.
        progress: where progress of a training is shown; the terminal by default.

    Raises:
        DoppelgramError: there is no such catalog, file or version, or the catalog's model says no probabilities.
    """
    store = Catalog.open(catalog)
    if (folder := None if export is None else Path(export).expanduser()) is not None:
        check_folder(folder)
    teacher = Teacher(store, weights=weights)
    lines, problems, mend = list[str](), list[str](), list[str]()
    if back_to is not None:
        version = teacher.go_back(back_to)
        lines.append(f"Version {version.number} is in effect: {version.made_by}.")
    # Answers first: what follows from names that follow from them would be passed over.
    for given, what in ((answers, "answer"), (names, "name")):
        if given is not None:
            path = Path(given).expanduser()
            read = (read_names if what == "name" else read_answers)(path, teacher.photographs)
            done = teacher.add_names(read, who) if isinstance(read, ReadNames) else teacher.add(read, who)
            mend += [f"{path}: {count(len(read.problems), 'row')} could not be used"] if read.problems else []
            lines.append(done.sentence(path, what))
            problems += done.problems
    change = teacher.recalibrate() if answers is not None else None
    if train is not None:
        lines.append(teacher.train(read_recipe(train), progress or TerminalProgress()).sentence)
    state = teacher.state()
    lines += [state.sentence, *([change.sentence] if change else [])]
    asked = teacher.questions(questions) if questions else []
    files = []
    if folder is not None:
        files = [folder / name for name in (GROUPS_FILE, PAIRS_FILE, LABELS_FILE)]
        teacher.export_groups(files[0])
        teacher.export_pairs(files[1])
        teacher.export_labels(files[2])
        if asked:
            files.append(folder / QUESTIONS_FILE)
            write_questions(files[-1], asked, teacher.photographs)
    if questions and not asked:
        lines.append("There is nothing left to ask: what is not settled is not in doubt.")
    rows = [QUESTION_COLUMNS, *question_rows(asked, teacher.photographs)] if asked else []
    if mend:
        mend.append("the others are taken in; mend these and give the file again, what is known is passed over")
    return Taught(lines, problems, state, change, teacher.versions(), rows, files, "; ".join(mend))
