"""Commands that learn: split, train, evaluate, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import Data, Json, Keypoints, RunFolder, Seed, Weights, app, print_json, progress_console
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import duration, percent


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
    from doppelgram.api.split import split_data
    from doppelgram.dataset.read import read_collection
    from doppelgram.dataset.splits import OWN

    try:
        shares = dict(zip(("train", "val", "test"), (float(share) for share in fractions.split(",")), strict=True))
    except ValueError:
        raise DoppelgramError(f"--fractions {fractions}: write three shares such as 0.6,0.2,0.2") from None
    images = read_collection(data, label=label, name_pattern=name_pattern)
    made = split_data(images, by, out, fractions=shares, seed=seed, evaluate_on=evaluate_on)
    counts = made.counts()
    if json_:
        print_json({"file": str(out), "by": made.by, "seed": seed, "images": counts})
    else:
        typer.echo(
            f"{out}: "
            + ", ".join(f"{count} {part}" for part, count in counts.items())
            + (f" ({data} comes divided into these)" if made.by == OWN else f" (by {made.by}, seed {seed})")
        )


@app.command()
def train(
    data: Data,
    recipe: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="signs, faces, posts, siamese, triplet, or a TOML file.")
    ],
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
    from doppelgram.training.train import train as run_training

    run = run_training(
        data,
        recipe,
        out,
        overrides=set_ or (),
        split=split,
        weights=weights,
        seed=seed,
        resume=resume,
        console=progress_console(),
    )
    if json_:
        print_json({"run": str(run.folder), **run.facts})
        return
    facts = run.facts
    best = facts.get("best", {})
    figures = ", ".join(
        f"{title} {percent(best[key])}"
        for key, title in (
            ("val_precision_at_1", "P@1"),
            ("val_map_at_r", "MAP@R"),
            ("val_pair_accuracy", "hard pairs judged rightly"),
        )
        if key in best
    )
    typer.echo(
        f"{run.folder}: best epoch {facts['best_epoch']} of {facts['epochs']}"
        + (f", on the validation part {figures}" if figures else "")
        + f"; {duration(facts['training_seconds'])} of training"
    )
    typer.echo(f"Next: doppelgram evaluate {run.folder}")


@app.command()
def evaluate(
    run: RunFolder,
    gallery: Annotated[Path | None, typer.Option(metavar="DATA", help="Images to find answers in.")] = None,
    query: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Images to ask about; by default the gallery's own.")
    ] = None,
    pairs: Annotated[Path | None, typer.Option(metavar="CSV", help="Pairs path_a,path_b,same to verify.")] = None,
    root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the CSV's paths start; its own folder by default.")
    ] = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
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
    from doppelgram.api.evaluate import evaluate as run_evaluation
    from doppelgram.reports.evaluation import evaluation_markdown

    result = run_evaluation(
        run, gallery=gallery, query=query, pairs=pairs, root=root, weights=weights, keypoints=keypoints, out=out,
        part=part, knn=knn, seed=seed, console=progress_console(),
    )  # fmt: skip
    if json_:
        print_json(result.to_dict())
        return
    typer.echo(evaluation_markdown(result))
    if out:
        typer.echo(f"written to {out}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything is written.")] = Path("demo"),
    seed: Seed = 0,
) -> None:
    """Do the whole main job on a rendered sample world: render, train, evaluate, index, search."""
    from doppelgram.api.demo import demo as run_demo

    run_demo(out, seed=seed, console=progress_console())
