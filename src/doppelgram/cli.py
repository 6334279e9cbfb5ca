"""The command line. Every command calls one function of `doppelgram.api`, imported when it is asked for."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from doppelgram.errors import DoppelgramError

if TYPE_CHECKING:
    from rich.console import Console

# Typer carries its own click, older Typers use the package: either way this is the ClickException that it raises.
_CommandLineError: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="doppelgram",
    help="Learn what 'looks alike' means from your own photographs, and find look-alikes with it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
weights_app = typer.Typer(
    help="Pretrained weights by name: list them, say where they lie, fetch them.", no_args_is_help=True
)
app.add_typer(weights_app, name="weights")

Data = Annotated[
    Path, typer.Argument(metavar="DATA", help="Folder of images, or a table (CSV, TSV, Parquet).", show_default=False)
]
Weights = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to look pretrained weights up in first.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same result.")]


def _progress() -> Console:
    """Progress and remarks go to standard error, so that standard output is the answer alone."""
    from rich.console import Console

    return Console(stderr=True)


def _answer() -> Console:
    from rich.console import Console

    return Console(soft_wrap=True)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))


@app.command()
def train(
    data: Data,
    recipe: Annotated[str, typer.Option(metavar="NAME|FILE", help="signs, faces, siamese, triplet, or a TOML file.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder; new or empty unless --resume.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="Change a key of the recipe; repeatable.")
    ] = None,
    split: Annotated[Path | None, typer.Option(metavar="FILE", help="Split made by `doppelgram split`.")] = None,
    weights: Weights = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last finished epoch.")] = False,
    json_: Json = False,
) -> None:
    """Train a model from labelled images."""
    from doppelgram.api.training import train as run_training

    run = run_training(
        data,
        recipe,
        out,
        overrides=set_ or (),
        split=split,
        weights=weights,
        seed=seed,
        resume=resume,
        console=_progress(),
    )
    if json_:
        _print_json({"run": str(run.folder), **run.facts})
        return
    facts = run.facts
    best = facts.get("best", {})
    figures = ", ".join(
        f"{title} {best[key]:.1%}"
        for key, title in (("val_precision_at_1", "P@1"), ("val_map_at_r", "MAP@R"))
        if key in best
    )
    typer.echo(
        f"{run.folder}: best epoch {facts['best_epoch']} of {facts['epochs']}"
        + (f", on the validation part {figures}" if figures else "")
        + f"; {facts['training_seconds']:.0f} s of training"
    )
    typer.echo(f"Next: doppelgram evaluate {run.folder}")


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run or model folder.", show_default=False)],
    gallery: Annotated[Path | None, typer.Option(metavar="DATA", help="Images to find answers in.")] = None,
    query: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Images to ask about; by default the gallery's own.")
    ] = None,
    pairs: Annotated[Path | None, typer.Option(metavar="CSV", help="Pairs path_a,path_b,same to verify.")] = None,
    root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the CSV's paths start; its own folder by default.")
    ] = None,
    weights: Weights = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write metrics.json, metrics.md and figures here.")
    ] = None,
    part: Annotated[
        str, typer.Option(help="Part of the run's own split to ask about: test (default), val or train.")
    ] = "",
    knn: Annotated[int, typer.Option(min=1, help="Neighbours that vote in k-NN classification.")] = 1,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Say how good a model is, each figure with n and a 95 % interval."""
    from doppelgram.api.evaluating import evaluate as run_evaluation

    result = run_evaluation(
        run, gallery=gallery, query=query, pairs=pairs, root=root, weights=weights, out=out, part=part, knn=knn,
        seed=seed, console=_progress(),
    )  # fmt: skip
    if json_:
        _print_json(result.to_dict())
        return
    typer.echo(result.to_markdown())
    if out:
        typer.echo(f"written to {out}")


@app.command()
def index(
    data: Data,
    model: Annotated[Path, typer.Option(metavar="RUN", help="Run or model folder.")],
    catalog: Annotated[Path, typer.Option(metavar="DIR", help="Catalog folder, made if it is not there.")],
    json_: Json = False,
) -> None:
    """Embed images into a catalog; what is there already is skipped."""
    from doppelgram.api.searching import index as run_index

    report = run_index(data, model, catalog, console=_progress())
    if json_:
        facts = json.loads(report.to_json())
        outcomes = facts.pop("outcomes")
        _print_json({**facts, "problems": [outcome for outcome in outcomes if outcome["status"] != "ok"]})
    else:
        typer.echo(report.summary())


