"""The program itself and what its commands share: panels, options, and how answers are printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from doppelgram.errors import DoppelgramError

if TYPE_CHECKING:
    from doppelgram.console import TerminalProgress
    from doppelgram.dataset.check import Checked

START, LEARN, SEARCH, UNDERSTAND, ROLE_MODELS, REPRODUCE = PANELS = (
    "Start",
    "Learn",
    "Search",
    "Understand",
    "Role models",
    "Reproduce",
)
# Panels for options that only some users of a command need.
SPEED = "Speed"
FACES, PRETRAINED = "Photographs of people", "Pretrained networks and keypoints"
MACHINES = "Several processes or machines"
MAX_SEED = 2**63 - 1


def _without_types(parameters: list[Any]) -> list[Any]:
    """Parameters whose help leaves out the type where the name says enough: of arguments and of switches."""
    for parameter in parameters:
        if parameter.param_type_name == "argument" or parameter.is_flag:
            parameter.display_type_rich = lambda ctx: None
    return parameters


class Command(TyperCommand):
    """A command of this program."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


class Program(TyperGroup):
    """Commands, listed panel by panel, whichever module was imported first."""

    def list_commands(self, ctx: Any) -> list[str]:
        def panel(name: str) -> int:
            return PANELS.index(getattr(self.commands[name], "rich_help_panel", None) or START)

        return sorted(self.commands, key=panel)

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


def show_examples(*examples: str) -> str:
    """The end of a help text."""
    lines = [f"  doppelgram {example}".replace("[", "\\[") for example in examples]
    return "\n\n".join(["Example:" if len(lines) == 1 else "Examples:", *lines])


app = typer.Typer(
    name="doppelgram",
    cls=Program,
    help="Learn what 'looks alike' means from your own photographs, and find look-alikes and role models with it.",
    epilog=show_examples("demo", "train photos --recipe signs --out run"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(asked: bool) -> None:
    if asked:
        from doppelgram import __version__

        typer.echo(f"doppelgram {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Options that go before a command."""


def command(
    *examples: str, panel: str | None = None, name: str | None = None, program: typer.Typer = app
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add a function to the program as a command.

    Args:
        examples: command lines without the word "doppelgram", each at most 66 characters long.
        panel: heading under which it is listed.
        name: what users type; the function's name by default.
        program: the program, or a group of commands in it.
    """
    return program.command(name, cls=Command, rich_help_panel=panel, epilog=show_examples(*examples))


def at_least(minimum: int, maximum: int | None = None) -> Callable[[int | None], int | None]:
    """A check of a number that was given; the help text says the range in words."""

    def check(value: int | None) -> int | None:
        if value is not None and value < minimum:
            raise typer.BadParameter(f"{value} is too small; give {minimum} or more")
        if value is not None and maximum is not None and value > maximum:
            raise typer.BadParameter(f"{value} is too large; give {maximum} or less")
        return value

    return check


def argument(name: str, text: str) -> Any:
    """An argument, by the name that help shows."""
    return typer.Argument(metavar=name, help=text, show_default=False)


def option(value: str, text: str, *names: str, panel: str | None = None, check: Any = None) -> Any:
    """An option that takes a value.

    Args:
        value: what stands for the value in the help text, such as "DIR".
        text: the help text.
        names: as typed; made of the parameter's name by default.
        panel: heading under which it is listed, if it is not for every user.
        check: called with the value; raises what is wrong with it.
    """
    return typer.Option(*names, metavar=value, help=text, rich_help_panel=panel, callback=check)


def switch(text: str, *names: str) -> Any:
    """An option that takes no value."""
    return typer.Option(*names, help=text)


Data = Annotated[Path, argument("DATA", "Folder of images, or table (CSV, TSV, Parquet).")]
# Text, not a path: a path would make s3:/ of s3://.
Catalog = Annotated[str, argument("CATALOG", "Catalog folder, or s3://bucket/prefix.")]
AsOf = Annotated[
    str,
    option("VERSION|TIME", "The catalog as it was: a version's number or name, or a time. By default as it is."),
]
# Text, not a path: the bare name `faces` is a ready-made model, `./faces` a folder.
_MODEL = "Run or model folder, or a ready-made model by name."
AskedModel = Annotated[str, argument("RUN", _MODEL)]
Things = Annotated[str | None, option("RUN", f"{_MODEL} By default things.", "--model")]
Arrangements = Annotated[str | None, option("RUN", f"{_MODEL} By default arrangements.", "--model")]
Weights = Annotated[
    Path | None, option("DIR", "Folder in which pretrained weights are looked up first.", panel=PRETRAINED)
]
Keypoints = Annotated[
    Path | None,
    option(
        "FILE",
        "Keypoints, for a model that takes ready-made ones. By default keypoints.json beside the photographs.",
        panel=PRETRAINED,
    ),
]
Changes = Annotated[list[str] | None, option("KEY=VALUE", "Change a key of the recipe. Can be repeated.", "--set")]
SplitFile = Annotated[Path | None, option("FILE", "Split made by 'doppelgram split'.")]
Json = Annotated[bool, switch("Print the answer as JSON.", "--json")]
View = Annotated[
    bool | None,
    typer.Option(
        "--view/--no-view",
        help="Look for points that show the same view. By default if the extra 'view' is installed.",
        show_default=False,
    ),
]
Columns = Annotated[str, option("NAME=HEADER,...", "What a table calls its columns: path=File,author=User")]
Where = Annotated[
    str,
    option(
        "CONDITION",
        "Only images that fulfil it, such as \"place = 'Louvre' and timestamp < '2019-06'\". Columns: path, name, "
        "label, author, timestamp, and the catalog's label columns.",
    ),
]
LabelLevel = Annotated[
    int | None,
    option("N", "Label images by the name of the Nth folder above them, 1 the topmost.", check=at_least(1, 99)),
]
Check = Annotated[bool, switch("Say what would be read, and do nothing.", "--check")]
Seed = Annotated[int, option("N", "The same seed gives the same result.", check=at_least(0, MAX_SEED))]


def progress() -> TerminalProgress:
    """Progress and remarks go to standard error, so that standard output is the answer alone."""
    from doppelgram.console import TerminalProgress

    return TerminalProgress()


def columns_of(text: str) -> dict[str, str]:
    """``path=File,author=User`` as a mapping.

    Raises:
        DoppelgramError: a part of it is no NAME=HEADER.
    """
    parts = [part.partition("=") for part in filter(None, (part.strip() for part in text.split(",")))]
    wrong = next((name for name, equals, header in parts if not (name.strip() and equals and header.strip())), None)
    if wrong is not None:
        raise DoppelgramError(f"--columns: '{wrong}' is no NAME=HEADER such as author=User")
    return {name.strip(): header.strip() for name, _, header in parts}


def print_checked(found: Checked, json_: bool) -> None:
    """What would be read, as JSON or in lines that fit."""
    from doppelgram.cli.tables import echo_paragraph

    if json_:
        print_json(found.to_dict())
    else:
        for line in found.lines():
            echo_paragraph(line)


def print_json(value: Any) -> None:
    """The answer, for another program."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def say_written(*files: Path | None) -> None:
    """Name the files that were written, on standard error."""
    for file in files:
        if file:
            typer.echo(f"written: {file}", err=True)
