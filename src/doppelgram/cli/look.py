"""Commands that ask the learned metric: index, search, verify."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doppelgram.cli.app import (
    Data,
    Json,
    Keypoints,
    RunFolder,
    Weights,
    answer_console,
    app,
    print_json,
    progress_console,
)

if TYPE_CHECKING:
    from doppelgram.catalog.search import Match

Crop = Annotated[
    str,
    typer.Option(
        metavar="face[:NAME]",
        help="Cut the largest face out of each photograph, upright; NAME is opencv or mediapipe.",
        show_default=False,
    ),
]
ShowCrops = Annotated[
    Path | None, typer.Option(metavar="PNG", help="Draw each photograph and what is cut from it into a picture.")
]


@app.command()
def index(
    data: Data,
    model: Annotated[Path, typer.Option(metavar="RUN", help="Run or model folder.")],
    catalog: Annotated[Path, typer.Option(metavar="DIR", help="Catalog folder, made if it is not there.")],
    json_: Json = False,
    crop: Crop = "",
    show_crops: ShowCrops = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Embed images into a catalog; what is there already is skipped."""
    from doppelgram.api.search import index as run_index

    report = run_index(
        data, model, catalog, crop=crop, show_crops=show_crops, weights=weights, keypoints=keypoints,
        console=progress_console(),
    )  # fmt: skip
    _tell_drawn(show_crops)
    if json_:
        facts = json.loads(report.to_json())
        outcomes = facts.pop("outcomes")
        facts["problems"] = [outcome for outcome in outcomes if outcome["status"] != "ok"]
        looked = [outcome for outcome in outcomes if outcome["status"] == "ok" and "faces" in outcome]
        if looked:
            facts["without_face"] = [outcome["path"] for outcome in looked if outcome["faces"] == 0]
            facts["several_faces"] = [outcome["path"] for outcome in looked if outcome["faces"] > 1]
        print_json(facts)
    else:
        typer.echo(report.summary())


@app.command()
def search(
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Catalog folder.", show_default=False)],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Photographs to find look-alikes of.", show_default=False)
    ],
    k: Annotated[int, typer.Option("-k", min=1, help="How many look-alikes.")] = 5,
    by: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="With a model of places and poses: rank by joint, place or pose.", show_default="joint"
        ),
    ] = "",
    json_: Json = False,
    montage: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw queries and answers into a picture.")
    ] = None,
    crop: Crop = "",
    show_crops: ShowCrops = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Find the images in a catalog that look most like each given one."""
    from doppelgram.api.search import search as run_search

    found = run_search(
        catalog, images, k, by=by, montage=montage, crop=crop, show_crops=show_crops, weights=weights,
        keypoints=keypoints, console=progress_console(),
    )  # fmt: skip
    _tell_drawn(show_crops)
    if montage:
        typer.echo(f"montage written to {montage}", err=True)
    if json_:
        print_json([asdict(neighbours) for neighbours in found])
        return
    if not sys.stdout.isatty():  # for another program: one line an answer, nothing cut
        for neighbours in found:
            for match in neighbours.matches:
                numbers = (_figure(match.probability, ".4f"), *_parts(match, ".4f"))
                facts = (str(match.rank), match.label, f"{match.distance:.4f}", *numbers, match.path)
                typer.echo("\t".join(" ".join(cell.split()) for cell in (neighbours.query, *facts)))
        return
    from rich.table import Table
    from rich.text import Text

    console = answer_console()
    for neighbours in found:
        table = Table(title=Text(neighbours.query), title_justify="left", box=None, pad_edge=False)
        arranged = any(match.parts for match in neighbours.matches)
        columns = ("place", "pose", "both") if arranged else ("distance", "probability")
        table.add_column("", justify="right", no_wrap=True)
        table.add_column("label", no_wrap=True)
        for column in columns:
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("path", no_wrap=True)
        for match in neighbours.matches:
            probability = _figure(match.probability, ".0%")
            numbers = (*_parts(match, ".0%"), probability) if arranged else (f"{match.distance:.3f}", probability)
            cells = (str(match.rank), match.label, *numbers, match.path)
            table.add_row(*(Text(" ".join(cell.split())) for cell in cells))
        console.print(table)
        console.print()


def _figure(probability: float | None, form: str) -> str:
    return "" if probability is None else format(probability, form)


def _parts(match: Match, form: str) -> tuple[str, ...]:
    """Place and pose of an answer by a model that knows them; a pose that could not be compared says so."""
    return tuple("unknown" if name in match.unknown else _figure(value, form) for name, value in match.parts.items())


@app.command()
def verify(
    run: RunFolder,
    image_a: Annotated[Path, typer.Argument(metavar="IMAGE_A", show_default=False)],
    image_b: Annotated[Path, typer.Argument(metavar="IMAGE_B", show_default=False)],
    json_: Json = False,
    crop: Crop = "",
    show_crops: ShowCrops = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Say whether two photographs show the same, and how sure that is."""
    from doppelgram.api.search import verify as run_verify

    verdict = run_verify(
        run, image_a, image_b, crop=crop, show_crops=show_crops, weights=weights, keypoints=keypoints,
        console=progress_console(),
    )  # fmt: skip
    _tell_drawn(show_crops)
    if json_:
        print_json(verdict.to_dict())
    elif verdict.probability is None:
        typer.echo(f"distance {verdict.distance:.4f}; the model is not calibrated, so there is no probability")
    elif verdict.parts:
        word = "same" if verdict.same else "different"
        pose = f"pose {verdict.parts['pose']:.1%}"
        nobody = [str(image) for image, no in ((image_a, verdict.unknown_a), (image_b, verdict.unknown_b)) if no]
        if nobody:
            pose = f"pose unknown, taken as {verdict.parts['pose']:.1%}: nobody in {' and '.join(nobody)}"
        typer.echo(
            f"{word}: probability {verdict.probability:.1%} that they show the same pose before the same place "
            f"(place {verdict.parts['place']:.1%}, {pose})"
        )
    else:
        word = "same" if verdict.same else "different"
        typer.echo(
            f"{word}: probability {verdict.probability:.1%} that they show the same "
            f"(distance {verdict.distance:.4f}, threshold {verdict.threshold:.4f})"
        )


def _tell_drawn(file: Path | None) -> None:
    if file:
        typer.echo(f"cuts drawn into {file}", err=True)
