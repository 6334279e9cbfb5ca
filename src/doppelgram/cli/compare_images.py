"""The command that compares two photographs by place and pose: compare-images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Json, Keypoints, Weights, app, print_json
from doppelgram.numbers import probability


@app.command("compare-images")
def compare_images(
    image_a: Annotated[Path, typer.Argument(metavar="A", help="A photograph.", show_default=False)],
    image_b: Annotated[Path, typer.Argument(metavar="B", help="Another.", show_default=False)],
    model: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Model of places and poses; without it skeletons are compared.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw photographs, skeletons, scores and reasons here.")
    ] = None,
    estimator: Annotated[
        str, typer.Option(metavar="NAME", help="Without a model: what finds people.", show_default="movenet")
    ] = "",
    weights: Weights = None,
    keypoints: Keypoints = None,
    json_: Json = False,
) -> None:
    """Say whether two photographs show the same pose before the same place, and why."""
    from doppelgram.api.compare_images import compare_images as run_comparison

    answer = run_comparison(
        image_a, image_b, model=model, out=out, estimator=estimator, weights=weights, keypoints=keypoints
    )
    if out:
        typer.echo(f"picture written to {out}", err=True)
    if json_:
        print_json(answer.to_dict())
        return
    chance = "" if answer.probability is None else f" (the same with probability {probability(answer.probability)})"
    typer.echo(f"{answer.verdict}{chance}")
    for sentence in answer.why:
        typer.echo(f"  {sentence}")
