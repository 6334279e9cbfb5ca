"""The command that draws the embedding space: map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Json, Keypoints, Seed, Weights, app, print_json, progress_console


@app.command("map")
def map_(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Catalog, run or model folder.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA", help="Images to map with the run's model, instead of its own.", show_default=False
        ),
    ] = None,
    method: Annotated[str, typer.Option(metavar="pca|tsne", help="How the space is flattened.")] = "tsne",
    out: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Page (.html) or picture (.png, .svg) to write; repeatable. [map.html]"),
    ] = None,
    projector: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write files for TensorBoard's projector into a folder.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help="train, val, test or extra of the run's own images; repeatable."),
    ] = None,
    perplexity: Annotated[float, typer.Option(help="t-SNE: about how many neighbours count as near.")] = 30.0,
    place: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Put further images into the map; the others do not move.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the map, to place images in it later with --onto.")
    ] = None,
    onto: Annotated[Path | None, typer.Option(metavar="FILE", help="Place images in a map kept with --save.")] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="With a model of places and poses: draw joint, place or pose.", show_default="joint"
        ),
    ] = "",
    title: Annotated[str, typer.Option(help="Stands above the map.")] = "",
    weights: Weights = None,
    keypoints: Keypoints = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Draw the embedding space in two dimensions: who is near whom, and who is misclassified."""
    from doppelgram.api.map import draw_map
    from doppelgram.reports.map.parts import wrong_lines

    files = out or ([] if projector or save else [Path("map.html")])
    found = draw_map(
        source,
        data,
        method=method,
        out=files,
        projector=projector,
        save=save,
        place=place,
        onto=onto,
        parts=part or (),
        by=by,
        seed=seed,
        perplexity=perplexity,
        title=title,
        weights=weights,
        keypoints=keypoints,
        console=progress_console(),
    )
    written = [*files, *(path for path in (projector, save) if path)]
    if json_:
        print_json({**found.summary(), "files": [str(path) for path in written]})
        return
    typer.echo(wrong_lines(found))
    for path in written:
        typer.echo(f"written: {path}", err=True)
    if projector:
        typer.echo(f"look at it with: tensorboard --logdir {projector}", err=True)
