"""Commands that learn: split, train, compare, evaluate, calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from doppelgram.cli.app import (
    LEARN,
    MACHINES,
    AskedModel,
    Changes,
    Check,
    Data,
    Json,
    Keypoints,
    LabelLevel,
    Seed,
    SplitFile,
    Weights,
    at_least,
    command,
    option,
    print_checked,
    print_json,
    progress,
    say_written,
    switch,
)
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import duration, percent

_GRID, _QUESTION = "What is varied", "Which images are compared"


@command("split photos --by image --out split.csv", "split photos --by person --out split.csv --seed 1", panel=LEARN)
def split(
    data: Data,
    by: Annotated[
        str,
        option(
            "image|class|COLUMN",
            "image divides every class alike. class keeps each class in one part, a column equal values.",
        ),
    ],
    out: Annotated[Path, option("FILE", "CSV file to write.")],
    fractions: Annotated[str, option("TRAIN,VAL,TEST", "Shares of the three parts.")] = "0.6,0.2,0.2",
    seed: Seed = 0,
    label: Annotated[str, option("COLUMN", "Column with the classes. By default the label of the images.")] = "",
    name_pattern: Annotated[
        str, option("REGEX", "Make columns from file names: each named group is one, as in '(?P<scene>\\d+)_'.")
    ] = "",
    evaluate_on: Annotated[
        Path | None, option("FILE", "Classes to divide, one a line. Images of other classes become 'extra'.")
    ] = None,
    json_: Json = False,
) -> None:
    """Divide images into parts for training, validation and test."""
    from doppelgram.api.split import split_data
    from doppelgram.dataset.loading import tell_notes
    from doppelgram.dataset.read import read_collection
    from doppelgram.dataset.splits import OWN, small_classes

    try:
        shares = dict(zip(("train", "val", "test"), (float(share) for share in fractions.split(",")), strict=True))
    except ValueError:
        raise DoppelgramError(f"--fractions {fractions}: write three shares such as 0.6,0.2,0.2") from None
    images = read_collection(data, label=label, name_pattern=name_pattern)
    tell_notes(images, progress())
    made = split_data(images, by, out, fractions=shares, seed=seed, evaluate_on=evaluate_on)
    if small := small_classes(images, made, shares):
        progress().warning(small)
    counts = made.counts()
    if json_:
        print_json({"file": str(out), "by": made.by, "seed": seed, "images": counts})
        return
    how = f"{data} comes divided into these" if made.by == OWN else f"by {made.by}, seed {seed}"
    typer.echo(f"{out}: {', '.join(f'{count} {part}' for part, count in counts.items())} ({how})")


@command(
    "train photos --recipe signs --out run",
    "train photos --recipe faces --out run --set epochs=5",
    "train photos --recipe signs --out run --resume",
    "train photos --recipe signs --out run --devices 2",
    panel=LEARN,
)
def train(
    data: Data,
    recipe: Annotated[str, option("NAME|FILE", "signs, faces, places, posts, siamese, triplet, or a TOML file.")],
    out: Annotated[Path, option("RUN", "Run folder. Must be new or empty unless --resume.")],
    set_: Changes = None,
    split: SplitFile = None,
    seed: Seed = 0,
    resume: Annotated[bool, switch("Continue an interrupted run.", "--resume")] = False,
    label_level: LabelLevel = None,
    devices: Annotated[
        int,
        option(
            "N",
            "Processes that train together on this machine, on graphics cards if there are any.",
            panel=MACHINES,
            check=at_least(1),
        ),
    ] = 1,
    num_nodes: Annotated[
        int,
        option(
            "M",
            "Machines that train together. Each needs MASTER_ADDR, MASTER_PORT and NODE_RANK.",
            panel=MACHINES,
            check=at_least(1),
        ),
    ] = 1,
    check_: Check = False,
    json_: Json = False,
    weights: Weights = None,
) -> None:
    """Train a model from labelled images."""
    label = f"level:{label_level}" if label_level else ""
    if check_:
        from doppelgram.api.check import check as run_check

        print_checked(run_check(data, images=True, label=label), json_)
        return
    from doppelgram.api.train import train as run_training

    run = run_training(
        data,
        recipe,
        out,
        overrides=[*(set_ or ()), *([f"data.label={label}"] if label else [])],
        split=split,
        weights=weights,
        seed=seed,
        resume=resume,
        devices=devices,
        num_nodes=num_nodes,
        progress=progress(),
    )
    if json_:
        print_json({"run": str(run.folder), **run.facts})
        return
    facts = run.facts
    if "finished" not in facts:
        typer.echo(f"{run.folder}: done here; machine 0 writes the run")
        return
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


@command(
    "compare photos --losses triplet,cosface --dims 16,64 --out grid",
    "compare photos --out grid --report-only",
    panel=LEARN,
)
def compare(
    data: Data,
    out: Annotated[Path, option("DIR", "Folder for runs and report. The same folder continues.")],
    losses: Annotated[
        str, option("NAME,...", "Losses, with parameters as in 'triplet(margin=0.1),contrastive'.", panel=_GRID)
    ] = "triplet",
    miners: Annotated[
        str, option("NAME,...", "Miners: none (random triplets), all, semihard, ...", panel=_GRID)
    ] = "none,semihard,batchhard",
    dims: Annotated[str, option("N,...", "Embedding sizes.", panel=_GRID)] = "64",
    seeds: Annotated[
        int, option("N", "Runs of each combination, with seeds 0 to N - 1.", panel=_GRID, check=at_least(1, 1000))
    ] = 3,
    recipe: Annotated[str, option("NAME|FILE", "Recipe that all runs share.")] = "triplet",
    set_: Changes = None,
    split: SplitFile = None,
    part: Annotated[str, option("val|test", "Part on which the runs are measured.")] = "val",
    baseline: Annotated[
        str, option("NAME,...", "Ready-made models to ask the same, for a row each.", panel=_GRID)
    ] = "",
    report_only: Annotated[bool, switch("Train nothing, report on the finished runs.", "--report-only")] = False,
    json_: Json = False,
    weights: Weights = None,
) -> None:
    """Train several losses, miners and sizes, and tell which differ."""
    import json
    import shlex
    import sys

    from doppelgram.api.compare import compare as run_comparison
    from doppelgram.api.report_comparison import report_comparison
    from doppelgram.comparison.findings import read_comparison
    from doppelgram.comparison.grid import Grid

    about: dict[str, Any] = {"part": part, "command": shlex.join(["doppelgram", *sys.argv[1:]]), "progress": progress()}
    if report_only:
        comparison = report_comparison(out, **about)
    else:
        grid = Grid(losses, miners, dims, seeds)
        comparison = run_comparison(
            data,
            out,
            grid,
            recipe=recipe,
            overrides=set_ or (),
            split=split,
            weights=weights,
            baselines=[name.strip() for name in baseline.split(",") if name.strip()],
            **about,
        )
    if json_:
        print_json(json.loads((out.expanduser() / "comparison.json").read_text(encoding="utf-8")))
        return
    for finding in read_comparison(comparison):
        typer.echo(f"{finding.topic}: {finding.text}")
    typer.echo(f"Report: {out / 'report.html'}")


@command(
    "evaluate run --out report",
    "evaluate run --gallery known --query new --json",
    "evaluate run --pairs pairs.csv",
    panel=LEARN,
)
def evaluate(
    run: AskedModel,
    gallery: Annotated[Path | None, option("DATA", "Images to find answers in.", panel=_QUESTION)] = None,
    query: Annotated[
        Path | None, option("DATA", "Images to ask about. By default those of --gallery.", panel=_QUESTION)
    ] = None,
    pairs: Annotated[Path | None, option("FILE", "CSV file of pairs: path_a, path_b, same.", panel=_QUESTION)] = None,
    root: Annotated[
        Path | None, option("DIR", "Folder where the paths of --pairs start. By default its own.", panel=_QUESTION)
    ] = None,
    part: Annotated[
        str,
        option("PART", "Part of the run's own images: test, val or train. By default test.", panel=_QUESTION),
    ] = "",
    out: Annotated[Path | None, option("DIR", "Write metrics.json, metrics.md and figures here.")] = None,
    knn: Annotated[int, option("N", "Neighbours that vote on the class, 1 or more.", check=at_least(1))] = 1,
    seed: Seed = 0,
    json_: Json = False,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Measure how good a model is, with 95 % intervals."""
    from doppelgram.api.evaluate import evaluate as run_evaluation
    from doppelgram.reports.evaluation import evaluation_markdown

    result = run_evaluation(
        run,
        gallery=gallery,
        query=query,
        pairs=pairs,
        root=root,
        weights=weights,
        keypoints=keypoints,
        out=out,
        part=part,
        knn=knn,
        seed=seed,
        progress=progress(),
    )
    if json_:
        print_json(result.to_dict())
    else:
        typer.echo(evaluation_markdown(result))
    say_written(out)


