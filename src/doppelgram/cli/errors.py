"""The command that shows what a model gets most wrong: errors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Json, Keypoints, RunFolder, Weights, app, print_json, progress_console


@app.command()
def errors(
    run: RunFolder,
    data: Annotated[
        Path | None,
        typer.Argument(metavar="[DATA]", help="Labelled images; by default the run's own.", show_default=False),
    ] = None,
    part: Annotated[str, typer.Option(metavar="PART", help="Report on test, val, train or all of the run.")] = "all",
    out: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw a contact sheet.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all findings as CSV.")] = None,
    most: Annotated[int, typer.Option("-n", min=1, help="Findings to show, shared out among the categories.")] = 40,
    weights: Weights = None,
    keypoints: Keypoints = None,
    json_: Json = False,
) -> None:
    """List label mistakes, copies, wrong pairs and outliers, the worst first, so that you can clean the data."""
    from doppelgram.api.label_errors import HEADINGS, list_label_errors

    answer = list_label_errors(
        run,
        data,
        part=part,
        out=out,
        csv=csv,
        most=most,
        weights=weights,
        keypoints=keypoints,
        console=progress_console(),
    )
    if json_:
        facts = {"images": answer.images, "counts": answer.counts(), "notes": list(answer.notes)}
        print_json({**facts, "findings": [finding.to_dict() for finding in answer.findings]})
        return
    counts, shown = answer.counts(), answer.worst(most)
    for kind, (title, _) in HEADINGS.items():
        typer.echo(f"{title}: {counts[kind]:,}" if counts[kind] else f"{title}: none")
        for finding in shown:
            if finding.category == kind:
                where = f" [{finding.part}]" if finding.part else ""
                beside = f"  beside {finding.other_path}" if finding.other_path else ""
                line = f"  {finding.score:.2f}  {finding.path}{where}: {finding.reason}{beside}"
                typer.echo(" ".join(line.splitlines()))
    for note in answer.notes:
        typer.echo(f"note: {note}")
    for file in (out, csv):
        if file:
            typer.echo(f"written to {file}")
