"""The sections of a recipe, every key with its default, its range and what it says."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from doppelgram.images.augmentation import Augmentation
from doppelgram.images.faces.detectors import DETECTORS


class Section(BaseModel):
    """A part of a recipe: immutable; unknown keys and values of another kind are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def unused(self) -> dict[str, str]:
        """Own keys that the others leave without effect, ``section.key`` or ``key``, and why."""
        return {}

    def all_unused(self) -> dict[str, str]:
        """The same of all sections below, towers by their names."""
        found = self.unused()
        for name in type(self).model_fields:
            value = getattr(self, name)
            below = {f"{name}.{each.name}": each for each in value} if isinstance(value, list) else {name: value}
            for path, each in below.items():
                if isinstance(each, Section):
                    found |= {f"{path}.{key}": why for key, why in each.all_unused().items()}
        return found

    def changed(self, **values: Any) -> Any:
        """A copy with other values, checked like the rest."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self).model_validate({**given, **values})

    @classmethod
    def key_names(cls) -> list[str]:
        """Every key, those of the sections below as ``section.key``."""
        found: list[str] = []
        for name, entry in cls.model_fields.items():
            below = entry.annotation
            nested = isinstance(below, type) and issubclass(below, Section)
            found += [f"{name}.{key}" for key in below.key_names()] if nested else [name]  # type: ignore[union-attr]
        return found


Share = Annotated[float, Field(ge=0, le=1)]
AtLeast0 = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Temperature = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=8, le=2048)]
Dim = Annotated[int, Field(ge=2, le=2048)]
Dropout = Annotated[float, Field(ge=0, le=0.99)]
Average = Annotated[float, Field(ge=0, le=0.99999)]
Warmup = Annotated[float, Field(ge=0, le=0.9)]
Batch = Annotated[int, Field(ge=2)]
Positive = Annotated[int, Field(ge=1)]
Schedule = Literal["cosine", "constant", "onecycle"]
# Precision 32 is meant as "32".
Precision = Annotated[
    Literal["auto", "32", "bf16"], BeforeValidator(lambda value: str(value) if type(value) is int else value)
]


class Data(Section):
    """Which images are used, and how they are framed."""

    label: str = ""  # column to compare by; empty: the reader's own
    classes: str = ""  # text file with one class a line: only these are evaluated, all others are trained on
    min_images: Positive = 2  # classes with fewer images are left aside
    size: Side = 64  # side of the square that the network sees
    crop: Count = 0  # side of the centred square cut from the photograph first; 0: the whole photograph
    resize: Literal["squash", "cover", "letterbox"] = "squash"
    # the largest face is cut out, upright; empty: no face is looked for
    face: Literal[*("", *DETECTORS)] = ""  # type: ignore[valid-type]


class Split(Section):
    """How images are divided when no split file is given."""

    by: str = "auto"  # image, class (whole classes), a column, or auto: the column group where there is one
    val: AtLeast0 = 0.2
    test: AtLeast0 = 0.2

    @model_validator(mode="after")
    def _leaves_something(self) -> Split:
        if self.val + self.test >= 1:
            raise ValueError("split.val and split.test leave nothing to train on")
        return self


class Backbone(Section):
    """The pretrained or new part of an image network; every network on images has these keys."""

    backbone: str = "small"
    pretrained: bool = True  # whether a backbone that has weights starts from them
    stride: Count = 0  # pixels to one position of the feature map, 8, 16 or 32 (MobileNet); 0: the backbone's own


class Network(Backbone):
    """An embedding network."""

    train: Literal["full", "last", "head"] = "full"  # last: the backbone's last layer and the head; head: frozen
    frozen_norms: bool = False  # whether the backbone's batch norms keep the statistics they came with
    frozen_layers: Count = 0  # how many of the backbone's first layers (stem and blocks) are not trained
    linear: bool = True  # whether a linear layer makes the embedding; false: the backbone's pooled features are it
    dim: Dim = 64
    hidden: int = Field(default=0, ge=0, le=65536)
    dropout: Dropout = 0.0
    normalise: bool = True
    batch_norm: bool = False
    pooling: Literal["", "depthwise"] = ""  # one learned weight a position and channel; empty: the backbone's own

    def unused(self) -> dict[str, str]:
        """Of a frozen backbone nothing is trained; without a linear layer there is nothing to shape."""
        why = "model.train=head trains nothing of the backbone"
        found = {"frozen_norms": why, "frozen_layers": why} if self.train == "head" else {}
        if not self.linear:
            why = "model.linear=false takes the backbone's features as they are"
            found |= dict.fromkeys(("dim", "hidden", "dropout", "batch_norm"), why)
        return found


class Model(Network):
    """The network of task `metric`."""

    mirror: bool = False  # embed as the mean of the image and its mirror image
    test_time_copies: int = Field(default=1, ge=1, le=7)  # embed as the mean of so many versions of the image


class Loss(Section):
    """The loss by name, with its own parameters."""

    name: str = "triplet"
    params: dict[str, Any] = {}
    cross_batch: Count = 0  # embeddings of earlier batches that each batch is compared with too; 0: none


class Miner(Section):
    """The miner by name, with its own parameters; without a name the loss looks at the whole batch."""

    name: str = ""
    params: dict[str, Any] = {}


class Sampler(Section):
    """What a batch is made of."""

    name: Literal["auto", "m-per-class", "shuffle"] = "auto"  # auto: shuffle for losses that carry class weights
    batch: Batch = 128
    per_class: Positive = 4
    min_per_class: Count = 0  # of shuffle: a class with fewer images shows that many an epoch; 0: each image once


class Optimiser(Section):
    """How the weights are stepped."""

    name: Literal["adamw", "sgd"] = "adamw"
    lr: AtLeast0 = 1e-3
    weight_decay: AtLeast0 = 0.01
    momentum: Share = 0.9  # of sgd
    schedule: Schedule = "cosine"  # cosine and constant after a linear warm-up
    warmup: Warmup = 0.15  # share of all steps spent warming up
    clip: AtLeast0 = 0.0  # gradient norm that steps are cut to; 0: never
    epochs: Positive = 20
    average: Average = 0.0  # share of the old in an average of the weights; 0: none
    precision: Precision = "auto"  # auto: bf16 where the hardware multiplies it

    def unused(self) -> dict[str, str]:
        """Momentum is of SGD alone."""
        return {"momentum": "optimiser.name=adamw has no momentum"} if self.name == "adamw" else {}


class BackboneOptimiser(Optimiser):
    """The optimiser of a network with a backbone."""

    backbone_lr: AtLeast0 = 1.0  # learning rate of the backbone as a share of lr


class MetricOptimiser(BackboneOptimiser):
    """The optimiser of task `metric`."""

    loss_lr: AtLeast0 = 1.0  # learning rate of the loss's own weights as a share of lr
    start_share: Share = 0.0  # share of the weights that the backbone started from in those that are kept


class Augment(Section):
    """Random changes to training images; see `doppelgram.images.augment.Augmentation`, which checks the ranges."""

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    flip: bool = False
    rotate: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    perspective: float = 0.0
    blur: float = 0.0
    coarse: float = 0.0
    erase: float = 0.0
    copies: Positive = 1  # augmented copies of each image that frozen layers see, once and for all

    @model_validator(mode="after")
    def _in_range(self) -> Augment:
        self.changes  # noqa: B018
        return self

    @property
    def changes(self) -> Augmentation:
        """How one augmented copy is changed."""
        return Augmentation(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Augmentation)})


class MetricAugment(Augment):
    """The same for task `metric`."""

    people: str = ""  # folder of photographs whose people are set before the copies; empty: none

    def unused(self) -> dict[str, str]:
        """People stand before copies only."""
        return {"people": "augment.copies=1 makes no copies to set people before"} if self.copies == 1 else {}


class Stopping(Section):
    """Which epoch is kept, and when to stop early."""

    monitor: str = "val_loss"
    patience: Count = 0  # epochs without a better figure after which training stops; 0: run to the end
    min_delta: AtLeast0 = 0.0
    keep: Literal["best", "last"] = "best"  # whose epoch's weights are kept

    def unused(self) -> dict[str, str]:
        """Without patience nothing stops early."""
        return {} if self.patience else {"min_delta": "stopping.patience=0 never stops early"}


class MetricStopping(Stopping):
    """The same for task `metric`."""

    monitor: Literal["val_map_at_r", "val_precision_at_1", "val_loss"] = "val_map_at_r"


class ClassStopping(Stopping):
    """The same for networks that name classes or tell pairs."""

    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"


class TowerStopping(ClassStopping):
    """The same for towers, which by default are trained to the end: their parts are small."""

    keep: Literal["best", "last"] = "last"
