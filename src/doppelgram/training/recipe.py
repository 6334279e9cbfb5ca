"""The recipe: how a model is trained, every key checked."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from doppelgram.errors import DoppelgramError
from doppelgram.images.augment import Augmentation
from doppelgram.images.faces.detectors import DETECTORS
from doppelgram.pose.estimators.registry import ESTIMATORS


@dataclass(frozen=True)
class DataRecipe:
    """Which images are used, and how they are framed."""

    label: str = ""  # column to compare by; empty: the reader's own
    classes: str = ""  # text file with one class a line: only these are evaluated, all others are trained on
    min_images: int = 2  # classes with fewer images are left aside
    size: int = 64  # side of the square that the network sees
    crop: int = 0  # side of the centred square cut from the photograph first; 0: the whole photograph
    resize: str = "squash"  # squash, cover or letterbox
    face: str = ""  # opencv or mediapipe: the largest face is cut out, upright; empty: no face is looked for


@dataclass(frozen=True)
class SplitRecipe:
    """How images are divided when no split file is given."""

    by: str = "auto"  # image, a column, or auto: the column group where there is one
    val: float = 0.2
    test: float = 0.2


@dataclass(frozen=True)
class ModelRecipe:
    """The network."""

    backbone: str = "small"
    pretrained: bool = True  # whether a backbone that has weights starts from them
    stride: int = 0  # pixels to one place of the feature map, 8, 16 or 32 (MobileNet); 0: the backbone's own
    pooling: str = ""  # depthwise: one learned weight a place and channel; empty: the backbone's own
    train: str = "full"  # full, last (the backbone's last layer and the head) or head (the backbone is frozen)
    frozen_norms: bool = False  # whether the backbone's batch norms keep the statistics they came with
    frozen_layers: int = 0  # how many of the backbone's first layers (stem and blocks) are not trained
    dim: int = 64
    hidden: int = 0
    dropout: float = 0.0
    batch_norm: bool = False
    normalise: bool = True
    mirror: bool = False  # embed as the mean of the image and its mirror image
    views: int = 1  # embed as the mean of the image and, with 3, of it enlarged and reduced, with 7, also moved


@dataclass(frozen=True)
class LossRecipe:
    """The loss by name, with its own parameters."""

    name: str = "triplet"
    params: dict[str, Any] = field(default_factory=dict)
    memory: int = 0  # embeddings of earlier batches that each batch is compared with too; 0: none


@dataclass(frozen=True)
class MinerRecipe:
    """The miner by name, with its own parameters; without a name the loss looks at the whole batch."""

    name: str = ""
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SamplerRecipe:
    """What a batch is made of."""

    name: str = "auto"  # m-per-class, shuffle, or auto: shuffle for losses that carry class weights
    batch: int = 128
    per_class: int = 4
    least: int = 0  # of shuffle: a class with fewer images shows that many an epoch, again and again; 0: each once


@dataclass(frozen=True)
class OptimiserRecipe:
    """How the weights are stepped."""

    name: str = "adamw"  # adamw or sgd
    lr: float = 1e-3
    backbone_lr: float = 1.0  # learning rate of the backbone as a share of lr
    loss_lr: float = 1.0  # learning rate of the loss's own weights as a share of lr
    weight_decay: float = 0.01
    momentum: float = 0.9  # of sgd
    schedule: str = "onecycle"  # onecycle (warm-up, then cosine) or constant
    warmup: float = 0.15  # share of all steps spent warming up
    clip: float = 0.0  # gradient norm that steps are cut to; 0: never
    epochs: int = 20
    average: float = 0.0  # share of the old in a running average of the weights, which is what is kept; 0: none
    precision: str = "auto"  # 32, bf16, or auto: bf16 where the processor multiplies it in hardware


@dataclass(frozen=True)
class AugmentRecipe(Augmentation):
    """Random changes to training images; see `Augmentation`."""

    views: int = 1  # frozen backbone only: how many augmented views of each image are embedded and kept


@dataclass(frozen=True)
class StoppingRecipe:
    """Which epoch is kept, and when to give up."""

    monitor: str = "val_map_at_r"  # val_map_at_r, val_precision_at_1 or val_loss
    patience: int = 0  # epochs without a better figure after which training stops; 0: run to the end
    min_delta: float = 0.0


@dataclass(frozen=True)
class ArrangementRecipe:
    """Place and pose apart, each by towers of its own; other sections then speak of the image towers."""

    estimator: str = ""  # what finds people, see `doppelgram pose`; empty: a model of whole images, without towers
    segmenter: str = ""  # what finds where people cover the place; empty: the place tower sees them
    uncovered: bool = True  # whether, beside the tower that sees the place covered, one sees the photograph as it is
    people: int = 1  # how many people of a photograph are compared, 1 or 2
    person_size: int = 192  # side of the square of one person; 0: no tower sees people, only their keypoints
    keypoint_epochs: int = 150  # of the towers on keypoints
    generic: bool = True  # whether untouched features stand beside the tuned place tower, for places never seen
    embedding: bool = True  # whether an embedding of keypoints stands beside the pose classes, for poses never seen


@dataclass(frozen=True)
class Recipe:
    """A whole recipe; a recipe, a collection and a seed give the same run again."""

    name: str = ""
    about: str = ""
    data: DataRecipe = field(default_factory=DataRecipe)
    split: SplitRecipe = field(default_factory=SplitRecipe)
    model: ModelRecipe = field(default_factory=ModelRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    miner: MinerRecipe = field(default_factory=MinerRecipe)
    sampler: SamplerRecipe = field(default_factory=SamplerRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)
    augment: AugmentRecipe = field(default_factory=AugmentRecipe)
    stopping: StoppingRecipe = field(default_factory=StoppingRecipe)
    arrangement: ArrangementRecipe = field(default_factory=ArrangementRecipe)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as nested dictionaries, every key spelled out."""
        return dataclasses.asdict(self)

    @property
    def augmentation(self) -> Augmentation:
        """The part of ``augment`` that describes one augmented view."""
        fields = {f.name: getattr(self.augment, f.name) for f in dataclasses.fields(Augmentation)}
        return Augmentation(**fields)


