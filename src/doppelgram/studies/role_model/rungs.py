"""The rungs of the ladder: each trained, measured on its pairs, and written down so that it is not done twice."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.evaluation.result import Metric
from doppelgram.files import written_whole
from doppelgram.images.batch import load_pixels
from doppelgram.images.framing import Framing
from doppelgram.models.networks.pairs import PairNetwork, PoseMaskNet
from doppelgram.studies.role_model.data import Posts, Trial
from doppelgram.studies.role_model.pair_plan import PairPlan
from doppelgram.studies.role_model.plan import Rung
from doppelgram.studies.role_model.scores import distances, metrics_from, score_pairs
from doppelgram.training.networks import make_network
from doppelgram.training.recipes.files import write_recipe
from doppelgram.training.recipes.schema import PairsRecipe
from doppelgram.weights import cache_folder

if TYPE_CHECKING:  # whose imports bring Lightning along, which only training needs
    from doppelgram.studies.role_model.pair_inputs import PairInputs
    from doppelgram.training.task import BatchPlan, Index

MASK_CHANNELS = 3
NETWORK_FILE = "network.safetensors"


@dataclass(frozen=True)
class RungResult:
    """A finished rung.

    Attributes:
        rung: which.
        metrics: on the test pairs; see `score_pairs`.
        facts: of its training: epochs, best_epoch, seconds, and the losses of the first and the best epoch.
    """

    rung: Rung
    metrics: Mapping[str, Metric]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyData:
    """What every rung needs, read and computed once.

    Attributes:
        posts: the photographs.
        hashes: content hash of each.
        masks: drawn skeletons (n, 2, channels, side, side) by their side.
        out: the folder of the whole ladder.
        weights: folder of pretrained weights.
        seed: of everything.
        progress: where progress is shown.
        pixels_at: photographs by the side they were read at.
        features_of: features by what decides them.
    """

    posts: Posts
    hashes: list[str]
    masks: Mapping[int, NDArray[np.uint8]]
    out: Path
    weights: Path | None
    seed: int
    progress: Progress
    pixels_at: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    features_of: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def pixels(self, size: int) -> NDArray[np.uint8]:
        """Photographs squashed to squares of ``size``, as the study did."""
        if size not in self.pixels_at:
            with self.progress.bar(f"reading at {size} x {size}", len(self.hashes)) as advance:
                loaded = load_pixels(
                    self.posts.collection.paths, Framing(size), progress=advance, scratch=self.out / "scratch"
                )
            if loaded.hashes != self.hashes:
                raise DoppelgramError(f"{self.posts.collection.root}: photographs changed or vanished meanwhile")
            self.pixels_at[size] = loaded.pixels
        return self.pixels_at[size]

    def features(self, recipe: PairsRecipe) -> NDArray[np.float32]:
        """Features of the recipe's backbone, float32 (n, 2, copies, d); see `mirrored_features`."""
        from doppelgram.studies.role_model.pair_inputs import mirrored_features

        key = f"{recipe.model.backbone} {recipe.data.size} {recipe.augment}"
        if key not in self.features_of:
            network = make_network(recipe.model, recipe.data.size, self.weights, self.seed)
            pixels, copies = self.pixels(recipe.data.size), recipe.augment.copies
            with self.progress.bar("features, once and for all", 2 * len(pixels)) as advance:
                self.features_of[key] = mirrored_features(
                    network,
                    pixels,
                    self.hashes,
                    cache_folder() / "features",
                    augmentation=recipe.augment.changes,
                    copies=copies,
                    progress=advance,
                )
        return self.features_of[key]


@dataclass(frozen=True)
class FittedRung:
    """A pair network that was trained, and what it sees.

    Attributes:
        network: with the weights of its best epoch.
        inputs: of all photographs.
        history: figures of every epoch.
        best_epoch: from 1.
        seconds: of training, over all calls.
    """

    network: PairNetwork
    inputs: PairInputs
    history: list[dict[str, float]]
    best_epoch: int
    seconds: float

    def log_odds(self, pairs: NDArray[Any]) -> NDArray[np.float64]:
        """Log-odds of "the same arrangement" of pairs, see `pair_log_odds`."""
        from doppelgram.training.tasks.pairs import pair_log_odds

        return pair_log_odds(self.network, self.inputs, pairs)


def pair_network(recipe: PairsRecipe, weights: Path | None, seed: int) -> PairNetwork:
    """The untrained pair network of a recipe; its random weights follow from the seed."""
    tower = make_network(recipe.model, recipe.data.size, weights, seed)
    torch.manual_seed(seed)
    pose = PoseMaskNet(MASK_CHANNELS) if recipe.pairs.mask else None
    return PairNetwork(tower, pose, recipe.model.hidden or 64, recipe.model.dropout)


def write_network(network: PairNetwork, file: Path) -> None:
    """Write a network's weights, whole or not at all."""
    from safetensors.torch import save_file

    with written_whole(file) as aside:
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, aside)


def measure_rung(data: StudyData, rung: Rung, trial: Trial) -> RungResult:
    """Train a rung, or take what an earlier call has written down, and measure it on the pairs of a trial.

    Args:
        data: photographs, masks, folders.
        rung: which; untrained features or a pair network.
        trial: the protocol.

    Raises:
        Interrupted: stopped by Ctrl-C; the same call continues in the middle of the rung.
    """
    folder = data.out / trial.name / rung.key
    done = read_rung(folder, rung)
    if done is not None:
        return done
    facts: dict[str, Any] = {}
    pairs = [np.stack([queries.a, queries.b], 1) for queries in (trial.validation, trial.test)]
    if rung.recipe is not None and rung.kind in ("cosine", "euclidean"):
        features = data.features(rung.recipe)[:, 0, 0].astype(np.float64)
        found = [_untrained(features, queries, rung.kind) for queries in pairs]
        facts["size"] = rung.recipe.data.size
    else:
        found, facts = _trained(data, rung, trial, folder, pairs)
    validation, test = found
    metrics = score_pairs(validation, test, trial, data.posts, seed=data.seed)
    write_rung(folder, metrics, facts)
    return RungResult(rung, metrics, facts)


