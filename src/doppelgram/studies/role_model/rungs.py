"""Climbing the ladder: each rung trained, asked its pairs, and written down so that it is not done twice."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from doppelgram.console import progress_bar
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.evaluation.result import Metric
from doppelgram.files import written_whole
from doppelgram.images.batch import load_pixels
from doppelgram.images.framing import Framing
from doppelgram.models.networks.pairs import PairNetwork, PoseMaskNet
from doppelgram.studies.role_model.data import Posts, Trial
from doppelgram.studies.role_model.plan import Rung
from doppelgram.studies.role_model.scores import distances, metrics_from, score_pairs
from doppelgram.training.recipe import Recipe
from doppelgram.training.recipe_file import write_recipe
from doppelgram.training.train import make_network
from doppelgram.weights import cache_folder

MASK_CHANNELS = 3


@dataclass(frozen=True)
class Climbed:
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
class Workshop:
    """What every rung needs, read and computed once.

    Attributes:
        posts: the photographs.
        hashes: content hash of each.
        masks: drawn skeletons (n, 2, channels, side, side) by their side.
        out: the folder of the whole ladder.
        weights: folder of pretrained weights.
        seed: of everything.
        console: where progress is shown.
        pixels_at: photographs by the side they were read at.
        features_of: features by what decides them.
    """

    posts: Posts
    hashes: list[str]
    masks: Mapping[int, NDArray[np.uint8]]
    out: Path
    weights: Path | None
    seed: int
    console: Console
    pixels_at: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    features_of: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def pixels(self, size: int) -> NDArray[np.uint8]:
        """Photographs squashed to squares of ``size``, as the study did."""
        if size not in self.pixels_at:
            with progress_bar(self.console, f"reading at {size} x {size}", len(self.hashes)) as advance:
                loaded = load_pixels(
                    self.posts.collection.paths, Framing(size), progress=advance, scratch=self.out / "scratch"
                )
            if loaded.hashes != self.hashes:
                raise DoppelgramError(f"{self.posts.collection.root}: photographs changed or vanished meanwhile")
            self.pixels_at[size] = loaded.pixels
        return self.pixels_at[size]

    def features(self, recipe: Recipe) -> NDArray[np.float32]:
        """Features of the recipe's backbone, float32 (n, 2, views, d); see `mirrored_features`."""
        from doppelgram.training.siamese_pairs_data import mirrored_features

        key = f"{recipe.model.backbone} {recipe.data.size} {recipe.augment}"
        if key not in self.features_of:
            network = make_network(recipe, self.weights, self.seed)
            pixels, views = self.pixels(recipe.data.size), recipe.augment.views
            with progress_bar(self.console, "features, once and for all", 2 * len(pixels)) as advance:
                self.features_of[key] = mirrored_features(
                    network, pixels, self.hashes, Framing(recipe.data.size), cache_folder() / "features",
                    augmentation=recipe.augmentation, views=views, progress=advance,
                )  # fmt: skip
        return self.features_of[key]


def pair_network(recipe: Recipe, mask: int, weights: Path | None, seed: int) -> PairNetwork:
    """The untrained pair network of a recipe; its random weights follow from the seed."""
    tower = make_network(recipe, weights, seed)
    torch.manual_seed(seed)
    pose = PoseMaskNet(MASK_CHANNELS) if mask else None
    return PairNetwork(tower, pose, recipe.model.hidden or 64, recipe.model.dropout)