_SECTIONS: dict[str, type] = {
    name: kind
    for name, kind in get_type_hints(Recipe).items()
    if dataclasses.is_dataclass(kind) and isinstance(kind, type)
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "arrangement.estimator": ("", *ESTIMATORS),
    "data.resize": ("squash", "cover", "letterbox"),
    "data.face": ("", *DETECTORS),
    "model.train": ("full", "last", "head"),
    "model.pooling": ("", "depthwise"),
    "sampler.name": ("auto", "m-per-class", "shuffle"),
    "optimiser.name": ("adamw", "sgd"),
    "optimiser.schedule": ("onecycle", "constant"),
    "optimiser.precision": ("auto", "32", "bf16"),
    "stopping.monitor": ("val_map_at_r", "val_precision_at_1", "val_loss"),
}
_AT_LEAST: dict[str, float] = {
    "data.min_images": 1, "data.size": 8, "data.crop": 0, "split.val": 0, "split.test": 0, "model.dim": 2,
    "model.hidden": 0, "model.dropout": 0, "model.frozen_layers": 0, "model.stride": 0, "model.views": 1,
    "loss.memory": 0, "optimiser.average": 0, "sampler.batch": 2, "sampler.per_class": 1, "sampler.least": 0,
    "optimiser.lr": 0,
    "optimiser.backbone_lr": 0, "optimiser.loss_lr": 0, "optimiser.weight_decay": 0, "optimiser.warmup": 0,
    "optimiser.clip": 0, "optimiser.momentum": 0, "optimiser.epochs": 1, "augment.views": 1,
    "stopping.patience": 0, "stopping.min_delta": 0,
    "arrangement.people": 1, "arrangement.person_size": 0, "arrangement.keypoint_epochs": 1,
}  # fmt: skip
_AT_MOST: dict[str, float] = {
    "model.dim": 2048, "model.views": 7, "model.dropout": 0.99, "model.hidden": 65536, "optimiser.warmup": 0.9,
    "optimiser.momentum": 1, "data.size": 2048, "optimiser.average": 0.99999, "arrangement.people": 2,
    "arrangement.person_size": 2048,
}  # fmt: skip


def make_recipe(values: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """A recipe from nested dictionaries, every key and value checked; raises DoppelgramError naming the key."""
    built: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("name", "about"):
            built[key] = _typed(key, value, str, where)
        elif key in _SECTIONS:
            if not isinstance(value, Mapping):
                raise DoppelgramError(f"{where}: '{key}' is a section; write [{key}] and its keys below")
            built[key] = _section(key, _SECTIONS[key], value, where)
        else:
            raise DoppelgramError(f"{where}: unknown key '{key}'{nearest(key, ['name', 'about', *_SECTIONS])}")
    recipe = Recipe(**built)
    if recipe.split.val + recipe.split.test >= 1:
        raise DoppelgramError(f"{where}: split.val and split.test leave nothing to train on")
    return recipe


def _section(section: str, kind: type, values: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(kind)
    known = {f.name: hints[f.name] for f in dataclasses.fields(kind)}
    built = {}
    for key, value in values.items():
        full = f"{section}.{key}"
        if key not in known:
            raise DoppelgramError(f"{where}: unknown key '{full}'{nearest(full, all_keys())}")
        built[key] = value = _typed(full, value, known[key], where)
        if full in _CHOICES and value not in _CHOICES[full]:
            choices = ", ".join(choice or "empty" for choice in _CHOICES[full])
            raise DoppelgramError(f"{where}: {full} is '{value}'; it is one of {choices}")
        if full in _AT_LEAST and value < _AT_LEAST[full]:
            raise DoppelgramError(f"{where}: {full} is {value}; the least is {_AT_LEAST[full]:g}")
        if full in _AT_MOST and value > _AT_MOST[full]:
            raise DoppelgramError(f"{where}: {full} is {value}; the most is {_AT_MOST[full]:g}")
    try:
        return kind(**built)
    except DoppelgramError as problem:
        raise DoppelgramError(f"{where}: [{section}] {problem}") from None


def _typed(key: str, value: Any, kind: Any, where: str) -> Any:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise DoppelgramError(f"{where}: {key} is {value}; it has to be a finite number")
        return float(value)
    if kind is str and isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # precision = 32 is meant as "32"
    plain = dict if getattr(kind, "__origin__", None) is dict else kind
    if not isinstance(value, plain) or (isinstance(value, bool) and plain is not bool):
        wanted = {int: "a whole number", float: "a number", str: "text", bool: "true or false", dict: "a table"}[plain]
        raise DoppelgramError(f"{where}: {key} is {value!r}; it has to be {wanted}")
    return value


def all_keys() -> list[str]:
    """Every key of a recipe as ``section.key``."""
    return [f"{section}.{f.name}" for section, kind in _SECTIONS.items() for f in dataclasses.fields(kind)]


def nearest(key: str, known: list[str]) -> str:
    """The end of a sentence about an unknown key: the nearest known one, or all of them."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if not close and "." in key:
        tails = {name.split(".")[-1]: name for name in known}
        close = [tails[t] for t in difflib.get_close_matches(key.split(".")[-1], list(tails), n=1, cutoff=0.5)]
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(known)}"
