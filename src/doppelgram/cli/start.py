"""Commands to start with: demo, and weights list, pull and path."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import (
    START,
    Json,
    Program,
    Seed,
    Weights,
    app,
    argument,
    command,
    option,
    print_json,
    progress,
    show_examples,
)
from doppelgram.cli.tables import echo_paragraph
from doppelgram.errors import DoppelgramError


@command("demo", "demo --out /tmp/demo --seed 1", panel=START)
def demo(
    out: Annotated[Path, option("DIR", "Folder for everything that is written.")] = Path("demo"),
    seed: Seed = 0,
) -> None:
    """Show the whole job on photographs that the program draws itself."""
    from doppelgram.api.demo import demo as run_demo

    run_demo(out, seed=seed, progress=progress())


@command("models", "models things", "models --json", panel=START)
def models(
    name: Annotated[str | None, argument("NAME", "Say all about this one. By default all are listed.")] = None,
    json_: Json = False,
    weights: Weights = None,
) -> None:
    """List the ready-made models, which answer without training."""
    from doppelgram.api.ready_made_models import ready_made_models

    found = ready_made_models(name, weights=weights)
    if json_:
        print_json([model.to_dict() for model in found])
        return
    for model in found:
        echo_paragraph(model.about, indent=16, first=f"{model.name:<15} ")
        here = "here" if not model.missing else f"not here; bring them with: {model.install}"
        echo_paragraph(f"weights {', '.join(model.weights)} ({model.licence}): {here}", indent=16)
        for figure in model.figures if name else model.figures[:1]:
            echo_paragraph(figure, indent=16)
        if name and model.fingerprint:
            echo_paragraph(f"{model.dim:,} numbers an image, fingerprint {model.fingerprint[:16]}", indent=16)
            echo_paragraph(model.calibrated, indent=16)


weights_app = typer.Typer(
    help="List, find and fetch pretrained weights.",
    epilog=show_examples("weights list"),
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.add_typer(weights_app, cls=Program, name="weights", rich_help_panel=START)

Name = Annotated[str, argument("NAME", "As 'weights list' shows it.")]


@command("weights list", "weights list --weights weights --json", name="list", program=weights_app)
def weights_list(weights: Weights = None, json_: Json = False) -> None:
    """List the known weights and where they lie on this machine."""
    from doppelgram.weights import KNOWN, find_weights

    rows = []
    for known in KNOWN.values():
        try:
            place = str(find_weights(known.name, weights))
        except DoppelgramError:
            if weights is not None and not weights.is_dir():
                raise
            place = ""
        rows.append({"name": known.name, "path": place, "can_pull": bool(known.url), "about": known.about})
    if json_:
        print_json(rows)
        return
    for row in rows:
        fetch = "'doppelgram weights pull' fetches it" if row["can_pull"] else "it has to be brought"
        echo_paragraph(str(row["about"]), indent=24, first=f"{row['name']:<23} ")
        typer.echo(f"{'':<24}{row['path']}" if row["path"] else f"{'':<24}not here; {fetch}")


@command("weights pull movenet_lightning", name="pull", program=weights_app)
def weights_pull(
    name: Name,
    weights: Annotated[Path | None, option("DIR", "Folder to put them in. By default the user's cache.")] = None,
) -> None:
    """Fetch weights. This is the only command that uses a network."""
    from doppelgram.weights import pull_weights

    typer.echo(str(pull_weights(name, weights, progress=progress())))


@command("weights path movenet_lightning", name="path", program=weights_app)
def weights_path(name: Name, weights: Weights = None) -> None:
    """Print where weights lie."""
    from doppelgram.weights import find_weights

    typer.echo(str(find_weights(name, weights)))
