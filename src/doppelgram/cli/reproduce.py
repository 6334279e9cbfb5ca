"""Commands that repeat a published study: reproduce lookalike, reproduce rolemodel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import (
    PRETRAINED,
    REPRODUCE,
    Changes,
    Json,
    Program,
    Seed,
    Weights,
    app,
    argument,
    at_least,
    command,
    option,
    print_json,
    progress,
    show_examples,
    switch,
)

reproduce = typer.Typer(
    help="Repeat a published study on your own images, and compare its figures with yours.",
    epilog=show_examples("reproduce rolemodel posts --out study --quick"),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(reproduce, cls=Program, name="reproduce", rich_help_panel=REPRODUCE)

Out = Annotated[Path, option("DIR", "Folder for everything. The same folder continues.")]


@command("reproduce lookalike --signs signs --faces lfw --out out --quick", program=reproduce)
def lookalike(
    signs: Annotated[Path, option("DIR", "Traffic signs, as CLASS/PANORAMA_N.png.")],
    faces: Annotated[Path, option("DIR", "Faces (LFW), as NAME/NAME_N.jpg.")],
    out: Out,
    face_classes: Annotated[
        Path | None, option("FILE", "People to use, one a line. By default those with 16 images or more.")
    ] = None,
    quick: Annotated[bool, switch("A rehearsal: small network, 40 images a class, few epochs.", "--quick")] = False,
    epochs: Annotated[
        int | None, option("N", "Epochs of each training of signs; faces take three times as many.", check=at_least(1))
    ] = None,
    images: Annotated[
        int | None, option("N", "At most so many images a class. By default all.", check=at_least(0))
    ] = None,
    dims: Annotated[str, option("N,...", "Embedding sizes to try.")] = "2,16,32,64",
    backbone: Annotated[
        list[str] | None, option("NAME", "Network to train. Can be repeated. By default vgg16_bn and small.")
    ] = None,
    set_: Changes = None,
    seed: Seed = 0,
    json_: Json = False,
    weights: Weights = None,
) -> None:
    """Repeat the look-alike exercise on traffic signs and faces.

    Contrastive and triplet loss, mining, embedding sizes, maps, look-alikes.

    The same command continues where it was interrupted. It takes a night, or minutes with --quick.
    """
    from doppelgram.comparison.grid import parse_dims
    from doppelgram.studies.lookalike.reproduce import reproduce_lookalike

    report = reproduce_lookalike(
        signs,
        faces,
        out,
        face_classes=face_classes,
        weights=weights,
        quick=quick,
        epochs=epochs,
        most_images=images,
        overrides=set_ or (),
        backbones=backbone or (),
        dims=parse_dims(dims),
        seed=seed,
        progress=progress(),
    )
    _print_report(report, json_)


@command(
    "reproduce rolemodel posts --out study --weights weights",
    "reproduce rolemodel posts --out study --quick --no-ours",
    program=reproduce,
)
def rolemodel(
    data: Annotated[Path, argument("DATA", "Posts as place/pose/image, or a table.")],
    out: Out,
    groups: Annotated[
        Path | None,
        option("FILE", "Table (path, person, photo) of what must stay in one part. By default DATA/truth.csv."),
    ] = None,
    protocol: Annotated[
        str, option("closed|open|both", "closed: known places and poses. open: places and poses never trained on.")
    ] = "both",
    quick: Annotated[bool, switch("A rehearsal: small pictures, few epochs, few pairs.", "--quick")] = False,
    ours: Annotated[bool, switch("Our own models too: ready-made and trained.", "--ours/--no-ours")] = True,
    rung: Annotated[
        list[str] | None, option("KEY", "Only this rung, such as last_pose or arrangements. Can be repeated.")
    ] = None,
    set_: Changes = None,
    seed: Seed = 0,
    json_: Json = False,
    backbone: Annotated[
        list[str] | None,
        option(
            "NAME",
            "Network to start from: name of weights, or a transformers folder. Can be repeated. "
            "By default mobilenet_v2_imagenet.",
            panel=PRETRAINED,
        ),
    ] = None,
    estimator: Annotated[
        str, option("NAME", "What finds people. By default DATA/keypoints.json, or else movenet.", panel=PRETRAINED)
    ] = "",
    pose_weights: Annotated[
        Path | None, option("FILE", "The estimator's own weights, or a file of keypoints.", panel=PRETRAINED)
    ] = None,
    weights: Weights = None,
) -> None:
    """Repeat the role-model study: same pose in front of the same place?

    The study's networks one after the other. The same command continues where it was interrupted.
    """
    from doppelgram.studies.role_model.plan import BACKBONE
    from doppelgram.studies.role_model.reproduce import reproduce_role_model

    report = reproduce_role_model(
        data,
        out,
        weights=weights,
        groups=groups,
        protocol=protocol,
        backbones=backbone or (BACKBONE,),
        estimator=estimator,
        pose_weights=pose_weights,
        quick=quick,
        ours=ours,
        only=rung or (),
        overrides=set_ or (),
        seed=seed,
        progress=progress(),
    )
    _print_report(report, json_)


def _print_report(report: Path, json_: bool) -> None:
    if json_:
        print_json({"report": str(report), "markdown": str(report.with_suffix(".md"))})
    else:
        typer.echo(f"report: {report}")
