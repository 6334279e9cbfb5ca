"""The command that compares losses, miners and embedding sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Data, Json, Weights, app, print_json, progress_console


@app.command()
def compare(
    data: Data,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for runs and report; the same one goes on.")],
    losses: Annotated[
        str, typer.Option(metavar="NAME,...", help="Losses, with parameters as in 'triplet(margin=0.1),contrastive'.")
    ] = "triplet",
    miners: Annotated[
        str, typer.Option(metavar="NAME,...", help="Miners: none (random), all, semihard, batchhard, ...")
    ] = "none,semihard,batchhard",
    dims: Annotated[str, typer.Option(metavar="N,...", help="Embedding sizes.")] = "64",
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Trainings of each setting, seeds 0 to N - 1.")] = 3,
    recipe: Annotated[str, typer.Option(metavar="NAME|FILE", help="What all runs share.")] = "triplet",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="Change a key of the recipe; repeatable.")
    ] = None,
    split: Annotated[Path | None, typer.Option(metavar="FILE", help="Split made by `doppelgram split`.")] = None,
    weights: Weights = None,
    part: Annotated[str, typer.Option(metavar="val|test", help="Part whose images are asked.")] = "val",
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Train nothing; report on the runs that are finished.")
    ] = False,
    json_: Json = False,
) -> None:
    """Train a grid of losses, miners and sizes, and say which differences are real."""
    import json
    import shlex
    import sys

    from doppelgram.api.compare import compare as run_comparison
    from doppelgram.comparison.findings import read_comparison

    comparison = run_comparison(
        data, out, losses=losses, miners=miners, dims=dims, seeds=seeds, recipe=recipe, overrides=set_ or (),
        split=split, weights=weights, part=part, report_only=report_only,
        command=shlex.join(["doppelgram", *sys.argv[1:]]), console=progress_console(),
    )  # fmt: skip
    if json_:
        print_json(json.loads((out.expanduser() / "comparison.json").read_text(encoding="utf-8")))
        return
    for finding in read_comparison(comparison):
        typer.echo(f"{finding.topic}: {finding.text}")
    typer.echo(f"Report: {out / 'report.html'}")
