"""Train a model of places and poses from labelled posts."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import progress_bar
from doppelgram.dataset.readers import read_collection
from doppelgram.dataset.splits import Split, make_split, read_split
from doppelgram.dataset.splitting import split_of_data
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.evaluation.joint_fit import Kinds, fit_joint, joint_loss, pair_kinds, twins
from doppelgram.images.memory import available_memory
from doppelgram.images.read import Want
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.finder import open_finder
from doppelgram.models.finder_settings import READY_MADE, FinderSettings
from doppelgram.models.towers import ImageTower, KeypointTower, fused_dim, unit
from doppelgram.space.arrangement import ArrangementSpace, JointCalibration
from doppelgram.space.calibration import Calibration
from doppelgram.training.arrangement_towers import (
    PERSON_VIEWS,
    PLACES,
    Towers,
    TowerVectors,
    fit_generic,
    tower_vectors,
)
from doppelgram.training.embedding import warn
from doppelgram.training.pose_fit import fit_pose_tower
from doppelgram.training.recipe import Recipe
from doppelgram.training.run import SPLIT_FILE, Run, abandon_run, create_run
from doppelgram.training.tower_fit import TowerSchedule, fit_tower, tower_features
from doppelgram.training.tower_inputs import TowerInputs, read_tower_inputs
from doppelgram.training.tower_views import check_cut, first_maps

# From these the weights of towers that name no classes are chosen.
_WEIGHTS = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0)
# Share of what the best weights tell (in log-likelihood, more than a coin does) that smaller ones may lack.
_ALIKE = 0.05
_PLACEHOLDER = Calibration(1.0, 1.0, 1.0, 1, 1, "not calibrated yet")


def train_arrangement(
    data: Path,
    recipe: Recipe,
    out: Path,
    *,
    given: Split | None = None,
    weights: Path | None = None,
    seed: int = 0,
    run: Run | None = None,
    console: Console | None = None,
) -> Run:
    """What `doppelgram.training.train.train` does for a recipe with ``arrangement.estimator``.

    Every tower is kept as soon as it is trained, in ``checkpoints/``; a run that is resumed goes on with the next one.
    Found people are kept in the user's cache.

    Args:
        data: posts with the columns ``place`` and ``pose``; photographs without a pose teach their place.
        recipe: what is trained.
        out: run folder.
        given: the parts; by default drawn from the seed.
        weights: folder to look weights up in.
        seed: the same recipe, collection and seed give the same model again.
        run: the run that is resumed; a new one is begun without.
        console: where progress is shown.
    """
    console = console or Console(stderr=True)
    collection = _posts(data)
    finder_settings = _finder_settings(recipe, weights)
    finder = open_finder(finder_settings, weights)
    parts = read_split(out / SPLIT_FILE) if run is not None and (out / SPLIT_FILE).is_file() else given
    if parts is None:
        parts = split_of_data(data, collection, console)
    if parts is not None:
        parts.rows(collection)
    resumed = run is not None
    run = run or create_run(out, recipe, data, seed)
    started, before = time.perf_counter(), float(run.facts.get("training_seconds", 0.0))
    try:
        if parts is None:
            shares = {"val": recipe.split.val, "test": recipe.split.test}
            parts = make_split(collection, recipe.split.by, {**shares, "train": 1 - sum(shares.values())}, seed)
        if not (out / SPLIT_FILE).is_file():
            parts.write(out / SPLIT_FILE)
        place, pose = collection.column("place"), collection.column("pose")
        rows = _taught(parts, collection)
        names = {"place": np.unique(place[rows]), "pose": np.unique(pose[rows & (pose != "")])}
        for kind, found in names.items():
            if len(found) < 2:
                raise DoppelgramError(
                    f"{data}: the training part has {len(found)} {kind} in all; at least two are needed to tell apart"
                )
        towers = Towers(recipe, weights, len(names["place"]), len(names["pose"]), seed)
        for tower in towers.image.values():
            check_cut(tower.model.network, recipe.model.frozen_layers, tower.model.framing.size)
        people = recipe.arrangement.people
        want = Want(finder_settings.framing, extras=finder.extras)
        inputs = read_tower_inputs(collection, want, towers.tuned, towers.pose, people, console)
        (out / "files.json").write_text(inputs.report.to_json(), encoding="utf-8")
        fitted = _Fitting(run, recipe, towers, inputs, parts, names, seed, console)
        fitted.fit()
        joint, figures = fitted.calibrate(str(data))
        space = ArrangementSpace(fused_dim(towers.place), fused_dim(towers.pose), people, joint)
        labels = (*names["place"].tolist(), *names["pose"].tolist())
        model = ArrangementModel(towers.place, towers.pose, space, finder_settings, labels, recipe.to_dict())
        model.save(out / "model")
    except KeyboardInterrupt:
        run.update(training_seconds=round(before + time.perf_counter() - started, 1))
        raise Interrupted(f"{out}: stopped; go on with `doppelgram train ... --resume`") from None
    except DoppelgramError:
        if not resumed and not (out / "checkpoints").exists():
            abandon_run(run)
        raise
    seconds = before + time.perf_counter() - started
    counts = {name: len(found) for name, found in parts.rows(collection).items() if len(found)}
    run.update(
        finished=True, fingerprint=model.fingerprint, images=counts, epochs=recipe.optimiser.epochs,
        best_epoch=recipe.optimiser.epochs, best=figures, warnings=[], training_seconds=round(seconds, 1),
    )  # fmt: skip
    return run


def _posts(data: Path) -> Collection:
    collection = read_collection(data, label="place+pose")
    place = collection.column("place")
    if not (place != "").any():
        raise DoppelgramError(f"{data}: no photograph names its place; posts have the columns place and pose")
    return collection.take(place != "")


def _finder_settings(recipe: Recipe, weights: Path | None) -> FinderSettings:
    from doppelgram.pose.estimators.registry import make_estimator
    from doppelgram.pose.segmenter import make_segmenter

    settings = recipe.arrangement
    key = "" if settings.estimator == READY_MADE else make_estimator(settings.estimator, weights).key
    mask = make_segmenter(settings.segmenter, weights).key if settings.segmenter else ""
    return FinderSettings(settings.estimator, key, settings.segmenter, mask)


def _taught(parts: Split, collection: Collection) -> NDArray[np.bool_]:
    rows = parts.rows(collection)
    taught = np.zeros(len(collection), dtype=bool)
    taught[np.concatenate([rows["train"], rows["extra"]])] = True
    return taught


class _Fitting:
    """The towers of one run being trained on what they see."""

    def __init__(
        self, run: Run, recipe: Recipe, towers: Towers, inputs: TowerInputs, parts: Split,
        names: dict[str, NDArray[np.str_]], seed: int, console: Console,
    ) -> None:  # fmt: skip
        self.run, self.recipe, self.towers, self.inputs = run, recipe, towers, inputs
        self.seed, self.console, self.names = seed, console, names
        posts = inputs.collection
        self.place, self.pose = posts.column("place"), posts.column("pose")
        self.taught = _taught(parts, posts)
        self.validated = np.zeros(len(posts), dtype=bool)
        self.validated[parts.rows(posts)["val"]] = True
        self.untouched: dict[str, NDArray[np.float32]] = {}

    def fit(self) -> None:
        """Train every tower that is not kept from before."""
        image = list(self.towers.image)
        shown = dict(zip([name for name in image if name not in PLACES] + list(self.towers.keypoints),
                         self.inputs.pose, strict=True))  # fmt: skip
        shown |= dict(zip([name for name in image if name in PLACES], self.inputs.place, strict=True))
        first = self.inputs.first
        posing = np.flatnonzero(self.taught & (self.pose != "") & (first >= 0))
        poses = np.searchsorted(self.names["pose"], self.pose[posing])
        taught = np.flatnonzero(self.taught)
        places = np.searchsorted(self.names["place"], self.place[taught])
        for name, tower in self.towers.image.items():
            rows, classes = (taught, places) if name in PLACES else (first[posing], poses)
            self._image(name, tower, shown[name], rows, classes)
        for name, point_tower in self.towers.keypoints.items():
            self._keypoints(name, point_tower, shown[name][first[posing]], poses)

    def _image(
        self, name: str, tower: ImageTower, pixels: NDArray[Any], rows: NDArray[np.int64], classes: NDArray[np.int64]
    ) -> None:
        recipe, network = self.recipe, tower.model.network
        layers, views = recipe.model.frozen_layers, recipe.augment.views
        spec = recipe.augmentation if name in PLACES else PERSON_VIEWS
        # Untouched features tell who stands before the same photograph, and who is the same person; the place's do for
        # the scene, of which one photograph says how large its maps are.
        looked = pixels[:1] if name == "scene" else pixels
        plain = first_maps(network, layers, looked, spec, 0, self.seed)
        if name != "scene":
            self.untouched[name] = unit(tower_features(network, layers, plain[0]))
        if name == "place" and self.towers.generic:
            fit_generic(self.towers.generic, tower_features(network, layers, plain[0])[self.taught])
        if self._kept(name, network):
            return
        views = _affordable(plain.nbytes // len(looked) * len(pixels), views)
        taught, where = np.unique(rows, return_inverse=True)
        mirror = int(tower.model.mirror)
        with progress_bar(self.console, f"{name}: looking", (1 + mirror + views) * len(taught)) as advance:
            maps = first_maps(
                network, layers, pixels[taught], spec, views, self.seed, mirror=bool(mirror), progress=advance
            )
        settings = recipe.optimiser
        schedule = TowerSchedule(
            settings.epochs, recipe.sampler.batch, settings.lr, settings.backbone_lr, settings.weight_decay,
            settings.warmup, settings.average,
        )  # fmt: skip
        with progress_bar(self.console, f"{name}: epochs", settings.epochs) as advance:
            fit_tower(network, layers, maps, where, classes, schedule, self.seed, advance)
        self._keep(name, network)

    def _keypoints(self, name: str, tower: KeypointTower, keypoints: NDArray[Any], classes: NDArray[np.int64]) -> None:
        if self._kept(name, tower.network):
            return
        known = np.isfinite(keypoints[..., 0]).any(axis=1)
        epochs = self.recipe.arrangement.keypoint_epochs
        if not known.any():
            raise DoppelgramError(f"{self.inputs.collection.root}: nobody's joints are known in the training part")
        with progress_bar(self.console, f"{name}: epochs", epochs) as advance:
            fit_pose_tower(tower.network, keypoints[known], classes[known], epochs, self.seed, advance)  # type: ignore[arg-type]
        self._keep(name, tower.network)

    def calibrate(self, data: str) -> tuple[JointCalibration, dict[str, float]]:
        """Fit what distances mean, on the validation part if it has the pairs, and say how many pairs are right."""
        towers, inputs = self.towers, self.inputs
        dims = fused_dim(towers.place), fused_dim(towers.pose)
        people = self.recipe.arrangement.people
        empty = JointCalibration(_PLACEHOLDER, _PLACEHOLDER, 1.0, 1.0, 0.0, 0.0, 0.5, rule="both")
        space = ArrangementSpace(*dims, people, empty)
        asked = np.flatnonzero(self.validated & (self.pose != ""))
        where = f"validation part of {data}"
        kinds = pair_kinds(self.place[asked], self.pose[asked], ~self._twins(asked), self.seed)
        if min(len(kinds.same), len(kinds.place), len(kinds.pose)) < 5:
            warn(self.console, "the validation part has too few hard pairs; the training part calibrates instead")
            asked = np.flatnonzero(self.taught & (self.pose != ""))
            where = f"training part of {data}"
            kinds = pair_kinds(self.place[asked], self.pose[asked], ~self._twins(asked), self.seed)
        with progress_bar(self.console, "calibrating", len(asked)) as advance:
            found = tower_vectors(towers, inputs, asked, advance)
        joint, vectors = self._weighed(found, kinds, space, where)
        space = replace(space, calibration=joint)
        pairs = np.concatenate([kinds.same, kinds.place, kinds.pose])
        said = space.judge(vectors[pairs[:, 0]], vectors[pairs[:, 1]]).probability >= joint.threshold
        right = said == (np.arange(len(pairs)) < len(kinds.same))
        return joint, {"val_pair_accuracy": round(float(right.mean()), 6), "val_pairs": len(pairs)}

    def _weighed(
        self, found: TowerVectors, kinds: Kinds, space: ArrangementSpace, where: str
    ) -> tuple[JointCalibration, NDArray[np.float32]]:
        """Give the towers that name no classes the weights by which the pairs are told best, and calibrate with them.

        How much what is generic should say depends on what the model will be asked: about places and poses that it was
        trained on, little, about others, much. The validation part is taken for an example of that.
        """
        generic, embedding = self.towers.generic, self.towers.keypoints.get("embedding")
        tried: list[tuple[float, tuple[float, ...]]] = []
        for weights in product(*(_WEIGHTS if tower is not None else (1.0,) for tower in (generic, embedding))):
            self._set_weights(*weights)
            vectors = found.fused(self.towers, space.people)
            joint = fit_joint(space, vectors, kinds, where)
            tried.append((joint_loss(replace(space, calibration=joint), vectors, kinds), weights))
        least = min(loss for loss, _ in tried)
        bearable = least + _ALIKE * max(math.log(2) - least, 0.0)
        # Of weights that do about as well the smallest: a hundred validation photographs cannot tell them apart.
        chosen = min((weights for loss, weights in tried if loss <= bearable), key=sum)
        self._set_weights(*chosen)
        vectors = found.fused(self.towers, space.people)
        return fit_joint(space, vectors, kinds, where), vectors

    def _set_weights(self, generic: float, embedding: float) -> None:
        if self.towers.generic is not None:
            self.towers.generic.weight = generic
        if "embedding" in self.towers.keypoints:
            self.towers.keypoints["embedding"].weight = embedding

    def _twins(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Pairs (m, m) of rows that show the same photograph of a place or the same person, by untouched features."""
        found = twins(self.untouched["place"][rows], self.place[rows])
        if "person" in self.untouched:
            first = self.inputs.first[rows]
            seen = first >= 0
            alike = twins(self.untouched["person"][first[seen]], self.pose[rows][seen])
            both = np.ix_(np.flatnonzero(seen), np.flatnonzero(seen))
            found[both] |= alike
        return found

    def _file(self, name: str) -> Path:
        return self.run.folder / "checkpoints" / f"{name}.safetensors"

    def _kept(self, name: str, network: torch.nn.Module) -> bool:
        """Whether a tower was trained before this run was interrupted; it then has those weights."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            network.load_state_dict(load_file(self._file(name)))
        except (OSError, SafetensorError, RuntimeError):
            return False
        network.eval()
        return True

    def _keep(self, name: str, network: torch.nn.Module) -> None:
        from safetensors.torch import save_file

        file = self._file(name)
        file.parent.mkdir(exist_ok=True)
        aside = file.with_suffix(".part")
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, aside)
        aside.replace(file)


def _affordable(plain: int, views: int) -> int:
    """As many views as fit into a quarter of the free memory, at least one."""
    return max(1, min(views, int(available_memory() / 4 / max(plain, 1)) - 2))