@app.command()
def search(
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Catalog folder.", show_default=False)],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Photographs to find look-alikes of.", show_default=False)
    ],
    k: Annotated[int, typer.Option("-k", min=1, help="How many look-alikes.")] = 5,
    json_: Json = False,
    montage: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw queries and answers into a picture.")
    ] = None,
) -> None:
    """Find the images in a catalog that look most like each given one."""
    from doppelgram.api.searching import search as run_search

    found = run_search(catalog, images, k, montage=montage)
    if montage:
        typer.echo(f"montage written to {montage}", err=True)
    if json_:
        _print_json([asdict(neighbours) for neighbours in found])
        return
    if not sys.stdout.isatty():  # for another program: one line an answer, nothing cut
        for neighbours in found:
            for match in neighbours.matches:
                probability = "" if match.probability is None else f"{match.probability:.4f}"
                facts = (str(match.rank), match.label, f"{match.distance:.4f}", probability, match.path)
                typer.echo("\t".join(" ".join(cell.split()) for cell in (neighbours.query, *facts)))
        return
    from rich.table import Table
    from rich.text import Text

    console = _answer()
    for neighbours in found:
        table = Table(title=Text(neighbours.query), title_justify="left", box=None, pad_edge=False)
        for column, justify in (
            ("", "right"),
            ("label", "left"),
            ("distance", "right"),
            ("probability", "right"),
            ("path", "left"),
        ):
            table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        for match in neighbours.matches:
            probability = "" if match.probability is None else f"{match.probability:.0%}"
            cells = (str(match.rank), match.label, f"{match.distance:.3f}", probability, match.path)
            table.add_row(*(Text(" ".join(cell.split())) for cell in cells))
        console.print(table)
        console.print()


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run or model folder.", show_default=False)],
    image_a: Annotated[Path, typer.Argument(metavar="IMAGE_A", show_default=False)],
    image_b: Annotated[Path, typer.Argument(metavar="IMAGE_B", show_default=False)],
    json_: Json = False,
) -> None:
    """Say whether two photographs show the same, and how sure that is."""
    from doppelgram.api.searching import verify as run_verify

    verdict = run_verify(run, image_a, image_b)
    if json_:
        _print_json(verdict.to_dict())
    elif verdict.probability is None:
        typer.echo(f"distance {verdict.distance:.4f}; the model is not calibrated, so there is no probability")
    else:
        word = "same" if verdict.same else "different"
        typer.echo(
            f"{word}: probability {verdict.probability:.1%} that they show the same "
            f"(distance {verdict.distance:.4f}, threshold {verdict.threshold:.4f})"
        )


@app.command()
def split(
    data: Data,
    by: Annotated[str, typer.Option(metavar="image|COLUMN", help="image, or the column whose values stay together.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="CSV to write.")],
    fractions: Annotated[str, typer.Option(metavar="TRAIN,VAL,TEST", help="Shares of the parts.")] = "0.6,0.2,0.2",
    seed: Seed = 0,
    label: Annotated[str, typer.Option(metavar="COLUMN", help="Column to stratify by.")] = "",
    name_pattern: Annotated[
        str,
        typer.Option(metavar="REGEX", help="Make columns from file names by named groups, e.g. '(?P<panorama>\\d+)_'."),
    ] = "",
    evaluate_on: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="List of classes, one a line, to divide; images of others become 'extra'."),
    ] = None,
    json_: Json = False,
) -> None:
    """Divide images into train, val and test parts that share nothing they must not share."""
    from doppelgram.api.splitting import split_data

    try:
        shares = dict(zip(("train", "val", "test"), (float(share) for share in fractions.split(",")), strict=True))
    except ValueError:
        raise DoppelgramError(f"--fractions {fractions}: write three shares such as 0.6,0.2,0.2") from None
    made = split_data(
        data, by, out, fractions=shares, seed=seed, label=label, name_pattern=name_pattern, evaluate_on=evaluate_on
    )
    counts = made.counts()
    if json_:
        _print_json({"file": str(out), "by": made.by, "seed": seed, "images": counts})
    else:
        typer.echo(
            f"{out}: "
            + ", ".join(f"{count} {part}" for part, count in counts.items())
            + f" (by {made.by}, seed {seed})"
        )


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything is written.")] = Path("demo"),
    seed: Seed = 0,
) -> None:
    """Do the whole main job on a rendered sample world: render, train, evaluate, index, search."""
    from doppelgram.api.demo import demo as run_demo

    run_demo(out, seed=seed, console=_progress())


@weights_app.command("list")
def weights_list(weights: Weights = None, json_: Json = False) -> None:
    """List the known weights and whether they are on this machine."""
    from doppelgram.models.weights import KNOWN, find_weights

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
        _print_json(rows)
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

    from doppelgram.models.weights import pull_weights

    console = _progress()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"fetching {name}", total=None)
        path = pull_weights(
            name, into, progress=lambda done, total: bar.update(task, completed=done, total=total or None)
        )
    typer.echo(str(path))


@weights_app.command("path")
def weights_path(name: str, weights: Weights = None) -> None:
    """Print where weights lie."""
    from doppelgram.models.weights import find_weights

    typer.echo(str(find_weights(name, weights)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error is one line on standard error.

    Exit status: 0 done, 2 something the user can mend, 130 interrupted, 1 a fault of the program.
    """
    try:
        # Without a network, a library that asks a model hub hangs for minutes; nothing here wants it to.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a letter shows its number
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        status = app(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except DoppelgramError as problem:
        interrupted = type(problem).__name__ == "Interrupted"
        _fail(" ".join(str(problem).split()), 130 if interrupted else 2)
    except _CommandLineError as problem:
        if type(problem).__name__ == "NoArgsIsHelpError":  # its message is the help text
            typer.echo(problem.format_message())
            sys.exit(2)
        _fail(problem.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    except OSError as problem:
        if isinstance(problem, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        where = f"{problem.filename}: " if problem.filename else ""
        _fail(f"{where}{problem.strerror or problem}", 2)
    except MemoryError:
        _fail("there is not enough memory; use a smaller data.size, sampler.batch or model", 2)
    except Exception as problem:  # no traceback reaches a user who did not ask for one
        if os.environ.get("DOPPELGRAM_DEBUG"):
            raise
        text = " ".join(str(problem).split())[:300]
        _fail(f"a fault in the program: {type(problem).__name__}: {text} (DOPPELGRAM_DEBUG=1 shows where)", 1)


def _fail(message: str, status: int) -> None:
    typer.echo(f"error: {message}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
