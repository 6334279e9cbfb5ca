"""The command that finds role models: trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Json, Seed, Weights, answer_console, app, print_json, progress_console
from doppelgram.rolemodels.settings import TraceSettings


@app.command()
def trace(
    posts: Annotated[
        Path,
        typer.Argument(
            metavar="POSTS",
            help="Table (path, author, timestamp), folder of a data export or of a downloader, JSON, or photographs.",
            show_default=False,
        ),
    ],
    model: Annotated[Path, typer.Option(metavar="RUN", help="Run or model folder of a model of places and poses.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where report.html, the tables and the graph are written.")],
    catalog: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where vectors are kept, none computed twice. [OUT/catalog]")
    ] = None,
    weights: Weights = None,
    keypoints: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Ready-made keypoints, for a model that takes those.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which on two posts match. [the model's own]")
    ] = None,
    decay: Annotated[
        float | None, typer.Option(metavar="DAYS", help="Time in which following fades by 1/e. [fitted to the posts]")
    ] = None,
    gamma: Annotated[
        float, typer.Option(help="How much a closer match counts: a power of its odds.")
    ] = TraceSettings.gamma,
    innovation: Annotated[float, typer.Option(help="Weight of following nobody.")] = TraceSettings.innovation,
    draws: Annotated[int, typer.Option(help="Shuffled clocks.")] = TraceSettings.draws,
    timezone: Annotated[str, typer.Option(metavar="NAME", help="Of times that name none, e.g. Europe/Berlin.")] = "UTC",
    ignore_places: Annotated[
        bool, typer.Option("--ignore-places", help="Find places in the photographs though the posts name them.")
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where it is known: table of path, arrangement, parent to score by."),
    ] = None,
    title: Annotated[str, typer.Option(help="Of the report.")] = "",
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Find role models: which posts set the arrangement, pose and place, that later posts repeated."""
    settings = TraceSettings(
        threshold=threshold, decay_days=decay, gamma=gamma, innovation=innovation, draws=draws, seed=seed
    )
    from doppelgram.api.trace import REPORT_FILE, summary
    from doppelgram.api.trace import trace as run_trace
    from doppelgram.rolemodels.validation.truth import score_lines, score_trace

    found = run_trace(
        posts, model, out=out, catalog=catalog, weights=weights, keypoints=keypoints, settings=settings,
        timezone=timezone, places=not ignore_places, title=title, console=progress_console(),
    )  # fmt: skip
    scores = score_trace(found, truth) if truth else None
    if json_:
        print_json(summary(found, out) | ({"truth": scores.to_dict()} if scores else {}))
        return
    from doppelgram.reports.role_models.terminal import overview

    console = answer_console()
    console.print(overview(found), highlight=False)
    for line in score_lines(scores) if scores else ():
        console.print(line, highlight=False)
    console.print(f"report: {out / REPORT_FILE}", highlight=False, markup=False)
