"""The role-model study's ladder as a plan: its rungs in order, its published figures, and what a rehearsal changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePath
from typing import Literal

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import wilson
from doppelgram.evaluation.result import Metric
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.schema import PairsRecipe

PUBLISHED_PAIRS = 82
BACKBONE = "mobilenet_v2_imagenet"
ARRANGEMENTS = "arrangements"

Kind = Literal["cosine", "euclidean", "pairs", "ready", "ours"]


@dataclass(frozen=True)
class Rung:
    """One step of the ladder.

    Attributes:
        key: folder name of what it leaves behind.
        title: as the report says it.
        kind: ``cosine`` or ``euclidean`` distance of untrained features, ``pairs`` for a trained pair network,
            ``ready`` for the ready-made model, or ``ours``.
        published: the study's accuracy, None where it found no usable threshold or has no such rung.
        recipe: of a pair network, or of the untrained features; else None.
        first: recipe by which its new layers are trained on the frozen backbone first; None: everything at once.
    """

    key: str
    title: str
    kind: Kind
    published: float | None = None
    recipe: PairsRecipe | None = None
    first: PairsRecipe | None = None

    @property
    def mask(self) -> int:
        """Side of the drawn skeletons that the network sees in pixels; 0 if it sees none."""
        return self.recipe.pairs.mask if self.recipe is not None and self.kind == "pairs" else 0

    @property
    def frozen(self) -> bool:
        """Whether it rests on features of a frozen backbone, which are computed once."""
        return self.recipe is not None and self.recipe.model.train == "head"


@dataclass(frozen=True)
class _Network:
    """A pair network of the ladder: its key, which is its recipe's name after ``study_``, and its `Rung` fields.

    ``first`` is the key of the network whose recipe trains its new layers first.
    """

    key: str
    title: str
    published: float
    first: str = ""


_NETWORKS = (
    _Network("last", "Siamese, last layer + FC", 0.58),
    _Network("full", "Siamese, full + FC", 0.65),
    _Network("full_tuned", "Siamese, full + FC, tuned here", 0.65, "last"),
    _Network("last_pose", "Siamese + pose mask, last layer", 0.68),
    _Network("full_pose", "Siamese + pose mask, full", 0.76),
    _Network("full_pose_tuned", "Siamese + pose mask, full, tuned here", 0.76, "last_pose"),
)
_UNTRAINED: tuple[tuple[Kind, str], ...] = (
    ("cosine", "Pretrained features, cosine threshold"),
    ("euclidean", "Pretrained features, Euclidean threshold"),
)
_BACKBONE_NAMES = {BACKBONE: "MobileNetV2", "efficientnet_lite2": "EfficientNet-Lite2"}
# Everything as small as it still is the same experiment.
_QUICK_EPOCHS = 6
_QUICK_SIZE = {"head": 96, "full": 64}


def ladder(
    backbones: Sequence[str] = (BACKBONE,), *, quick: bool = False, overrides: Sequence[str] = (), ours: bool = True
) -> list[Rung]:
    """The rungs, lowest first; with several backbones each rung once for each.

    Args:
        backbones: see `make_backbone`. Keys of the first one's rungs are plain, those of the others end in ``-NAME``.
        quick: small pictures and few epochs.
        overrides: ``key=value`` changes to every pair network's recipe.
        ours: whether our own models stand at the top: the ready-made one, and the one that is trained.

    Raises:
        DoppelgramError: an override that cannot be used, or of what the ladder itself varies; or one backbone twice.
    """
    endings = [f"-{backbone_name(backbone)}" if number else "" for number, backbone in enumerate(backbones)]
    if len({backbone_name(backbone) for backbone in backbones}) < len(backbones):
        raise DoppelgramError(f"two backbones have one name: {', '.join(backbones)}")
    of = {
        backbone: f", {_BACKBONE_NAMES.get(backbone, backbone_name(backbone))}" if len(backbones) > 1 else ""
        for backbone in backbones
    }
    each = list(zip(backbones, endings, strict=True))
    rungs = []
    for kind, title in _UNTRAINED:
        for backbone, ending in each:
            reference = _recipe("last", backbone, quick, overrides)
            rungs.append(Rung(kind + ending, title + of[backbone], kind, recipe=reference))
    for network in _NETWORKS:
        for backbone, ending in each:
            recipe = _recipe(network.key, backbone, quick, overrides)
            first = _first(network.first, recipe, quick, overrides) if network.first else None
            title = network.title + of[backbone]
            rungs.append(Rung(network.key + ending, title, "pairs", network.published, recipe, first))
    if ours:
        rungs.append(Rung(ARRANGEMENTS, "Ours, nothing trained: the ready-made model", "ready"))
        rungs.append(Rung("ours", "Ours: place and pose towers, calibrated", "ours"))
    return rungs


def _first(key: str, recipe: PairsRecipe, quick: bool, overrides: Sequence[str]) -> PairsRecipe:
    """The recipe of a frozen backbone, at the size at which everything is trained afterwards, each photograph once."""
    frozen = _recipe(key, recipe.model.backbone, quick, overrides)
    changed: PairsRecipe = frozen.with_values(data={"size": recipe.data.size}, augment={"copies": 1})
    return changed


def backbone_name(backbone: str) -> str:
    """A backbone's name as part of a folder's: of a path its last part."""
    return PurePath(backbone).name


def _recipe(key: str, backbone: str, quick: bool, overrides: Sequence[str]) -> PairsRecipe:
    """A network's recipe with this backbone and the changes of a call."""
    shipped = study_recipe(key)
    changes = [f"model.backbone={backbone}"]
    if quick:
        changes += [f"optimiser.epochs={_QUICK_EPOCHS}", f"data.size={_QUICK_SIZE[shipped.model.train]}"]
        changes += ["augment.copies=1"] if shipped.model.train == "head" else []
    changed = study_recipe(key, overrides)
    if (changed.pairs.mask, changed.model.train) != (shipped.pairs.mask, shipped.model.train):
        raise DoppelgramError("--set changes model.train or pairs.mask, which are what the ladder compares")
    return study_recipe(key, [*changes, *overrides])


def study_recipe(key: str, overrides: Sequence[str] = ()) -> PairsRecipe:
    """The shipped recipe of a pair network: ``last``, ``full``, ``last_pose`` or ``full_pose``.

    Raises:
        DoppelgramError: no such recipe, or an override that cannot be used.
    """
    folder = resources.files("doppelgram.studies.role_model") / "recipes"
    with resources.as_file(folder / f"study_{key}.toml") as file:
        recipe: PairsRecipe = read_recipe(file, overrides)
    return recipe


def published_figure(share: float) -> Metric:
    """A figure of the study with the Wilson interval that its 82 pairs leave."""
    return Metric(share, *wilson(round(share * PUBLISHED_PAIRS), PUBLISHED_PAIRS), PUBLISHED_PAIRS)
