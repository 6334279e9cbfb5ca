"""What the benchmarks share: facts about the machine, and results written as JSON and Markdown side by side."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doppelgram.numbers import estimate

if TYPE_CHECKING:
    from doppelgram.dataset.collection import Collection
    from doppelgram.dataset.splits import Split
    from doppelgram.models.model import Model

RESULTS = Path(__file__).parent / "results"


def machine(*packages: str) -> dict[str, Any]:
    """What a figure depends on besides the code; with the versions of further packages."""
    import torch

    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": name,
        "cores": cores,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        **{package: version(package) for package in packages},
    }


def machine_line(facts: dict[str, Any]) -> str:
    """The machine in one line of Markdown."""
    return f"Machine: {', '.join(f'{key} {value}' for key, value in facts.items())}."


def write(name: str, result: dict[str, Any], markdown: str, folder: Path = RESULTS) -> None:
    """Write ``<name>.json`` and ``<name>.md`` into the folder of results, and print the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(markdown.rstrip() + "\n", encoding="utf-8")
    print(markdown)


def in_subprocess(script: str, arguments: dict[str, Any], out: Path, seconds: float) -> dict[str, Any] | str:
    """Run a benchmark's script in a fresh process, so that memory and imports are its own.

    Returns:
        What the script wrote as JSON to its option ``--out``, or why there is nothing.
    """
    command = [sys.executable, script, "--out", str(out)]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    try:
        done = subprocess.run(command, timeout=seconds, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return f"took more than {seconds:g} s"
    if done.returncode or not out.exists():
        last = (done.stderr.strip().splitlines() or ["killed, most likely for lack of memory"])[-1]
        return f"failed: {last}"
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def with_interval(metric: dict[str, float], digits: int = 2) -> str:
    """A share with its 95 % interval, such as "91.20 % (90.10 to 92.30)"."""
    return estimate(metric["value"], metric["low"], metric["high"], digits)


def metric_table(rows: dict[str, dict[str, dict[str, float]]], names: dict[str, str]) -> str:
    """A Markdown table: one row a metric, one column an evaluation, each cell value and 95 % interval."""
    lines = ["| metric | " + " | ".join(rows) + " |", "|---|" + "---:|" * len(rows)]
    for name, title in names.items():
        cells = []
        for metrics in rows.values():
            m = metrics.get(name)
            cells.append(f"{with_interval(m)}, n = {m['n']}" if m else "")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def embedded_parts(
    model: Model, collection: Collection, split: Split, views: int
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]:
    """Embeddings and labels of the training, validation and test part, each image as the mean of so many views."""
    from doppelgram.images.batch import load_pixels

    rows, before = split.rows(collection), model.views
    parts = ("train", "val", "test")
    model.views = views
    try:
        loaded = {
            part: load_pixels([collection.paths[row] for row in rows[part]], model.framing, keep_duplicates=True)
            for part in parts
        }
        vectors = {part: model.embed_pixels(loaded[part].pixels) for part in parts}
    finally:
        model.views = before
    return vectors, {part: collection.labels[rows[part]] for part in parts}


def by_views(
    model: Model, collection: Collection, split: Split, views: Sequence[int], seed: int
) -> dict[str, dict[str, Any]]:
    """Figures of the validation and the test part as queries to the training part, for each number of views."""
    from doppelgram.evaluation.evaluate import evaluate_embeddings

    ways: dict[str, dict[str, Any]] = {}
    for count in views:
        vectors, labels = embedded_parts(model, collection, split, count)
        name = f"{count} view" + "s" * (count > 1) + ", as the recipe has it" * (count == model.views)
        ways[name] = {
            part: evaluate_embeddings(
                vectors["train"], labels["train"], vectors[part], labels[part], seed=seed
            ).to_dict()
            for part in ("val", "test")
        }
    return ways


def way_table(ways: dict[str, dict[str, Any]], what: str) -> str:
    """One row a way and part: 1-NN and nearest class mean, plain and balanced."""
    keys = ("knn_accuracy", "balanced_knn_accuracy", "ncm_accuracy", "balanced_ncm_accuracy")
    lines = [
        f"| {what} | part | 1-NN | balanced | nearest class mean | balanced |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name, parts in ways.items():
        for part, metrics in parts.items():
            lines.append(f"| {name} | {part} | " + " | ".join(with_interval(metrics[key]) for key in keys) + " |")
    return "\n".join(lines)


SHOWN = {
    "knn_accuracy": "1-NN accuracy",
    "balanced_knn_accuracy": "1-NN, balanced over classes",
    "ncm_accuracy": "nearest class mean",
    "balanced_ncm_accuracy": "nearest class mean, balanced",
    "map_at_r": "MAP@R",
    "pair_auc": "pairs: AUC",
    "pair_eer": "pairs: EER",
    "tar_at_far_0.01": "pairs: TAR at FAR 1e-2",
    "pair_accuracy": "pairs: accuracy at a threshold chosen elsewhere",
}
