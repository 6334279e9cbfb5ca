"""One cell of a comparison: an ordinary run, trained on images that are in memory, and what it answers right."""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.comparison.grid import Cell
from doppelgram.comparison.result import RunResult, Setting
from doppelgram.console import Progress, SilentProgress
from doppelgram.dataset.loading import Images
from doppelgram.dataset.splits import Split
from doppelgram.errors import DivergedError, DoppelgramError
from doppelgram.evaluation.classification import nearest_class_mean
from doppelgram.evaluation.ranking import rank
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.files import written_whole
from doppelgram.images.augmentation import Augmentation
from doppelgram.models.bundle import load_model
from doppelgram.models.model import require_model
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.training.copies import read_people
from doppelgram.training.embedding import embed_rows, frozen_features, make_framing
from doppelgram.training.features import Features, cache_key
from doppelgram.training.metric_run import TrainingImages, train_loaded
from doppelgram.training.networks import make_network
from doppelgram.training.recipes.schema import MetricRecipe
from doppelgram.training.run import RUN_FILE, SPLIT_FILE, Run, create_run, open_run
from doppelgram.training.watch import COLLAPSED_SPREAD


class ComparisonTrainer:
    """Trains and measures cells on what they share: images, split, and the features of frozen backbones.

    Args:
        images: every readable image.
        parts: which image belongs to which part.
        data: where the images are from.
        weights: folder to look pretrained weights up in.
        progress: where progress on what is shared is shown.
    """

    def __init__(self, images: Images, parts: Split, data: Path, weights: Path | None, progress: Progress) -> None:
        self.images = images
        self.parts = parts
        self.data = data
        self.weights = weights
        self.progress = progress
        self.quiet = SilentProgress()
        self._features: dict[str, Features] = {}

    def features(self, recipe: MetricRecipe, network: EmbeddingNetwork) -> Features | None:
        """Features of all images if the backbone is frozen; computed once for each backbone that there is."""
        if network.trained != "head":
            return None
        framing, copies = make_framing(recipe), recipe.augment.copies
        key = cache_key(network, framing, recipe.augment.changes if copies > 1 else Augmentation(), copies)
        if key not in self._features:
            self._features[key] = frozen_features(recipe, network, self.images, framing, self.progress)
        return self._features[key]

    def train(self, cell: Cell, folder: Path, epoch_done: Callable[[], None] | None = None) -> Run:
        """Train a cell, go on with it, or find it finished; raises Interrupted where it was stopped.

        A training that diverges is a result of its own: it is noted in the run, and the others go on.
        """
        run = open_run(folder) if (folder / RUN_FILE).is_file() else None
        if run is not None and (run.recipe.to_dict() != cell.recipe.to_dict() or run.seed != cell.seed):
            raise DoppelgramError(f"{folder}: is a run of another recipe; choose another --out")
        if run is not None and (run.finished or run.facts.get("diverged")):
            return run
        network = make_network(cell.recipe.model, cell.recipe.data.size, self.weights, cell.seed)
        if run is None:
            run = create_run(folder, cell.recipe, self.data, cell.seed)
        setting = {**cell.setting._asdict(), "seed": cell.seed, "mines": cell.mines}
        run.update(comparison=setting)
        if not (folder / SPLIT_FILE).is_file():
            self.parts.write(folder / SPLIT_FILE)
            (folder / "files.json").write_text(self.images.report.to_json(), encoding="utf-8")
        features = self.features(cell.recipe, network)
        try:
            run = train_loaded(
                run,
                network,
                TrainingImages(self.images, self.parts, features, read_people(cell.recipe, self.weights, self.quiet)),
                self.quiet,
                resume=True,
                epoch_done=epoch_done,
            )
        except DivergedError:
            run.update(diverged=True)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # they serve to go on, and a grid has many runs
        return run

    def measure(self, cell: Cell, folder: Path, part: str) -> None:
        """Ask a finished cell every image of a part, and keep what it answered right beside it."""
        file = answers_file(folder, part)
        if file.is_file():
            return
        embed = None
        if not open_run(folder).facts.get("diverged"):
            model = require_model(load_model(folder), f"{folder}: holds another kind of model; choose another --out")
            model.tower.network.trained = cell.recipe.model.train  # which a loaded network does not know
            features = self.features(cell.recipe, model.tower.network)
            embed = partial(embed_rows, model, self.images, features=features)
        found = answers(embed, self.images, self.parts, part)
        with written_whole(file) as aside:
            np.savez_compressed(aside, **found)  # type: ignore[arg-type]  # its stub takes the names for options


