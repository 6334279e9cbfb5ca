"""The recipe: what is trained and how; one schema, told apart by its task, every key checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.registry import ESTIMATORS
from doppelgram.training.recipes.errors import nearest, sentence
from doppelgram.training.recipes.sections import (
    Augment,
    BackboneOptimiser,
    Batch,
    ClassStopping,
    Data,
    Loss,
    MetricAugment,
    MetricOptimiser,
    MetricStopping,
    Miner,
    Model,
    Network,
    Sampler,
    Section,
    Side,
    Split,
)
from doppelgram.training.recipes.towers import TOWERS, TowerRecipe


class Recipe(Section):
    """What all recipes have; a recipe, a collection and a seed give the same run again."""

    name: str = ""
    about: str = ""
    task: str

    def to_dict(self) -> dict[str, Any]:
        """Nested dictionaries, every key spelled out that has an effect."""
        return without(self.model_dump(), self.all_unused())

    def less(self, *keys: str) -> Any:
        """The same with some keys at their defaults, as if they had not been set."""
        return make_recipe(without(self.model_dump(exclude_unset=True) | {"task": self.task}, keys))

    def with_values(self, **values: Any) -> Any:
        """The same with other values, ``section={"key": value}`` or a whole section, checked like the rest."""
        merged = {
            name: getattr(self, name).changed(**value) if isinstance(value, Mapping) else value
            for name, value in values.items()
        }
        return self.model_copy(update=merged)


class MetricRecipe(Recipe):
    """One embedding network, trained by a loss on the distances in a batch."""

    task: Literal["metric"] = "metric"
    data: Data = Data()
    split: Split = Split()
    model: Model = Model()
    loss: Loss = Loss()
    miner: Miner = Miner()
    sampler: Sampler = Sampler()
    optimiser: MetricOptimiser = MetricOptimiser()
    augment: MetricAugment = MetricAugment()
    stopping: MetricStopping = MetricStopping()

    def unused(self) -> dict[str, str]:
        """What a frozen backbone leaves without effect."""
        return _frozen_unused(self)


class PostsData(Section):
    """What a photograph is compared by."""

    label: Literal["place+pose"] = "place+pose"


class PairsData(PostsData):
    """The same, and how large a photograph is seen."""

    size: Side = 64


class Pairs(Section):
    """Which pairs a siamese network is shown, and how."""

    mask: int = Field(default=0, ge=0, le=512)  # side of the drawn skeleton that it sees too; 0: none
    negatives: Literal["place", "both"] = "place"  # different pairs: the same place in another pose; both: also
    batch: Batch = 16


class PairsRecipe(Recipe):
    """The siamese network of the role-model study, trained on pairs."""

    task: Literal["pairs"]
    data: PairsData = PairsData()
    model: Network = Network()
    pairs: Pairs = Pairs()
    optimiser: BackboneOptimiser = BackboneOptimiser()
    augment: Augment = Augment()
    stopping: ClassStopping = ClassStopping()

    def unused(self) -> dict[str, str]:
        """What a frozen backbone leaves without effect."""
        return _frozen_unused(self)


class Arrangement(Section):
    """How people are found, and how many are compared."""

    estimator: Literal[*ESTIMATORS] = "movenet-thorough"  # type: ignore[valid-type]
    segmenter: str = ""  # what finds where people cover the place; empty: they are not covered
    people: int = Field(default=1, ge=1, le=2)  # how many people of a photograph are compared


class ArrangementRecipe(Recipe):
    """Place and pose apart, each by towers of its own."""

    task: Literal["arrangements"]
    data: PostsData = PostsData()
    split: Split = Split()
    arrangement: Arrangement = Arrangement()
    towers: list[TowerRecipe] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> ArrangementRecipe:
        names = [tower.name for tower in self.towers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two towers are called '{name}'")
        trained = {tower.of for tower in self.towers if tower.task != "untrained"}
        for kind in ("place", "pose"):
            if kind not in trained:
                raise ValueError(f"no tower of the {kind} is trained; a recipe needs one of each")
        return self


TASKS: dict[str, type[Recipe]] = {"metric": MetricRecipe, "pairs": PairsRecipe, "arrangements": ArrangementRecipe}


def make_recipe(values: Mapping[str, Any], where: str = "recipe", *, drop_unused: bool = False) -> Any:
    """A recipe from nested dictionaries, every key and value checked.

    Args:
        values: by section; without a ``task`` it is `metric`.
        where: what the sentence about an error begins with: a file's name.
        drop_unused: leave out keys without effect instead of refusing them.

    Returns:
        A `MetricRecipe`, `PairsRecipe` or `ArrangementRecipe`.

    Raises:
        DoppelgramError: an unknown key, one that is not used, or a value that cannot be; the key is named.
    """
    values = {"task": "metric", **values}
    task = values["task"]
    if task not in TASKS:
        raise DoppelgramError(f"{where}: task is {task!r}; it is one of {', '.join(TASKS)}")
    try:
        recipe = TASKS[task].model_validate(values)
    except ValidationError as problem:
        raise DoppelgramError(f"{where}: {sentence(problem, values, all_keys(values))}") from None
    except DoppelgramError as problem:
        raise DoppelgramError(f"{where}: [augment] {problem}") from None
    unused = {} if drop_unused else recipe.all_unused()
    for key in flat(values):
        if key in unused:
            used = [each for each in all_keys(values) if each not in unused]
            raise DoppelgramError(f"{where}: {key} has no effect here: {unused[key]}{nearest(key, used)}")
    return recipe


def all_keys(values: Mapping[str, Any] | None = None) -> list[str]:
    """Every key that a recipe may have, as ``section.key`` or ``towers.name.key``.

    Args:
        values: the recipe, of which task and towers count; by default that of task `metric`.
    """
    values = values or {}
    kind = TASKS.get(str(values.get("task", "metric")), MetricRecipe)
    found = [key for key in kind.key_names() if "." in key]
    for tower in values.get("towers", []) if kind is ArrangementRecipe else []:
        if isinstance(tower, Mapping) and tower.get("task") in TOWERS:
            found += [f"towers.{tower.get('name', '')}.{key}" for key in TOWERS[tower["task"]].key_names()]
    return found


def _leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Of each key that holds a value its full name, towers by their names; its table; and its name there."""
    for key, value in list(values.items()):
        if key == "towers" and isinstance(value, list):
            value = {tower.get("name"): tower for tower in value if isinstance(tower, Mapping)}
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, values, key


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries as one, its keys joined by dots; towers by their names."""
    return {name: table[key] for name, table, key in _leaves(values)}


def without(values: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Nested dictionaries less some of their keys; they are changed in place."""
    for name, table, key in _leaves(values):
        if name in keys:
            del table[key]
    return values


def _frozen_unused(recipe: MetricRecipe | PairsRecipe) -> dict[str, str]:
    model = recipe.model
    if model.train != "head":
        if recipe.task == "metric" and model.frozen_layers and not model.pooling:
            return {}
        return {"augment.copies": "copies are made for frozen layers: model.train=head, or model.frozen_layers"}
    found = {"optimiser.backbone_lr": "model.train=head trains nothing of the backbone"}
    if recipe.augment.copies == 1 and recipe.task == "metric":
        keys = [key for key in type(recipe.augment).model_fields if key != "copies"]
        found |= {f"augment.{key}": "augment.copies=1 keeps only the plain image's features" for key in keys}
    return found


def tasks_with(key: str) -> list[str]:
    """The tasks whose recipes have a key; ``towers.*`` goes with task `arrangements`."""
    if key.startswith("towers."):
        return ["arrangements"]
    return [task for task, kind in TASKS.items() if key in kind.key_names()]
