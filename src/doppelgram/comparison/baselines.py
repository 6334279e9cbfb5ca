"""Models that a comparison is held beside: asked the same queries, trained on nothing of it."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from doppelgram.comparison.cells import answers
from doppelgram.comparison.result import Baseline, RunResult, interval_of
from doppelgram.console import Progress
from doppelgram.dataset.loading import Images
from doppelgram.dataset.splits import Split
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.models.bundle import load_model
from doppelgram.models.embed_files import embed_files
from doppelgram.models.ready_made.registry import READY_MADE, ready_made

FOLDER = "baselines"


def check_baselines(names: list[str]) -> None:
    """Refuse what is no ready-made model; raises DoppelgramError."""
    for name in names:
        if not ready_made(name):
            raise DoppelgramError(
                f"--baseline is '{name}'; it is a ready-made model: {', '.join(READY_MADE)} (`doppelgram models`)"
            )


def measure_baseline(
    name: str, images: Images, parts: Split, out: Path, part: str, weights: Path | None, progress: Progress
) -> None:
    """Ask a ready-made model what the runs are asked, of the whole photographs, and keep what it answers right."""
    file = out / FOLDER / f"{name}-{part}.npz"
    if file.is_file():
        return
    model = load_model(name, weights=weights)
    paths = images.collection.paths
    with progress.bar(f"embedding by {name}", len(paths)) as advance:
        found = embed_files(model, paths, keep_duplicates=True, progress=advance)
    if len(found.kept) < len(paths):
        raise DoppelgramError(f"{images.collection.root}: an image changed or vanished while it was compared")
    file.parent.mkdir(exist_ok=True)
    with written_whole(file) as aside, aside.open("wb") as stream:
        np.savez_compressed(stream, **answers(lambda rows: found.vectors[rows], images, parts, part))  # type: ignore[arg-type]


def read_baselines(out: Path | PathLike[str], part: str, runs: list[RunResult]) -> list[Baseline]:
    """Every baseline that was measured on that part.

    Raises:
        DoppelgramError: one answered other queries than the runs.
    """
    found = []
    for file in sorted((Path(out) / FOLDER).glob(f"*-{part}.npz")):
        with np.load(file, allow_pickle=False) as kept:
            if len(kept["nearest"]) != len(runs[0].nearest):
                raise DoppelgramError(f"{file}: answered other queries than the runs; delete it")
            p1, ncm = interval_of(kept["nearest"]), interval_of(kept["class_mean"])
            name = file.name.removesuffix(f"-{part}.npz")
            found.append(Baseline(name, p1, ncm, float(kept["average_precision"].mean())))
    return found
