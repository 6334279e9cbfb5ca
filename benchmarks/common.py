"""What the benchmarks share: facts about the machine, and results written as JSON and Markdown side by side."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What a figure depends on besides the code."""
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
    }


def write(name: str, result: dict[str, Any], markdown: str) -> None:
    """Write ``results/<name>.json`` and ``.md``, and print the latter."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(markdown.rstrip() + "\n", encoding="utf-8")
    print(markdown)


def metric_table(rows: dict[str, dict[str, dict[str, float]]], names: dict[str, str]) -> str:
    """A Markdown table: one row a metric, one column an evaluation, each cell value and 95 % interval."""
    lines = ["| metric | " + " | ".join(rows) + " |", "|---|" + "---:|" * len(rows)]
    for name, title in names.items():
        cells = []
        for metrics in rows.values():
            m = metrics.get(name)
            cells.append(f"{m['value']:.2%} ({m['low']:.1%} to {m['high']:.1%}), n = {m['n']}" if m else "")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
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
