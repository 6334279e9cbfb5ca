"""The towers of a recipe with task `arrangements`: each one a network that sees one thing of a photograph."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from doppelgram.training.recipes.sections import (
    AtLeast0,
    Augment,
    Average,
    Backbone,
    BackboneOptimiser,
    Batch,
    Count,
    Dim,
    Dropout,
    Optimiser,
    Positive,
    Precision,
    Schedule,
    Section,
    Share,
    Side,
    Temperature,
    TowerStopping,
    Warmup,
)

Sees = Literal["photograph", "place", "person"]
Weight = Annotated[float, Field(gt=0)] | Literal["auto"]


class TowerOptimiser(BackboneOptimiser):
    """How an image tower is stepped."""

    lr: AtLeast0 = 0.01
    backbone_lr: AtLeast0 = 0.06
    weight_decay: AtLeast0 = 0.02
    schedule: Schedule = "onecycle"
    warmup: Warmup = 0.2
    epochs: Positive = 18
    average: Average = 0.98
    precision: Precision = "32"


class KeypointOptimiser(Optimiser):
    """How a keypoint tower is stepped."""

    lr: AtLeast0 = 2e-3
    weight_decay: AtLeast0 = 0.05
    schedule: Schedule = "onecycle"
    epochs: Positive = 150
    average: Average = 0.99
    precision: Precision = "32"


class KeypointAugment(Section):
    """Random changes to keypoints, which make a tower see past an estimator's errors. Lengths are in trunk lengths."""

    rotate: float = Field(default=12.0, ge=0, le=180)  # degrees: the camera held askew
    stretch: AtLeast0 = 0.25  # the body turned away from the camera, or bent towards it: axes scaled by up to exp(this)
    shear: AtLeast0 = 0.2
    perspective: Share = 0.08  # one end nearer to the camera than the other
    jitter: AtLeast0 = 0.06  # of a keypoint of half confidence
    outliers: Share = 0.03  # share of keypoints that were found somewhere else
    outlier_jitter: AtLeast0 = 0.6  # how far away
    dropped: float = Field(default=0.1, ge=0, le=0.5)  # mean share of keypoints that are missing
    confidence: Share = 0.3  # confidences are multiplied by a factor from 1 - this to 1 + this


class Tower(Section):
    """What every tower has."""

    name: str = Field(min_length=1, pattern=r"^[a-z][a-z0-9_-]*$")
    weight: Weight = 1.0  # of its say; auto: chosen on the validation part


class ImageTowerRecipe(Tower, Backbone):
    """What every tower on images has."""

    sees: Sees = "photograph"  # place: people are covered; person: one person, cut out
    size: Side = 64  # side of the square that it sees

    @property
    def of(self) -> str:
        """What it tells apart: places or poses."""
        return "pose" if self.sees == "person" else "place"


class ClassesTower(ImageTowerRecipe):
    """An image network that names the class, place or pose; its first layers are frozen and run once."""

    task: Literal["classes"]
    frozen_layers: Count = 0  # first layers (stem and blocks) that are not trained
    frozen_norms: bool = True  # whether batch norms keep their statistics; those of random weights never do
    dropout: Dropout = 0.3
    temperature: Temperature = 1.0  # of the class probabilities; below 1 they are bolder than what was trained
    smoothing: Share = 0.1  # share of the target that is spread over all classes
    batch: Batch = 32
    optimiser: TowerOptimiser = TowerOptimiser()
    augment: Augment = Augment()
    stopping: TowerStopping = TowerStopping()


class KeypointsTower(Tower):
    """A network on one person's keypoints: pose classes, or an embedding for poses that were not trained on."""

    task: Literal["keypoints"]
    output: Literal["classes", "embedding"] = "classes"
    dim: Dim = 64  # of an embedding
    hidden: int = Field(default=256, ge=1, le=65536)
    dropout: Dropout = 0.3
    temperature: Temperature = 1.0  # of the class probabilities
    loss_scale: Temperature = 16.0  # of an embedding's cosine-margin loss
    loss_margin: AtLeast0 = 0.2
    smoothing: Share = 0.1
    batch: Batch = 128
    optimiser: KeypointOptimiser = KeypointOptimiser()
    augment: KeypointAugment = KeypointAugment()
    stopping: TowerStopping = TowerStopping()

    @property
    def of(self) -> str:
        """What it tells apart."""
        return "pose"

    def unused(self) -> dict[str, str]:
        """Classes have a temperature; an embedding has a size and a margin."""
        keys = ("temperature",) if self.output == "embedding" else ("dim", "loss_scale", "loss_margin")
        return dict.fromkeys(keys, f"output={self.output} does not use it")


class UntrainedTower(ImageTowerRecipe):
    """Features of a backbone as it came, whitened, for places that were not trained on."""

    task: Literal["untrained"]
    dim: Dim = 128
    whiten: Share = 0.2  # share of the largest variance that is added to all, so that the smallest are not blown up


TOWERS: dict[str, type[Tower]] = {"classes": ClassesTower, "keypoints": KeypointsTower, "untrained": UntrainedTower}
TowerRecipe = Annotated[ClassesTower | KeypointsTower | UntrainedTower, Field(discriminator="task")]
