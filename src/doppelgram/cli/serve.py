"""The command that opens the page: serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import START, Keypoints, Weights, argument, at_least, command, option, progress


@command("serve catalog", "serve photos", "serve posts.csv --port 8080", "serve runs", panel=START)
def serve(
    given: Annotated[
        Path, argument("SOURCE", "Catalog, folder of photographs, posts, what 'trace' wrote, or training runs.")
    ],
    catalog: Annotated[
        Path | None, option("DIR", "Where the catalog of photographs is kept. By default NAME-catalog, here.")
    ] = None,
    model: Annotated[
        str | None,
        option("RUN", "Run or model folder, or a ready-made model by name, for photographs without a catalog."),
    ] = None,
    port: Annotated[int, option("N", "Port to listen at. 0 takes any that is free.", check=at_least(0, 65535))] = 8765,
    host: Annotated[
        str,
        option("ADDRESS", "Address to listen at. Another one lets other machines in, and needs a password."),
    ] = "127.0.0.1",
    password: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Asked of everybody. Needed where other machines can reach the page.",
            envvar="DOPPELGRAM_PASSWORD",
            show_envvar=True,
        ),
    ] = "",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    runs: Annotated[Path | None, option("DIR", "Training run, or folder of runs, to watch on the same page.")] = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Open a page on this machine: search, compare, look at the map, teach, follow role models, watch trainings.

    Photographs and posts that have no catalog yet are indexed in the background, while you look at the page already.
    Nothing leaves this machine. Ctrl-C ends the page.
    """
    from doppelgram.web.serve import serve as run_serve

    run_serve(
        given,
        catalog=catalog,
        model=model,
        host=host,
        port=port,
        password=password,
        browser=browser,
        weights=weights,
        keypoints=keypoints,
        runs=runs,
        progress=progress(),
    )