def climb(work: Workshop, rung: Rung, trial: Trial, reference: Recipe) -> Climbed:
    """Train a rung, or take what an earlier call has written down, and ask it the pairs of a trial.

    Args:
        work: photographs, masks, folders.
        rung: which; not ``ours``.
        trial: the protocol.
        reference: recipe whose backbone and size the untrained features have.

    Raises:
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    folder = work.out / trial.name / rung.key
    done = read_climbed(folder, rung)
    if done is not None:
        return done
    facts: dict[str, Any] = {}
    pairs = [np.stack([asked.a, asked.b], 1) for asked in (trial.validation, trial.test)]
    if rung.kind in ("cosine", "euclidean"):
        features = work.features(reference)[:, 0, 0].astype(np.float64)
        found = [_untrained(features, asked, rung.kind) for asked in pairs]
        facts["size"] = reference.data.size
    else:
        found, facts = _trained(work, rung, trial, folder, pairs)
    validation, test = found
    metrics = score_pairs(validation, test, trial, work.posts, seed=work.seed)
    write_climbed(folder, metrics, facts)
    return Climbed(rung, metrics, facts)


def _untrained(features: NDArray[np.float64], pairs: NDArray[Any], kind: str) -> NDArray[np.float64]:
    """Distance of the features of each pair: one minus the cosine, or Euclidean."""
    if kind == "cosine":
        length = np.linalg.norm(features, axis=1, keepdims=True)
        features = features / np.where(length > 0, length, 1.0)
        return np.asarray(1 - (features[pairs[:, 0]] * features[pairs[:, 1]]).sum(1))
    return np.asarray(np.linalg.norm(features[pairs[:, 0]] - features[pairs[:, 1]], axis=1))


def _trained(
    work: Workshop, rung: Rung, trial: Trial, folder: Path, pairs: list[NDArray[Any]]
) -> tuple[list[NDArray[np.float64]], dict[str, Any]]:
    from safetensors.torch import save_file

    from doppelgram.training.siamese_pairs import fit_pairs, pair_log_odds
    from doppelgram.training.siamese_pairs_data import PairInputs
    from doppelgram.training.siamese_pairs_plan import PairPlan

    recipe = rung.recipe
    if recipe is None:
        raise ValueError("only pair networks are trained here")
    network = pair_network(recipe, rung.mask, work.weights, work.seed)
    images: NDArray[Any] = work.features(recipe) if rung.frozen else work.pixels(recipe.data.size)
    inputs = PairInputs(images, work.masks[rung.mask] if rung.mask else None)
    place, pose, batch = work.posts.place, work.posts.pose, recipe.sampler.batch
    plan = PairPlan(place, pose, trial.rows["train"], batch, work.seed)
    # Stopped early by pairs of the kind that is trained on, as in the study; thresholds come from the protocol's.
    validation = PairPlan(place, pose, trial.rows["val"], batch, work.seed + 1).fixed()
    seconds = _read_json(folder / "seconds.json").get("seconds", 0.0)
    started = time.perf_counter()
    with progress_bar(work.console, f"{rung.title}: batches", len(plan) * recipe.optimiser.epochs) as advance:
        fitted = fit_pairs(network, inputs, plan, validation, recipe, folder, seed=work.seed, progress=advance)
    seconds += time.perf_counter() - started
    if fitted.interrupted:
        _write_json(folder / "seconds.json", {"seconds": seconds})
        raise Interrupted(f"{work.out}: interrupted; the same command goes on from here")
    with written_whole(folder / "network.safetensors") as aside:
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, aside)
    write_recipe(recipe, folder / "recipe.toml")
    _write_json(folder / "history.json", fitted.history)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    first, best = fitted.history[0], fitted.history[fitted.best_epoch - 1]
    facts = {
        "size": recipe.data.size, "epochs": len(fitted.history), "best_epoch": fitted.best_epoch,
        "seconds": round(seconds, 1), "pairs_an_epoch": int(sum(len(b) for b in plan.epoch_batches(0))),
        "first_train_loss": round(first["train_loss"], 4), "best_train_loss": round(best["train_loss"], 4),
        "first_val_loss": round(first["val_loss"], 4), "best_val_loss": round(best["val_loss"], 4),
        "val_accuracy": round(best["val_accuracy"], 4),
    }  # fmt: skip
    return [distances(pair_log_odds(network, inputs, asked)) for asked in pairs], facts


def read_climbed(folder: Path, rung: Rung) -> Climbed | None:
    """What an earlier call has written of a rung; a file that cannot be read counts as none."""
    written = _read_json(folder / "result.json")
    try:
        return Climbed(rung, metrics_from(written["metrics"]), written["facts"])
    except (KeyError, TypeError, DoppelgramError):
        return None


def write_climbed(folder: Path, metrics: Mapping[str, Metric], facts: Mapping[str, Any]) -> None:
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