def answers_file(folder: Path, part: str) -> Path:
    """Where a run keeps its answers on a part."""
    return folder / f"answers-{part}.npz"


def answers(
    embed: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]] | None, images: Images, parts: Split, part: str
) -> dict[str, np.ndarray[Any, Any]]:
    """What a model answers right when each image of a part is a query to the training part.

    If the two have no class in common, the part's images are queries to each other. Queries whose class has no image
    to be found are left out; which ones does not depend on the model.

    Args:
        embed: gives the embeddings (m, dim) of rows of the images; None: nothing is answered rightly.
        images: all.
        parts: which image belongs to which part.
        part: whose images are the queries.

    Returns:
        ``query`` (q,) names of the images, ``nearest`` and ``class_mean`` (q,) bool, ``average_precision`` (q,)
        float32, and ``spread`` (), the mean distance from the mean embedding.

    Raises:
        DoppelgramError: the part has no image, or none has another of its class to find.
    """
    right = embed is not None
    embed = embed or (lambda rows: np.zeros((len(rows), 1), np.float32))
    rows = parts.rows(images.collection)
    if not len(rows[part]):
        raise DoppelgramError(f"{images.collection.root}: the split has no {part} part to compare on")
    labels, hashes, names = images.collection.labels, np.array(images.hashes), np.array(images.collection.names)
    query, gallery = rows[part], rows["train"]
    embedded = embed(query)
    if set(labels[query].tolist()) & set(labels[gallery].tolist()):
        found = EmbeddedSet(embed(gallery), labels[gallery], hashes[gallery].tolist())
        task = make_task(found, EmbeddedSet(embedded, labels[query], hashes[query].tolist()))
    else:
        task = make_task(EmbeddedSet(embedded, labels[query], hashes[query].tolist()))
    ranking = rank(task)
    counted = ranking.relevant > 0
    if not counted.any():
        raise DoppelgramError(f"{images.collection.root}: no image of the {part} part has another of its class to find")
    return {
        "query": names[query][counted],
        "nearest": right & (ranking.first[counted] == 1),
        "class_mean": right & (nearest_class_mean(task) == task.query_codes)[counted],
        "average_precision": right * ranking.average_precision[counted].astype(np.float32),
        "spread": np.asarray(np.linalg.norm(embedded - embedded.mean(axis=0), axis=1).mean()),
    }


def read_result(folder: Path, part: str) -> tuple[RunResult, np.ndarray[Any, Any]] | None:
    """A finished and measured cell from its folder, with its queries; None if it is not one yet.

    Raises:
        DoppelgramError: one of its files is damaged.
    """
    file = answers_file(folder, part)
    if not (folder / RUN_FILE).is_file() or not file.is_file():
        return None
    run = open_run(folder)
    facts = run.facts.get("comparison")
    diverged = bool(run.facts.get("diverged"))
    if not (run.finished or diverged) or facts is None:
        return None
    try:
        with np.load(file, allow_pickle=False) as stored:
            kept = {name: stored[name] for name in stored.files}
        result = RunResult(
            setting=Setting(facts["loss"], facts["miner"], facts["dim"]),
            seed=facts["seed"],
            nearest=kept["nearest"],
            class_mean=kept["class_mean"],
            average_precision=kept["average_precision"].astype(np.float64),
            history=_read_history(folder / "log" / "metrics.csv"),
            collapsed=_warned(run, "collapse:") or float(kept["spread"]) < COLLAPSED_SPREAD,
            stuck=_warned(run, "the loss is stuck at its margin"),
            diverged=diverged,
            mines=facts["mines"],
            folder=f"{folder.parent.name}/{folder.name}",
        )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise DoppelgramError(f"{file}: is damaged ({problem}); delete it, and it is made anew") from None
    return result, kept["query"]


def _warned(run: Run, beginning: str) -> bool:
    return any(warning.startswith(beginning) for warning in run.facts.get("warnings", []))


def _read_history(file: Path) -> list[dict[str, float]]:
    if not file.is_file():  # of a training that diverged in its first epoch
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(stream)]
