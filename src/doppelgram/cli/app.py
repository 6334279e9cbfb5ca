"""The program itself and what its commands share: option types, consoles, the way answers are printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    name="doppelgram",
    help="Learn what 'looks alike' means from your own photographs, and find look-alikes with it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    Path, typer.Argument(metavar="DATA", help="Folder of images, or a table (CSV, TSV, Parquet).", show_default=False)
]
Weights = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to look pretrained weights up in first.")]
Keypoints = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Ready-made keypoints, for a model of places and poses that takes them; by default the keypoints.json "
        "beside the photographs.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same result.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run or model folder.", show_default=False)]


def progress_console() -> Console:
    """Progress and remarks go to standard error, so that standard output is the answer alone."""
    from rich.console import Console

    return Console(stderr=True)


def answer_console() -> Console:
    """The answer, for a person who reads it in a terminal."""
    from rich.console import Console

    return Console(soft_wrap=True)


def print_json(value: Any) -> None:
    """The answer, for another program."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))