def _untrained(features: NDArray[np.float64], pairs: NDArray[Any], kind: str) -> NDArray[np.float64]:
    """Distance of the features of each pair: one minus the cosine, or Euclidean."""
    if kind == "cosine":
        length = np.linalg.norm(features, axis=1, keepdims=True)
        features = features / np.where(length > 0, length, 1.0)
        return np.asarray(1 - (features[pairs[:, 0]] * features[pairs[:, 1]]).sum(1))
    return np.asarray(np.linalg.norm(features[pairs[:, 0]] - features[pairs[:, 1]], axis=1))


def fit_rung(data: StudyData, rung: Rung, folder: Path, plan: BatchPlan, validation: Index) -> FittedRung:
    """Train a rung's pair network, or continue its training.

    Args:
        data: photographs and masks.
        rung: with a recipe.
        folder: where checkpoints and the log are written; the checkpoints go when it is trained.
        plan: the pairs of each epoch.
        validation: pairs (m, 3) by whose loss the best epoch is chosen.

    Raises:
        Interrupted: stopped by Ctrl-C.
    """
    from doppelgram.studies.role_model.pair_inputs import PairInputs
    from doppelgram.training.tasks.pairs import PairsTask
    from doppelgram.training.trainer import Place, fit

    recipe = rung.recipe
    if recipe is None:
        raise ValueError("only pair networks are trained here")
    network = pair_network(recipe, data.weights, data.seed)
    if rung.first is not None:
        _start(network, data, replace(rung, recipe=rung.first, first=None), folder / "first", plan, validation)
    images: NDArray[Any] = data.features(recipe) if rung.frozen else data.pixels(recipe.data.size)
    inputs = PairInputs(images, data.masks[rung.mask] if rung.mask else None)
    task = PairsTask(network, inputs, plan, validation, recipe, seed=data.seed)
    seconds = _read_json(folder / "seconds.json").get("seconds", 0.0)
    started = time.perf_counter()
    fitted = fit(task, recipe.stopping, Place.of_run(folder, title=rung.title), resume=True, progress=data.progress)
    seconds += time.perf_counter() - started
    if fitted.interrupted:
        _write_json(folder / "seconds.json", {"seconds": seconds})
        raise Interrupted(f"{data.out}: interrupted; the same command continues from here")
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return FittedRung(network, inputs, fitted.history, fitted.best_epoch, seconds)


def _start(
    network: PairNetwork, data: StudyData, stage: Rung, folder: Path, plan: BatchPlan, validation: Index
) -> None:
    """Give a network the weights that training its new layers alone ends with, or has ended with in an earlier call."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = folder / NETWORK_FILE
    try:
        network.load_state_dict(load_file(file))
    except (OSError, SafetensorError, RuntimeError):  # not there, or not whole
        fitted = fit_rung(data, stage, folder, plan, validation)
        write_network(fitted.network, file)
        _write_json(folder / "history.json", fitted.history)
        network.load_state_dict(fitted.network.state_dict())


def _trained(
    data: StudyData, rung: Rung, trial: Trial, folder: Path, pairs: list[NDArray[Any]]
) -> tuple[list[NDArray[np.float64]], dict[str, Any]]:
    recipe = rung.recipe
    if recipe is None:
        raise ValueError("only pair networks are trained here")
    place, pose, batch, seed = data.posts.place, data.posts.pose, recipe.pairs.batch, data.seed
    plan = PairPlan(place, pose, trial.rows["train"], batch, seed, negatives=recipe.pairs.negatives)
    # Stopped early by pairs of the kind that is trained on, as in the study; thresholds come from the protocol's.
    validation = PairPlan(place, pose, trial.rows["val"], batch, seed + 1, negatives=recipe.pairs.negatives).fixed()
    fitted = fit_rung(data, rung, folder, plan, validation)
    write_network(fitted.network, folder / NETWORK_FILE)
    write_recipe(recipe, folder / "recipe.toml")
    _write_json(folder / "history.json", fitted.history)
    first, best = fitted.history[0], fitted.history[fitted.best_epoch - 1]
    facts = {
        "size": recipe.data.size,
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "seconds": round(fitted.seconds, 1),
        "pairs_an_epoch": int(sum(len(b) for b in plan.epoch_batches(0))),
        "first_train_loss": round(first["train_loss"], 4),
        "best_train_loss": round(best["train_loss"], 4),
        "first_val_loss": round(first["val_loss"], 4),
        "best_val_loss": round(best["val_loss"], 4),
        "val_accuracy": round(best["val_accuracy"], 4),
    }
    return [distances(fitted.log_odds(queries)) for queries in pairs], facts


def read_rung(folder: Path, rung: Rung) -> RungResult | None:
    """What an earlier call has written of a rung; a file that cannot be read counts as none."""
    written = _read_json(folder / "result.json")
    try:
        return RungResult(rung, metrics_from(written["metrics"]), written["facts"])
    except (KeyError, TypeError, DoppelgramError):
        return None


def write_rung(folder: Path, metrics: Mapping[str, Metric], facts: Mapping[str, Any]) -> None:
    """Write a finished rung down, whole or not at all."""
    _write_json(
        folder / "result.json",
        {"metrics": {name: asdict(metric) for name, metric in metrics.items()}, "facts": dict(facts)},
    )


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_json(file: Path, value: Any) -> None:
    with written_whole(file) as aside:
        aside.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
