"""Training: the same images, network, epochs and one thread in each tool; accuracy scored by one and the same code."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common import machine
from doppelgram.api.split import split_data
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split, read_split
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.models.bundle import load_model
from doppelgram.models.embed_files import embed_files
from doppelgram.space.euclidean import EuclideanSpace
from environments import TOOLS, CannotRun, Used, environment, measured, run_tool, versions, written_lines
from section import Section, figure

OURS = "Doppelgram"
# Column, environment, program, configuration, package.
PEERS: Sequence[tuple[str, str, str, str, str]] = (
    ("pytorch-metric-learning", "pytorch_metric_learning", "train_pml.py", "", "pytorch-metric-learning"),
    ("open-metric-learning", "open_metric_learning", "train_oml.py", "oml.yaml", "open-metric-learning"),
    ("BioEncoder", "bioencoder", "train_bioencoder.py", "bioencoder.yml", "bioencoder"),
)
SIZE, BATCH, COMMON = 64, 32, 20
SECONDS = 3600
ABOUT = (
    f"The same images, our small net at 64x64 from scratch, the same epochs, batches of {BATCH}, AdamW at 0.003, one "
    "thread. Few images and epochs, so that each training takes minutes: what the project reaches with all of them "
    "stands in [signs](../benchmarks/results/signs.md). Accuracy is that of the test part's images among the training "
    "part's, by our evaluation for all."
)


@dataclass(frozen=True)
class Data:
    """Images of one task, laid out as ``folder/<part>/<class>/<file>``; and how they are trained on."""

    folder: Path
    epochs: int
    flip: bool

    def files(self, part: str) -> list[Path]:
        """Files of a part in order."""
        return sorted((self.folder / part).glob("*/*"))


def compare(options: Any) -> Section:
    """Train by every tool on signs and on faces."""
    most, epochs = (4, 1) if options.small else (options.per_class, options.epochs)
    lay_out = {"signs": lambda: signs(options, most, epochs), "faces": lambda: faces(options, most // 2, epochs)}
    tasks = {name: lay_out[name]() for name in options.tasks.split(",")}
    section = Section("Training", ABOUT, [OURS], [OURS, *(peer[0] for peer in PEERS)], machine=machine())
    section.tasks = {name: told(data) for name, data in tasks.items()}
    ran: set[str] = set()
    for name, data in tasks.items():
        found: dict[str, dict[str, Any]] = {}
        for tool in section.tools:
            try:
                found[tool] = _train(tool, name, data, options)
                ran.add(tool)
            except CannotRun as problem:
                section.cannot[tool] = f"did not train on {name}: {problem}"
        for measure, unit, better in (
            ("1-NN accuracy", "%", "higher"),
            ("nearest class mean", "%", "higher"),
            ("training, processor time", "s", "lower"),
            ("most memory", "MB", "lower"),
        ):
            section.add(name, measure, better, unit, {tool: cells[measure] for tool, cells in found.items()})
    written = {tool: count for tool, count in lines().items() if tool in ran}
    section.add("both", "lines that a user writes", "lower", "", written)
    section.notes += [
        "Ours is one command with its changes of the recipe, which trains, keeps the best epoch by the validation "
        "part, calibrates and writes a report's figures; the command counts one line, and one more for each option. "
        "The tables that name images and parts are not counted, nor are the folders that the others read.",
        "Ours keeps what else its recipe `signs` brings: a running average of the weights, and a weight decay of 0.05. "
        "Of the others only BioEncoder averages weights.",
        "BioEncoder stops where there is no graphics card: `No GPUs detected on this System`. It was measured with its "
        "four calls that ask for one answered by the program around it, and tensors left where they are.",
        "The others' losses, the nearest they have to ours: CosFace in pytorch-metric-learning, ArcFace in the other "
        "two. Augmentations are the same in kind and strength, written in each tool's own way.",
        "Packages of torchvision are built for torch with CUDA. Beside torch for processors they import only with the "
        "operator `nms` declared, which `torch_only.py` does; nothing that is measured calls it.",
        "pytorch-metric-learning and open-metric-learning have no split that keeps groups together, no calibrated "
        "threshold and no report; BioEncoder splits at random, draws maps and shows what the network looked at "
        "(Grad-CAM), which ours does not.",
    ]
    section.versions = {tool: versions(name, package, "torch") for tool, name, _, _, package in PEERS}
    return section


def told(data: Data) -> str:
    """How many images, of how many classes, and for how long."""
    return (
        f"{len(data.files('train')):,} images of {len(list((data.folder / 'train').iterdir()))} classes, "
        f"{data.epochs} epochs, {len(data.files('test')):,} to test"
    )


def lines() -> dict[str, int]:
    """How much a user of each tool writes for the training above."""
    words = _command(Data(Path(), 1, False), Path("table"), Path("split"), Path("run"), 0)
    return {
        OURS: 1 + sum(word.startswith("--") for word in words),
        **{
            tool: written_lines(TOOLS / script, *([TOOLS / config] if config else []))
            for tool, _, script, config, _ in PEERS
        },
    }


def signs(options: Any, train: int, epochs: int) -> Data:
    """The signs of 58 classes, no panorama in two parts."""
    collection = read_collection(options.data / "signs", name_pattern=r"(?P<panorama>\d+)_").labelled()
    names, counts = np.unique(collection.labels, return_counts=True)
    split = make_split(collection, "panorama", {"train": 0.6, "val": 0.2, "test": 0.2}, options.seed)
    kept = set(names[counts >= COMMON])
    chosen = {name: part for name, part in split.parts.items() if name.split("/")[0] in kept}
    folder = options.scratch / "signs"
    _lay_out(options.data / "signs", chosen, folder, {"train": train, "val": 6}, options.seed)
    return Data(folder, epochs, flip=False)


def faces(options: Any, train: int, epochs: int) -> Data:
    """The 62 people of LFW with 20 photographs or more, the middle of each photograph."""
    whole = options.scratch / "faces.csv"
    whole.parent.mkdir(parents=True, exist_ok=True)
    split_data(options.data / "lfw", "image", whole, seed=options.seed, evaluate_on=options.data / "lfw62.txt")
    chosen = {name: part for name, part in read_split(whole).parts.items() if part != "extra"}
    folder = options.scratch / "lfw"
    _lay_out(options.data / "lfw", chosen, folder, {"train": train, "val": 4}, options.seed, crop=140)
    return Data(folder, epochs, flip=True)


def _lay_out(
    source: Path, parts: Mapping[str, str], folder: Path, most: Mapping[str, int], seed: int, crop: int = 0
) -> None:
    """Copy the images into folders by part and class, at most so many of a class."""
    rng = np.random.default_rng(seed)
    taken: dict[tuple[str, str], int] = {}
    for name in rng.permutation(sorted(parts)).tolist():
        part, label = parts[name], name.split("/")[0]
        if taken.get((part, label), 0) >= most.get(part, sys.maxsize):
            continue
        taken[part, label] = taken.get((part, label), 0) + 1
        target = folder / part / name
        target = target.with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(source / name) as image:
            left, top = ((side - crop) // 2 if crop else 0 for side in image.size)
            box = (left, top, left + crop, top + crop) if crop else (0, 0, *image.size)
            image.convert("RGB").crop(box).save(target)


def _train(tool: str, name: str, data: Data, options: Any) -> dict[str, Any]:
    """The cells of one tool on one task."""
    folder = options.scratch / f"{name}-{tool}"
    print(f"training {name} by {tool}", flush=True)
    vectors, seconds, used = (_ours if tool == OURS else _peer)(tool, data, folder, options)
    labels = [np.array([file.parent.name for file in data.files(part)]) for part in ("train", "test")]
    sets = [EmbeddedSet(vectors[: len(labels[0])], labels[0]), EmbeddedSet(vectors[len(labels[0]) :], labels[1])]
    result = evaluate_embeddings(EuclideanSpace(vectors.shape[1]), *sets, seed=options.seed).to_dict()
    return {
        "1-NN accuracy": figure(result["knn_accuracy"]),
        "nearest class mean": figure(result["ncm_accuracy"]),
        "training, processor time": round(seconds, 1),
        "most memory": round(used.peak_mb),
    }


def _peer(tool: str, data: Data, folder: Path, options: Any) -> tuple[np.ndarray, float, Used]:
    _, name, script, config, _ = next(peer for peer in PEERS if peer[0] == tool)
    job = {
        "train": str(data.folder / "train"),
        "val": str(data.folder / "val"),
        "images": [str(file) for part in ("train", "test") for file in data.files(part)],
        "size": SIZE,
        "epochs": data.epochs,
        "batch": BATCH,
        "flip": data.flip,
        "seed": options.seed,
        "config": str(TOOLS / config),
    }
    answer, used = run_tool(environment(name, options.peers), script, job, folder, SECONDS)
    return np.load(folder / "embeddings.npy"), float(answer["processor"]), used


def _command(data: Data, table: Path, split: Path, run: Path, seed: int) -> list[str]:
    """Our command, with what it changes in its recipe to be what the others are."""
    words = ["train", str(table), "--recipe", "signs", "--out", str(run), "--split", str(split), "--seed", str(seed)]
    changes = [f"epochs={data.epochs}", f"flip={str(data.flip).lower()}", "min_images=1", f"batch={BATCH}"]
    # What the recipe has beyond the others' network, batches and augmentations.
    changes += ['model.pooling=""', "sampler.min_per_class=0", "augment.blur=0", "augment.coarse=0"]
    for change in changes:
        words += ["--set", change]
    return words


def _ours(tool: str, data: Data, folder: Path, options: Any) -> tuple[np.ndarray, float, Used]:
    folder.mkdir(parents=True, exist_ok=True)
    files = {part: data.files(part) for part in ("train", "val", "test")}
    table = folder / "images.csv"
    rows = [f"{file},{file.parent.name}" for each in files.values() for file in each]
    table.write_text("path,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    Split({str(file): part for part, each in files.items() for file in each}).write(folder / "split.csv")
    run = folder / "run"
    command = [sys.executable, "-m", "doppelgram", *_command(data, table, folder / "split.csv", run, options.seed)]
    used = measured(command, folder, SECONDS, PYTHONPATH=str(TOOLS.parents[2] / "src"))
    wanted = [file for part in ("train", "test") for file in files[part]]
    found = embed_files(load_model(run), wanted, keep_duplicates=True)
    return found.vectors, used.processor, used
