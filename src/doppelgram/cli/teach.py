"""The command that takes answers in."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doppelgram.cli.app import (
    LEARN,
    Catalog,
    Json,
    Weights,
    at_least,
    command,
    option,
    print_json,
    progress,
    say_written,
    switch,
)
from doppelgram.errors import DoppelgramError

if TYPE_CHECKING:
    from doppelgram.api.teach import Taught


@command(
    "teach catalog --questions 20 > questions.csv",
    "teach catalog --answers questions.csv",
    "teach catalog --names labels.csv --export taught",
    "teach catalog --back-to 1",
    panel=LEARN,
)
def teach(
    catalog: Catalog,
    answers: Annotated[
        Path | None,
        option("FILE", "Answers: a table image_a, image_b, same. Photographs by path, name or id; 1 or 0."),
    ] = None,
    names: Annotated[Path | None, option("FILE", "Names: a table path, label. One name, one thing.")] = None,
    questions: Annotated[
        int,
        option(
            "N", "Print the N most useful questions as a table. Fill in the column same.", check=at_least(0, 10_000)
        ),
    ] = 0,
    export: Annotated[
        Path | None,
        option("DIR", "Write groups.csv, pairs.csv and labels.csv here, and questions.csv with --questions."),
    ] = None,
    train: Annotated[
        str | None,
        option("NAME|FILE", "Train on the named photographs by this recipe, and use it if it is better."),
    ] = None,
    versions: Annotated[bool, switch("List the versions of the probabilities.", "--versions")] = False,
    back_to: Annotated[int | None, option("N", "Put version N into effect. Answers stay.", check=at_least(1))] = None,
    who: Annotated[str, option("NAME", "Who answered. It is kept with the answers.")] = "",
    json_: Json = False,
    weights: Weights = None,
) -> None:
    """Answer which photographs of a catalog show the same, and group them by it.

    One answer settles many pairs. Probabilities change only where answers that were kept out say it is better.
    Rows that cannot be used are named, the others are taken in, and the exit status is 2.
    """
    from doppelgram.api.teach import teach as run_teaching

    done = run_teaching(
        catalog,
        answers=answers,
        names=names,
        questions=questions,
        export=export,
        train=train,
        back_to=back_to,
        who=who,
        weights=weights,
        progress=progress(),
    )
    for problem in done.problems:
        typer.echo(f"warning: {problem}", err=True)
    say_written(*done.files)
    if json_:
        print_json(asdict(done))
    else:
        _show(done, versions, alone=export is None)
    if done.mend:
        raise DoppelgramError(done.mend)


def _show(done: Taught, versions: bool, *, alone: bool) -> None:
    from doppelgram.cli.tables import echo_paragraph, echo_table

    table = bool(done.questions) and alone
    for line in done.lines:
        if table:  # standard output is the table alone
            typer.echo(line, err=True)
        else:
            echo_paragraph(line)
    if table:
        csv.writer(sys.stdout, lineterminator="\n").writerows(done.questions)
    elif versions:
        rows = [
            (f"{one.number}{' *' if one.current else ''}", one.when[:10], one.kind, one.made_by)
            for one in done.versions
        ]
        echo_table(("version", "day", "kind", "made by"), rows, names=("made by",))