@command(
    "calibrate run --labelled mine",
    "calibrate run --pairs pairs.csv --out model",
    "calibrate run --folder photos",
    panel=LEARN,
)
def calibrate(
    run: AskedModel,
    labelled: Annotated[Path | None, option("DATA", "Labelled images that the model was not trained on.")] = None,
    pairs: Annotated[Path | None, option("FILE", "CSV file of pairs: path_a, path_b, same.")] = None,
    folder: Annotated[
        Path | None, option("DATA", "Images without labels: says how near any two of them are, and changes nothing.")
    ] = None,
    root: Annotated[Path | None, option("DIR", "Folder where the paths of --pairs start. By default its own.")] = None,
    out: Annotated[Path | None, option("DIR", "Save the model here. By default where it is.")] = None,
    seed: Seed = 0,
    json_: Json = False,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Fit what a model's distances mean to your own images."""
    from dataclasses import asdict

    from doppelgram.api.calibrate import calibrate as run_calibration
    from doppelgram.numbers import count

    done = run_calibration(
        run,
        pairs=pairs,
        labelled=labelled,
        folder=folder,
        root=root,
        out=out,
        weights=weights,
        keypoints=keypoints,
        seed=seed,
        progress=progress(),
    )
    if json_:
        print_json(asdict(done))
        return
    images = count(done.images, "image")
    if done.model is not None:
        typer.echo(f"{done.model}: calibrated on {done.fitted_on} ({images}); vectors and fingerprint are as before")
        return
    typer.echo(f"{done.fitted_on}: {images}. Any two of them are as near as this:")
    for rate, distance in done.nearest.items():
        told = "too few images to tell" if distance is None else f"distance {distance:.4f}"
        typer.echo(f"  one pair in {round(1 / rate):,}: {told}")
