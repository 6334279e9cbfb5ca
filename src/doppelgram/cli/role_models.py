"""The commands that read posts: check and trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from doppelgram.cli.app import (
    ROLE_MODELS,
    START,
    Arrangements,
    Check,
    Columns,
    Json,
    Keypoints,
    LabelLevel,
    Seed,
    View,
    Weights,
    argument,
    columns_of,
    command,
    option,
    print_checked,
    print_json,
    progress,
    switch,
)
from doppelgram.cli.tables import echo_paragraph, echo_table
from doppelgram.rolemodels.settings import TraceSettings

if TYPE_CHECKING:
    from doppelgram.rolemodels.result import RoleModels

Timezone = Annotated[str, option("NAME", "Time zone of times that name none, such as Europe/Berlin.")]
Reader = Annotated[
    str, option("NAME", "Reader of posts to use, such as table, exif or export. By default the first that fits.")
]
_SCORING = "How posts are scored"
MAX_ROWS = 10


@command(
    "check capture.ndjson",
    "check posts.csv --columns path=File,author=User,timestamp=Created",
    "check photos --images --json",
    panel=START,
)
def check(
    source: Annotated[Path, argument("SOURCE", "Folder, table, capture, export, JSON or ZIP file.")],
    images: Annotated[
        bool, switch("Ask about labelled images, as train and index read them, not about posts.", "--images")
    ] = False,
    label_level: LabelLevel = None,
    timezone: Timezone = "UTC",
    columns: Columns = "",
    reader: Reader = "",
    json_: Json = False,
) -> None:
    """Say what would be read, from which fields, and what is left aside.

    No picture is opened and nothing is computed.
    """
    from doppelgram.api.check import check as run_check

    found = run_check(
        source,
        images=images or label_level is not None,
        label=f"level:{label_level}" if label_level else "",
        timezone=timezone,
        columns=columns_of(columns),
        reader=reader,
    )
    print_checked(found, json_)


@command(
    "trace posts.csv --out traced",
    "trace export --model run --out traced --timezone Europe/Berlin",
    panel=ROLE_MODELS,
)
def trace(
    posts: Annotated[
        Path,
        argument(
            "POSTS", "Table (path, author, timestamp), capture, export, downloader's folder, JSON, ZIP or photographs."
        ),
    ],
    out: Annotated[Path, option("DIR", "Folder for report.html, tables and graph.")],
    model: Arrangements = None,
    catalog: Annotated[
        str | None,
        option(
            "DIR",
            "Catalog folder, or s3://bucket/prefix. Vectors in it are not computed again. By default OUT/catalog.",
        ),
    ] = None,
    timezone: Timezone = "UTC",
    columns: Columns = "",
    reader: Reader = "",
    check_: Check = False,
    ignore_places: Annotated[
        bool, switch("Ignore the places that posts name. Use the photographs alone.", "--ignore-places")
    ] = False,
    anonymise: Annotated[
        bool, switch("Letters for authors, blurred faces, no captions. Needs --catalog.", "--anonymise")
    ] = False,
    truth: Annotated[Path | None, option("FILE", "Table of the true answer: path, arrangement, parent.")] = None,
    title: Annotated[str, option("TEXT", "Title of the report.")] = "",
    seed: Seed = 0,
    json_: Json = False,
    threshold: Annotated[
        float | None,
        option("P", "Two posts match from this probability on. By default the model's own.", panel=_SCORING),
    ] = None,
    decay: Annotated[
        float | None,
        option(
            "DAYS",
            "Days in which the weight of a follower falls to 37 %. By default fitted.",
            panel=_SCORING,
        ),
    ] = None,
    gamma: Annotated[
        float, option("X", "How much a closer match counts: exponent of its odds.", panel=_SCORING)
    ] = TraceSettings.gamma,
    innovation: Annotated[
        float, option("X", "How readily a post counts as following nobody.", panel=_SCORING)
    ] = TraceSettings.innovation,
    reposts: Annotated[
        str, option("HOW", "Later posts of the same photograph: aside, or count as any other.", panel=_SCORING)
    ] = TraceSettings.reposts,
    permutations: Annotated[
        int, option("N", "How often times are shuffled at most, for the test of each arrangement.", panel=_SCORING)
    ] = TraceSettings.permutations,
    draws: Annotated[
        int, option("N", "How often all times are shuffled, for the interval of followers.", panel=_SCORING)
    ] = TraceSettings.draws,
    weights: Weights = None,
    keypoints: Keypoints = None,
    view: View = None,
) -> None:
    """Find role models: posts whose pose and place later posts repeated."""
    if check_:
        from doppelgram.api.check import check as run_check

        print_checked(run_check(posts, timezone=timezone, columns=columns_of(columns), reader=reader), json_)
        return
    settings = TraceSettings(
        threshold=threshold,
        decay_days=decay,
        gamma=gamma,
        innovation=innovation,
        reposts=reposts,
        permutations=permutations,
        draws=draws,
        seed=seed,
    )
    from doppelgram.api.trace import trace as run_trace
    from doppelgram.reports.role_models.anonymous import anonymised
    from doppelgram.reports.role_models.summary import REPORT_FILE, summary
    from doppelgram.rolemodels.validation.truth import score_lines, score_trace

    found = run_trace(
        posts,
        model,
        out=out,
        catalog=catalog,
        weights=weights,
        keypoints=keypoints,
        settings=settings,
        timezone=timezone,
        columns=columns_of(columns),
        reader=reader,
        places=not ignore_places,
        anonymise=anonymise,
        title=title,
        view=view,
        progress=progress(),
    )
    scores = score_trace(found, truth) if truth else None
    if anonymise:  # what is printed may be passed on, too
        found, _ = anonymised(found)
    if json_:
        print_json(summary(found, out) | ({"truth": scores.to_dict()} if scores else {}))
        return
    print_ranking(found)
    for line in score_lines(scores) if scores else ():
        echo_paragraph(line)
    typer.echo(f"report: {out / REPORT_FILE}")


def print_ranking(found: RoleModels) -> None:
    """The leading posts as a table, and what a reader must know; a star marks what shuffled clocks do not explain."""
    from doppelgram.numbers import day, number, percent
    from doppelgram.rolemodels.findings import goes_beyond, lead, spreads

    echo_paragraph(lead(found))
    leaders: list[Any] = list(found.leaders.head(MAX_ROWS).itertuples(index=False))
    if leaders:
        rows = [
            (
                f"{rank}{'*' if goes_beyond(post) else ' '}",
                f"{post.rank_low}-{post.rank_high}",
                str(post.followers),
                number(post.excess),
                percent(post.origin, 0) if spreads(post) else "-",
                day(post.timestamp),
                str(post.author),
                str(post.path),
            )
            for rank, post in enumerate(leaders, start=1)
        ]
        headings = ("rank ", "95 %", "followers", "excess", "origin", "time", "author", "path")
        typer.echo()
        echo_table(headings, rows, names=("author", "path"))
        typer.echo()
        if any(goes_beyond(post) for post in leaders):
            echo_paragraph("* precedes and matches, more than a shuffled clock explains, and is the likely origin")
    for note in found.notes:
        echo_paragraph(f"note: {note}")
