"""Commands about pretrained weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Json, Weights, app, print_json, progress_console
from doppelgram.errors import DoppelgramError

weights_app = typer.Typer(
    help="Pretrained weights by name: list them, say where they lie, fetch them.", no_args_is_help=True
)
app.add_typer(weights_app, name="weights")


@weights_app.command("list")
def weights_list(weights: Weights = None, json_: Json = False) -> None:
    """List the known weights and whether they are on this machine."""
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
        state = row["path"] or (
            "not here; `doppelgram weights pull` fetches it" if row["can_pull"] else "not here; bring it"
        )
        typer.echo(f"{row['name']:<24} {row['about']}\n{'':<24} {state}")


@weights_app.command("pull")
def weights_pull(
    name: str, into: Annotated[Path | None, typer.Option("--into", metavar="DIR", help="Folder to put it in.")] = None
) -> None:
    """Fetch weights by name: the only command that uses a network."""
    from rich.progress import Progress

    from doppelgram.weights import pull_weights

    console = progress_console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"fetching {name}", total=None)
        path = pull_weights(
            name, into, progress=lambda done, total: bar.update(task, completed=done, total=total or None)
        )
    typer.echo(str(path))


@weights_app.command("path")
def weights_path(name: str, weights: Weights = None) -> None:
    """Print where weights lie."""
    from doppelgram.weights import find_weights

    typer.echo(str(find_weights(name, weights)))
