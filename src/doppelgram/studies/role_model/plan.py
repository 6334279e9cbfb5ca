"""The role-model study's ladder as a plan: its rungs in order, its published figures, and what a rehearsal changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import wilson
from doppelgram.evaluation.result import Metric
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.schema import PairsRecipe

PUBLISHED_PAIRS = 82
BACKBONE = "mobilenet_v2_imagenet"

Kind = Literal["cosine", "euclidean", "pairs", "ours"]


@dataclass(frozen=True)
class Rung:
    """One step of the ladder.

    Attributes:
        key: folder name of what it leaves behind.
        title: as the report says it.
        kind: ``cosine`` or ``euclidean`` distance of untrained features, ``pairs`` for a trained pair network, or
            ``ours``.
        published: the study's accuracy, None where it found no usable threshold or has no such rung.
        recipe: of a pair network, else None.
    """

    key: str
    title: str
    kind: Kind
    published: float | None = None
    recipe: PairsRecipe | None = None

    @property
    def mask(self) -> int:
        """Side of the drawn skeletons that the network sees in pixels; 0 if it sees none."""
        return self.recipe.pairs.mask if self.recipe is not None else 0

    @property
    def frozen(self) -> bool:
        """Whether it rests on features of a frozen backbone, which are computed once."""
        return self.recipe is None or self.recipe.model.train == "head"


# Key (and the recipe's name after "study_"), title, published accuracy.
_NETWORKS = (
    ("last", "Siamese, last layer + FC", 0.58),
    ("full", "Siamese, full + FC", 0.65),
    ("last_pose", "Siamese + pose mask, last layer", 0.68),
    ("full_pose", "Siamese + pose mask, full", 0.76),
)
# Everything as small as it still is the same experiment.
_QUICK_EPOCHS = 6
_QUICK_SIZE = {"head": 96, "full": 64}


def ladder(
    backbone: str = BACKBONE, *, quick: bool = False, overrides: Sequence[str] = (), ours: bool = True
) -> list[Rung]:
    """The rungs, lowest first.

    Args:
        backbone: of every rung; see `make_backbone`.
        quick: small pictures and few epochs.
        overrides: ``key=value`` changes to every pair network's recipe.
        ours: whether our own model stands at the top.

    Raises:
        DoppelgramError: an override that cannot be used, or of what the ladder itself varies.
    """
    rungs = [
        Rung("cosine", "Pretrained features, cosine threshold", "cosine"),
        Rung("euclidean", "Pretrained features, Euclidean threshold", "euclidean"),
    ]
    for key, title, published in _NETWORKS:
        shipped = study_recipe(key)
        changes = [f"model.backbone={backbone}"]
        if quick:
            changes += [f"optimiser.epochs={_QUICK_EPOCHS}", f"data.size={_QUICK_SIZE[shipped.model.train]}"]
            changes += ["augment.copies=1"] if shipped.model.train == "head" else []
        changed = study_recipe(key, overrides)
        if (changed.pairs.mask, changed.model.train) != (shipped.pairs.mask, shipped.model.train):
            raise DoppelgramError("--set changes model.train or pairs.mask, which are what the ladder compares")
        rungs.append(Rung(key, title, "pairs", published, study_recipe(key, [*changes, *overrides])))
    if ours:
        rungs.append(Rung("ours", "Ours: place and pose towers, calibrated", "ours"))
    return rungs


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
