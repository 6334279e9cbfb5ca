"""Each tower of a model of places and poses trained on what it sees, and kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from doppelgram.console import Progress
from doppelgram.dataset.splits import Split
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.images.augmentation import Augmentation
from doppelgram.images.memory import available_memory
from doppelgram.models.towers import ImageTower
from doppelgram.training.arrangement.inputs import TowerInputs
from doppelgram.training.arrangement.towers import PlannedTower, TowerViews, whiten_head
from doppelgram.training.recipes.towers import ClassesTower, KeypointsTower, UntrainedTower
from doppelgram.training.run import Run
from doppelgram.training.task import Task
from doppelgram.training.tasks.classes import ClassesTask
from doppelgram.training.tasks.first_layers import Maps, first_maps, image_features, pooled_features
from doppelgram.training.tasks.keypoints import KeypointsTask
from doppelgram.training.trainer import Place, fit, load_finished

Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]


class TrainingPosts:
    """The readable photographs of a run: what towers see of them, and who belongs to which part.

    Args:
        inputs: what was read.
        views: of the towers.
        parts: which photograph belongs to which part.
        names: of the places and of the poses that are trained on, sorted.

    Attributes:
        place, pose: of each photograph, as text; the pose may be empty.
        trained_on, validated: masks of the photographs.
        shown: what is seen, by the towers' input keys.
        first: row of each photograph's most prominent person, -1 where there is nobody.
    """

    def __init__(
        self, inputs: TowerInputs, views: TowerViews, parts: Split, names: dict[str, NDArray[np.str_]]
    ) -> None:
        self.inputs = inputs
        self.names = names
        self.place, self.pose = (inputs.collection.column(kind) for kind in ("place", "pose"))
        rows = parts.rows(inputs.collection)
        self.trained_on, self.validated = (np.zeros(len(inputs.collection), dtype=bool) for _ in range(2))
        self.trained_on[np.concatenate([rows["train"], rows["extra"]])] = True
        self.validated[rows["val"]] = True
        self.shown = views.take(inputs)
        self.first = inputs.first

    def examples(self, kind: str, part: Bools) -> tuple[Int64, Int64]:
        """Rows of what a tower of places or of poses sees of one part, and their classes; known ones only."""
        names, values = self.names[kind], self.place if kind == "place" else self.pose
        usable = part & np.isin(values, names)
        if kind == "pose":
            usable &= self.first >= 0
        photographs = np.flatnonzero(usable)
        classes = np.searchsorted(names, values[photographs]).astype(np.int64)
        return (photographs if kind == "place" else self.first[photographs]), classes


@dataclass
class TowerTraining:
    """The training of all towers of one run.

    Attributes:
        run: whose checkpoints, log and facts are written.
        towers: in the recipe's order; trained in place.
        posts: what they are trained on.
        progress: where progress is shown.
        untouched: features of backbones as they came, by `PlannedTower.backbone_key`.
    """

    run: Run
    towers: list[PlannedTower]
    posts: TrainingPosts
    progress: Progress
    untouched: dict[tuple[Any, ...], NDArray[np.float32]] = field(default_factory=dict)

    def fit_all(self) -> None:
        """Train every tower that was not trained before this run was interrupted.

        Raises:
            Interrupted: stopped by Ctrl-C.
        """
        for each in self.towers:
            recipe = each.recipe
            if isinstance(recipe, UntrainedTower):
                features = self.features(each)[self.posts.trained_on]
                whiten_head(image_tower(each), features, recipe.whiten)
            elif isinstance(recipe, ClassesTower):
                self._fit_classes(each, recipe, image_tower(each))
            else:
                self._fit_keypoints(each, recipe)

    def features(self, each: PlannedTower) -> NDArray[np.float32]:
        """Features (n, d) of all that an image tower sees, by its backbone as it came.

        For a tower that is trained this is called before it is.
        """
        if each.backbone_key not in self.untouched:
            network, pixels = image_tower(each).network, self.posts.shown[each.input_key]
            if isinstance(each.recipe, ClassesTower):
                maps = self._plain(each, np.arange(len(pixels)))
                found = pooled_features(network, each.recipe.frozen_layers, maps)
            else:
                found = image_features(network, pixels)
            self.untouched[each.backbone_key] = found
        return self.untouched[each.backbone_key]

    def _plain(self, each: PlannedTower, rows: Int64) -> Maps:
        """What the first layers make of images as they are."""
        pixels, layers = self.posts.shown[each.input_key][rows], getattr(each.recipe, "frozen_layers", 0)
        maps: Maps = first_maps(image_tower(each).network, layers, pixels, Augmentation(), 0, self.run.seed)[0]
        return maps

    def _fit_classes(self, each: PlannedTower, recipe: ClassesTower, tower: ImageTower) -> None:
        network, layers, pixels = tower.network, recipe.frozen_layers, self.posts.shown[each.input_key]
        if self._is_asked_untouched(each):
            self.features(each)
        if self._is_finished(each, recipe, network):
            return
        rows, classes = self.posts.examples(recipe.of, self.posts.trained_on)
        validated, validated_classes = self.posts.examples(recipe.of, self.posts.validated)
        held_out = (self._plain(each, validated), validated_classes) if len(validated) else None
        mirror, copies = int(tower.mirror), self._copies(each, recipe, rows)
        with self.progress.bar(f"{each.name}: first layers", (1 + mirror + copies) * len(rows)) as advance:
            maps = first_maps(
                network,
                layers,
                pixels[rows],
                recipe.augment.changes,
                copies,
                self.run.seed,
                mirror=bool(mirror),
                progress=advance,
            )
        self._fit(each, ClassesTask(network, maps, classes, recipe, validation=held_out, seed=self.run.seed))

    def _fit_keypoints(self, each: PlannedTower, recipe: KeypointsTower) -> None:
        network: Any = each.tower.network
        if self._is_finished(each, recipe, network):
            return
        keypoints = self.posts.shown[each.input_key]
        trained_on, validated = (
            _known(keypoints, *self.posts.examples("pose", part))
            for part in (self.posts.trained_on, self.posts.validated)
        )
        if not len(trained_on[1]):
            root = self.posts.inputs.collection.root
            raise DoppelgramError(f"{root}: nobody's keypoints are known in the training part")
        self._fit(each, KeypointsTask(network, *trained_on, recipe, validation=validated, seed=self.run.seed))

    def _fit(self, each: PlannedTower, task: Task) -> None:
        recipe: Any = each.recipe
        place = Place.of_run(self.run.folder, each.name)
        with self.run.timed():
            fitted = fit(task, recipe.stopping, place, resume=True, progress=self.progress)
        if fitted.interrupted:
            done = f"stopped in tower {each.name} after {len(fitted.history)} of {recipe.optimiser.epochs} epochs"
            raise Interrupted(f"{self.run.folder}: {done}; continue with `doppelgram train ... --resume`")
        facts = {"epochs": len(fitted.history), "best_epoch": fitted.best_epoch}
        self.run.update(towers={**self.run.facts.get("towers", {}), each.name: facts})

    def _is_finished(self, each: PlannedTower, recipe: ClassesTower | KeypointsTower, network: nn.Module) -> bool:
        """Whether a tower was trained before this run was interrupted; it then has those weights."""
        place = Place.of_run(self.run.folder, each.name)
        return load_finished(network, place, recipe.optimiser.epochs, recipe.stopping)

    def _is_asked_untouched(self, each: PlannedTower) -> bool:
        """Whether features by this tower's backbone as it came tell duplicates, or stand for an untrained tower."""
        untrained = [other.backbone_key for other in self.towers if isinstance(other.recipe, UntrainedTower)]
        return each in first_image_towers(self.towers) or each.backbone_key in untrained

    def _copies(self, each: PlannedTower, recipe: ClassesTower, rows: Int64) -> int:
        """As many augmented copies as the recipe wants and a quarter of the free RAM holds, at least one.

        The number is kept, so that a run that is resumed has as many.
        """
        kept = self.run.facts.get("copies", {})
        if each.name not in kept:
            one = self._plain(each, rows[:1]).nbytes * len(rows)
            affordable = max(1, min(recipe.augment.copies, int(available_memory() / 4 / max(one, 1)) - 2))
            kept = {**kept, each.name: affordable}
            self.run.update(copies=kept)
        return int(kept[each.name])


def first_image_towers(towers: list[PlannedTower]) -> list[PlannedTower]:
    """The first image tower that is trained on places, and the first on persons: their features tell duplicates."""
    found = []
    for kind in ("place", "pose"):
        found += [each for each in towers if each.recipe.of == kind and isinstance(each.recipe, ClassesTower)][:1]
    return found


def image_tower(each: PlannedTower) -> ImageTower:
    """The tower of a recipe that makes one which sees images."""
    return cast(ImageTower, each.tower)


def _known(keypoints: NDArray[Any], rows: Int64, classes: Int64) -> tuple[NDArray[np.float32], Int64]:
    """The people of whom any keypoint is known."""
    known = np.isfinite(keypoints[rows][..., 0]).any(axis=1)
    return keypoints[rows][known], classes[known]
