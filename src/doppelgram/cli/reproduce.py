"""Commands that do a published experiment again: reproduce lookalike, reproduce rolemodel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Json, Seed, Weights, app, print_json, progress_console

reproduce = typer.Typer(
    help="Do a published experiment again, and set its figures beside yours.", no_args_is_help=True,
    rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
app.add_typer(reproduce, name="reproduce")


@reproduce.command()
def lookalike(
    signs: Annotated[Path, typer.Option(metavar="DIR", help="Traffic signs: <class>/<panorama>_<n>.png.")],
    faces: Annotated[Path, typer.Option(metavar="DIR", help="LFW: <Name>/<Name>_<n>.jpg.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything is written.")],
    face_classes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Identities, one a line; by default those with 16 images or more."),
    ] = None,
    weights: Weights = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A rehearsal: small network, 40 images a class, few epochs.")
    ] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of each training.")] = None,
    images: Annotated[
        int | None, typer.Option(min=0, help="At most so many images of a class; 0 for all, which is the default.")
    ] = None,
    dims: Annotated[str, typer.Option(metavar="N,...", help="Embedding sizes to try.")] = "2,16,32,64",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="Change a key of every recipe; repeatable.")
    ] = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Signs and faces at 64 x 64: contrastive and triplet loss, mining, embedding sizes, maps, look-alikes.

    The same command goes on where it was interrupted. Without --quick it takes a night on two cores.
    """
    from doppelgram.comparison.grid import parse_dims
    from doppelgram.studies.lookalike.reproduce import reproduce_lookalike

    report = reproduce_lookalike(
        signs, faces, out, face_classes=face_classes, weights=weights, quick=quick, epochs=epochs, most_images=images,
        overrides=set_ or (), dims=parse_dims(dims), seed=seed, console=progress_console(),
    )  # fmt: skip
    if json_:
        print_json({"report": str(report), "markdown": str(report.with_suffix(".md"))})
    else:
        typer.echo(f"report written to {report}")


@reproduce.command()
def rolemodel(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Posts: <place>/<pose>/<image>, or a table.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything is written.")],
    weights: Weights = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table path,person,photo of what must not straddle the division; by default DATA/truth.csv.",
        ),
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="closed (known places and poses), open (whole ones held out) or both.")
    ] = "both",
    backbone: Annotated[
        str, typer.Option(help="Of all rungs: a name of weights or a transformers folder.")
    ] = "mobilenet_v2_imagenet",
    estimator: Annotated[
        str, typer.Option(help="Who finds the people; by default DATA/keypoints.json, or else movenet.")
    ] = "",
    pose_weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The estimator's weights, or a file of keypoints.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A rehearsal: small pictures, few epochs, few pairs.")] = False,
    ours: Annotated[bool, typer.Option("--ours/--no-ours", help="Whether our own model is trained too.")] = True,
    rung: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Only this rung now, such as last_pose; repeatable. Others may follow."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="K=V", help="Change a key of the study's recipes; repeatable."),
    ] = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Same pose before the same place? The study's networks rung by rung, its figures beside yours.

    The same command goes on where it was interrupted.
    """
    from doppelgram.studies.role_model.reproduce import reproduce_rolemodel

    report = reproduce_rolemodel(
        data, out, weights=weights, groups=groups, protocol=protocol, backbone=backbone, estimator=estimator,
        pose_weights=pose_weights, quick=quick, ours=ours, only=rung or (), overrides=set_ or (), seed=seed,
        console=progress_console(),
    )  # fmt: skip
    if json_:
        print_json({"report": str(report), "markdown": str(report.with_suffix(".md"))})
    else:
        typer.echo(f"report written to {report}")
