"""The command that finds people and their poses: pose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Json, Weights, app, print_json, progress_console


@app.command()
def pose(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Folder of images, a table (CSV, TSV, Parquet), or one photograph.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.parquet", help="Table of keypoints to write.")],
    estimator: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="movenet, movenet-thorough (slower), mediapipe, vitpose, or keypoints that are ready-made.",
        ),
    ] = "movenet",
    weights: Weights = None,
    pose_weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The estimator's own weights, or the ready-made keypoints (file or folder)."),
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw skeletons over each photograph into a folder.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where answers are kept; in the user's cache by default.")
    ] = None,
    json_: Json = False,
) -> None:
    """Find the people in photographs and their poses: 18 keypoints each."""
    from doppelgram.api.pose import estimate_poses

    found = estimate_poses(
        data, out, estimator=estimator, weights=weights, pose_weights=pose_weights, draw=draw, cache=cache,
        console=progress_console(),
    )  # fmt: skip
    if json_:
        print_json({**found.to_dict(), "file": str(out)})
        return
    typer.echo(found.summary())
    if found.unnamed:
        count = len(found.unnamed)
        which = "1 photograph is" if count == 1 else f"{count:,} photographs are"
        typer.echo(f"{which} not named among the keypoints", err=True)
    for path in (out, draw):
        if path:
            typer.echo(f"written: {path}", err=True)
