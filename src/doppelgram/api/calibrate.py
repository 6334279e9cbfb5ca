"""Fit anew what a model's distances mean, to one's own images; or say how near any two images of a folder are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.pairs import read_pairs
from doppelgram.dataset.read import as_collection
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.collection import embed_collection
from doppelgram.evaluation.recalibration import recalibrate_by_labels, recalibrate_by_pairs
from doppelgram.files import check_folder
from doppelgram.models.bundle import load_model, model_folder
from doppelgram.models.embedder import Embedder
from doppelgram.models.ready_made.faces import NETWORKS
from doppelgram.models.ready_made.registry import names_model
from doppelgram.space.background import background
from doppelgram.training.run import Run

RATES = (0.1, 0.01, 0.001, 0.0001)


@dataclass(frozen=True)
class Calibrated:
    """What a calibration was fitted to, and where the model is.

    Attributes:
        model: folder of the model; None where only a folder's distances were measured.
        fitted_on: which images or pairs.
        images: how many were read.
        nearest: with a folder alone, the distance up to which a share of its pairs lies, by share; None where there
            are too few pairs to tell.
    """

    model: str | None
    fitted_on: str
    images: int
    nearest: dict[float, float | None]


def calibrate(
    model: Run | Path | str,
    *,
    pairs: Path | str | None = None,
    labelled: Collection | Path | str | None = None,
    folder: Path | str | None = None,
    root: Path | str | None = None,
    out: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Calibrated:
    """Fit a model's calibration to images of one's own; its vectors, and so its fingerprint, stay as they are.

    Args:
        model: run or model folder.
        pairs: CSV with ``path_a,path_b,same``: fits what is said of two given images.
        labelled: labelled images that the model was not trained on: fits that, and what is said of what a search finds.
        folder: photographs without labels: fits nothing, and says how near any two of them are.
        root: where the paths of ``pairs`` start; its own folder by default.
        out: folder to save the model in; by default where it is.
        weights: as for `index`.
        keypoints: as for `index`.
        seed: of the pairs that are drawn.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: not exactly one kind of images is given, they cannot be used, or the folder cannot be written.
    """
    given = [kind for kind in (pairs, labelled, folder) if kind is not None]
    if len(given) != 1:
        raise DoppelgramError("give one of --pairs, --labelled and --folder: what to calibrate with")
    if root is not None and pairs is None:
        raise DoppelgramError("--root goes with --pairs")
    progress = progress or TerminalProgress()
    if out is not None:
        check_folder(Path(out).expanduser())
    if (names_model(model) or Path(model).suffix.lower() in NETWORKS) and out is None and folder is None:
        raise DoppelgramError(f"'{model}' is a ready-made model; give the folder to save it in, calibrated, by --out")
    target = Path(out).expanduser() if out is not None else Path() if folder is not None else model_folder(model)
    loaded = load_model(model, weights=weights, keypoints=keypoints)
    name = str(given[0].root if isinstance(given[0], Collection) else given[0])
    if pairs is not None:
        file, start = Path(pairs).expanduser(), Path(root).expanduser() if root else None
        images = _by_pairs(loaded, file, start, name)
    else:
        collection = as_collection(given[0], label=str(loaded.recipe.get("data", {}).get("label", "")))
        found = embed_collection(loaded, collection if folder is not None else collection.labelled(), progress)
        images = len(found.vectors)
        if folder is not None:
            near = background(loaded.space, found.vectors, seed=seed)
            return Calibrated(None, name, images, {rate: near.distance(rate) for rate in RATES})
        recalibrate_by_labels(loaded, found, fitted_on=name, seed=seed)
    place = loaded.save(target)
    return Calibrated(str(place), name, images, {})


def _by_pairs(model: Embedder, file: Path, root: Path | None, name: str) -> int:
    left, right, same, *_ = read_pairs(file, root)
    paths: list[Path] = sorted(set(left) | set(right))
    row = {path: number for number, path in enumerate(paths)}
    vectors: np.ndarray[Any, Any] = model.embed_images(paths)
    a, b = (vectors[[row[path] for path in side]] for side in (left, right))
    recalibrate_by_pairs(model, a, b, same, fitted_on=name)
    return len(paths)
