"""The look-alike exercise as a plan: its two data sets, its trainings in order, and the figures it published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.schema import MetricRecipe

SIDE, DIM = 64, 64
DIMS = (2, 16, 32, 64)
NEIGHBOURS = 5  # that vote where test images are classified by k-NN
PUBLISHED = "vgg16"  # the network of the published figures, with or without batch norm
FEWEST_SIGNS, FEWEST_FACES = 20, 16
# LFW's frames have black corners from the alignment; this much of the middle shows the head and no corner.
FACE_CROP = 140


@dataclass(frozen=True)
class Subject:
    """One of the exercise's two data sets.

    Attributes:
        name: ``signs`` or ``faces``.
        title: for the report.
        accuracy: share of test images classified correctly, as published.
        classes: number of classes of that figure.
        differs: what else may differ between the published figure and ours.
        longer: how many times as many epochs it is trained: faces have a third of the images, so that both data sets
            are shown about as many batches.
    """

    name: str
    title: str
    accuracy: float
    classes: int
    differs: str
    longer: int = 1


SUBJECTS = (
    Subject(
        "signs",
        "Traffic signs",
        0.95,
        81,
        "Our parts share no panorama, the street photograph that several crops were cut from. How the published parts "
        "were drawn is not known; a split by single crops would put neighbouring crops on both sides and raise the "
        "figure.",
    ),
    Subject(
        "faces",
        "Faces",
        0.83,
        62,
        "Our parts are drawn within each identity, and the epoch that is kept is chosen on the validation part alone; "
        "how both were done for the published figure is not known.",
        longer=3,
    ),
)


@dataclass(frozen=True)
class Effort:
    """How much is trained.

    Attributes:
        backbones: networks that each go through all trainings.
        epochs: of each training; see `Subject.longer`.
        most_images: of a class; 0 for all.
    """

    backbones: tuple[str, ...]
    epochs: int
    most_images: int


# With batch normalisation VGG16 learns faster from random weights: after 8 epochs of 115 rendered signs the semi-hard
# triplet loss is 0.02, without it 0.12. 15 epochs of both networks are a night on two cores.
FULL = Effort(("vgg16_bn", "small"), 15, 0)
QUICK = Effort(("small",), 6, 40)
# Highest learning rate of a network; of others, those that come with weights among them, the last.
RATES = {"small": 2e-3}
RATE = 5e-4


@dataclass(frozen=True)
class Step:
    """One training.

    Attributes:
        key: folder name of its run.
        title: for the report.
        recipe: of the training.
    """

    key: str
    title: str
    recipe: MetricRecipe

    @property
    def dim(self) -> int:
        """Size of the embedding."""
        return self.recipe.model.dim

    @property
    def backbone(self) -> str:
        """Name of the network."""
        return self.recipe.model.backbone

    @property
    def miner(self) -> str:
        """How tuples are chosen: ``all``, ``none``, ``semihard`` or ``batchhard``."""
        return self.recipe.miner.name


# Key, title, recipe, miner: baseline first, then one change at a time.
_BASICS = (
    ("contrastive", "Contrastive loss, all pairs (baseline)", "siamese", "all"),
    ("triplet", "Triplet loss, triplets at random", "triplet", "none"),
    ("triplet-semihard", "Triplet loss, semi-hard mining", "triplet", "semihard"),
    ("triplet-batchhard", "Triplet loss, batch-hard mining", "triplet", "batchhard"),
)


def basic_steps(subject: Subject, effort: Effort, overrides: Sequence[str] = ()) -> list[Step]:
    """The four trainings that compare losses and miners, of each network in turn, all at 64 dimensions.

    Raises:
        DoppelgramError: an override cannot be used, or changes what the exercise itself varies; or two backbones
            would share their runs.
    """
    if len({Path(backbone).name for backbone in effort.backbones}) < len(effort.backbones):
        raise DoppelgramError(f"two backbones have one name: {', '.join(effort.backbones)}")
    steps = []
    for backbone in effort.backbones:
        for key, title, base, miner in _BASICS:
            planned, changed = (_recipe(subject, effort, backbone, base, miner, extra) for extra in ((), overrides))
            if changed.model.backbone != planned.model.backbone:
                raise DoppelgramError("--set changes model.backbone; name the networks by --backbone")
            if _varied(changed) != _varied(planned):
                raise DoppelgramError(
                    "--set changes loss, miner or embedding size, which are what the exercise compares"
                )
            steps.append(Step(f"{Path(backbone).name}-{key}", title, changed))
    return steps


def _varied(recipe: MetricRecipe) -> tuple[str, str, int]:
    return recipe.loss.name, recipe.miner.name, recipe.model.dim


def size_steps(best: Step, dims: Sequence[int] = DIMS) -> list[Step]:
    """The best of the four again with other embedding sizes, smallest first, itself among them."""
    steps = []
    for dim in sorted({*dims, best.dim}):
        if dim == best.dim:
            steps.append(best)
            continue
        # Of two dimensions, normalised ones would leave a circle: one dimension.
        recipe = best.recipe.with_values(model={"dim": dim, "normalise": best.recipe.model.normalise and dim > 2})
        steps.append(Step(f"{best.key}-dim{dim}", f"{best.title}, {dim} dimensions", recipe))
    return steps


def _recipe(
    subject: Subject, effort: Effort, backbone: str, base: str, miner: str, overrides: Sequence[str]
) -> MetricRecipe:
    changes: dict[str, Any] = {
        "data.size": SIDE,
        "data.min_images": 1,  # the tables hold the chosen classes alone
        "data.crop": FACE_CROP if subject.name == "faces" else 0,
        "model.backbone": backbone,
        "model.dim": DIM,
        "miner.name": miner,
        "sampler.batch": 64,
        "optimiser.lr": RATES.get(backbone, RATE),
        "optimiser.epochs": subject.longer * effort.epochs,
        "optimiser.clip": 1.0,
        "stopping.monitor": "val_precision_at_1",
        "augment.flip": "true" if subject.name == "faces" else "false",
    }
    recipe: MetricRecipe = read_recipe(base, [*(f"{key}={value}" for key, value in changes.items()), *overrides])
    return recipe
