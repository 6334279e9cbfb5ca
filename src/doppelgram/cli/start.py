"""Commands to start with: demo, models, weights list, pull and path, bench."""

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
    say_written,
    show_examples,
    switch,
)
from doppelgram.cli.tables import echo_paragraph, echo_table
from doppelgram.errors import DoppelgramError


@command("demo", "demo --only-pictures --out world", panel=START)
def demo(
    out: Annotated[Path, option("DIR", "Folder for everything that is written.")] = Path("demo"),
    only_pictures: Annotated[
        bool, switch("Draw the photographs, and stop: the sample world of the tutorial.", "--only-pictures")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Show the whole job on photographs that the program draws itself."""
    from doppelgram.api.demo import demo as run_demo

    written = run_demo(out, only_pictures=only_pictures, seed=seed, progress=progress())
    if only_pictures:
        say_written(*written.values())


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
    """List the known weights: what for, licence, where they come from, and whether they are here."""
    from doppelgram.weights import KNOWN, find_weights, place_kind

    rows, here = [], []
    for known in KNOWN.values():
        place = None
        try:
            place = find_weights(known.name, weights)
        except DoppelgramError:
            if weights is not None and not weights.expanduser().is_dir():
                raise
        about = {"name": known.name, "about": known.about, "licence": known.licence, "source": known.source.origin}
        rows.append({**about, "bring": known.bring, "path": str(place or "")})
        here.append(place_kind(known, place) if place is not None else "no")
    if json_:
        print_json(rows)
        return
    table = [
        (known.name, known.about, known.licence, known.source.kind, where)
        for known, where in zip(KNOWN.values(), here, strict=True)
    ]
    columns = ("name", "for", "licence", "from", "here")
    echo_table(columns, table, names=columns)
    for bring in dict.fromkeys(row["bring"].replace(row["name"], "NAME") for row in rows if not row["path"]):
        typer.echo(f"to bring what is missing: {bring}")


@command("weights pull movenet_lightning", "weights pull --all", name="pull", program=weights_app)
def weights_pull(
    names: Annotated[list[str] | None, argument("NAME", "As 'weights list' shows them.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that can be fetched.")] = False,
    weights: Annotated[Path | None, option("DIR", "Folder to put them in. By default the user's cache.")] = None,
) -> None:
    """Fetch weights. This is the only command that uses a network."""
    from doppelgram.weights import KNOWN, pull_weights

    if bool(names) == all_:
        raise DoppelgramError("name the weights to fetch, or give --all; `doppelgram weights list` shows the names")
    wanted, missing, said = list(dict.fromkeys(names or KNOWN)), [], progress()
    for name in wanted:
        try:
            typer.echo(str(pull_weights(name, weights, progress=said)))
        except DoppelgramError as problem:
            if len(wanted) == 1:
                raise
            said.warning(str(problem))
            missing.append(name)
    if missing:
        raise DoppelgramError(f"{len(missing)} of {len(wanted)} weights are not here: {', '.join(missing)}")


@command("weights path movenet_lightning", name="path", program=weights_app)
def weights_path(name: Name, weights: Weights = None) -> None:
    """Print where weights lie."""
    from doppelgram.weights import find_weights

    typer.echo(str(find_weights(name, weights)))


@command("bench", "bench --data photos", panel=START)
def bench(
    data: Annotated[Path | None, option("FOLDER", "Photographs to measure with. By default rendered ones.")] = None,
    json_: Json = False,
    weights: Weights = None,
) -> None:
    """Measure this machine in about a minute, and say what limits it: reading, the network, or the disk.

    Other programs that run at the time make all figures smaller.
    """
    from doppelgram.api.bench import bench as run_bench

    found = run_bench(data, weights=weights, progress=progress())
    if json_:
        print_json(found.to_dict())
        return
    echo_paragraph(found.machine)
    typer.echo()
    echo_table(("what", "rate", "of what"), found.rows(), names=("what", "of what"))
    typer.echo()
    echo_paragraph(found.limit())
