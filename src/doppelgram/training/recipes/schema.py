"""The recipe: what is trained and how; one schema, told apart by its task, every key checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.registry import ESTIMATORS
from doppelgram.training.recipes.errors import nearest, sentence
from doppelgram.training.recipes.sections import (
    Augment,
    BackboneOptimiser,
    ClassStopping,
    Data,
    Loss,
    MetricOptimiser,
    MetricStopping,
    Miner,
    Model,
    Network,
    Sampler,
    Section,
    Split,
)
from doppelgram.training.recipes.towers import TowerRecipe


class Recipe(Section):
    """What all recipes have; a recipe, a collection and a seed give the same run again."""

    name: str = ""
    about: str = ""
    task: str

    def to_dict(self) -> dict[str, Any]:
        """Nested dictionaries, every key spelled out that has an effect."""
        return without(self.model_dump(), self.all_unused())

    def all_unused(self) -> dict[str, str]:
        """Every key that the others leave without effect, as ``section.key``, and why."""
        return dict(_unused(self))

    def less(self, *keys: str) -> Any:
        """The same with some keys at their defaults, as if they had not been set."""
        return make_recipe(without(self.model_dump(exclude_unset=True) | {"task": self.task}, keys))

    def with_values(self, **values: Any) -> Any:
        """The same with other values, ``section={"key": value}`` or a whole section, checked like the rest."""
        current = {name: getattr(self, name) for name in type(self).model_fields}
        merged = {
            name: current[name].changed(**value) if isinstance(value, Mapping) else value
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
    augment: Augment = Augment()
    stopping: MetricStopping = MetricStopping()

    def unused(self) -> dict[str, str]:
        """What a frozen backbone leaves without effect."""
        return _frozen_unused(self)


class PostsData(Section):
    """What a photograph is compared by."""

    label: Literal["place+pose"] = "place+pose"


class PairsData(PostsData):
    """The same, and how large a photograph is seen."""

    size: int = Field(default=64, ge=8, le=2048)


class Pairs(Section):
    """Which pairs a siamese network is shown, and how."""

    mask: int = Field(default=0, ge=0, le=512)  # side of the drawn skeleton that it sees too; 0: none
    negatives: Literal["place", "both"] = "place"  # different pairs: the same place in another pose; both: also
    batch: int = Field(default=16, ge=2)


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

    estimator: str = Field(default="movenet-thorough", json_schema_extra={"choices": list(ESTIMATORS)})
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


_ADAPTER: TypeAdapter[Any] = TypeAdapter(
    Annotated[MetricRecipe | PairsRecipe | ArrangementRecipe, Field(discriminator="task")]
)
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
        recipe: Recipe = _ADAPTER.validate_python(values)
    except ValidationError as problem:
        raise DoppelgramError(f"{where}: {sentence(problem, values, all_keys(values))}") from None
    except DoppelgramError as problem:
        raise DoppelgramError(f"{where}: [augment] {problem}") from None
    for key, value, choices in _choices(recipe):
        if value not in choices:
            listed = ", ".join(choice or "empty" for choice in choices)
            raise DoppelgramError(f"{where}: {key} is '{value}'; it is one of {listed}")
    for key, why in {} if drop_unused else recipe.all_unused().items():
        if _is_set(values, key):
            used = [each for each in all_keys(values) if each not in recipe.all_unused()]
            raise DoppelgramError(f"{where}: {key} has no effect here: {why}{nearest(key, used)}")
    return recipe


def all_keys(values: Mapping[str, Any] | None = None) -> list[str]:
    """Every key that a recipe may have, as ``section.key`` or ``towers.name.key``.

    Args:
        values: the recipe, of which task and towers count; by default that of task `metric`.
    """
    values = values or {}
    kind = TASKS.get(str(values.get("task", "metric")), MetricRecipe)
    found: list[str] = []
    for name, entry in kind.model_fields.items():
        if isinstance(entry.annotation, type) and issubclass(entry.annotation, Section):
            found += [f"{name}.{key}" for key in entry.annotation.model_fields]
    for tower in values.get("towers", []) if kind is ArrangementRecipe else []:
        if isinstance(tower, Mapping):
            found += [f"towers.{tower.get('name', '')}.{key}" for key in tower_keys(str(tower.get("task", "")))]
    return found


def tower_keys(task: str) -> list[str]:
    """Every key of a tower's table, ``key`` or ``section.key``; none for a task that there is not."""
    found: list[str] = []
    for kind in TowerRecipe.__origin__.__args__:  # type: ignore[attr-defined]
        if kind.model_fields["task"].annotation.__args__ != (task,):
            continue
        for name, entry in kind.model_fields.items():
            section = entry.annotation
            nested = isinstance(section, type) and issubclass(section, Section)
            found += [f"{name}.{key}" for key in section.model_fields] if nested else [name]
    return found


def _sections(recipe: Recipe) -> Iterator[tuple[str, Section]]:
    """Every section of a recipe with its name, towers as ``towers.name``."""
    yield "", recipe
    for name in type(recipe).model_fields:
        value = getattr(recipe, name)
        if isinstance(value, Section):
            yield name, value
        for tower in value if isinstance(value, list) else []:
            yield f"towers.{tower.name}", tower
            for key in type(tower).model_fields:
                if isinstance(nested := getattr(tower, key), Section):
                    yield f"towers.{tower.name}.{key}", nested


def _unused(recipe: Recipe) -> Iterator[tuple[str, str]]:
    for name, section in _sections(recipe):
        for key, why in section.unused().items():
            yield f"{name}.{key}".removeprefix("."), why


def _choices(recipe: Recipe) -> Iterator[tuple[str, str, list[str]]]:
    for name, section in _sections(recipe):
        for key, entry in type(section).model_fields.items():
            extra = entry.json_schema_extra
            if isinstance(extra, dict) and "choices" in extra:
                yield f"{name}.{key}", getattr(section, key), list(extra["choices"])  # type: ignore[arg-type]


def _frozen_unused(recipe: MetricRecipe | PairsRecipe) -> dict[str, str]:
    if recipe.model.train != "head":
        return {"augment.copies": "copies are made where model.train=head keeps features of a frozen backbone"}
    found = {"optimiser.backbone_lr": "model.train=head trains nothing of the backbone"}
    if recipe.augment.copies == 1 and recipe.task == "metric":
        keys = [key for key in type(recipe.augment).model_fields if key != "copies"]
        found |= {f"augment.{key}": "augment.copies=1 keeps only the plain image's features" for key in keys}
    return found


def _is_set(values: Mapping[str, Any], key: str) -> bool:
    """Whether a key stands in nested dictionaries; towers are looked up by their name."""
    section = _section_of(values, key.split(".")[:-1])
    return section is not None and key.split(".")[-1] in section


def without(values: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Nested dictionaries less some of their keys; they are changed in place."""
    for key in keys:
        section = _section_of(values, key.split(".")[:-1])
        if isinstance(section, dict):
            section.pop(key.split(".")[-1], None)
    return values


def _section_of(values: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(values, list):
            values = next((each for each in values if each["name"] == part), None)
        else:
            values = values.get(part) if isinstance(values, Mapping) else None
        if values is None:
            return None
    return values


def anchored(recipe: Any) -> Any:
    """The recipe with its relative paths made absolute, so that it means the same from another folder."""
    from doppelgram.models.backbones.registry import BUILT_IN

    def absolute(name: str) -> str:
        return str(Path(name).expanduser().absolute())

    def is_folder(name: str) -> bool:
        return name not in BUILT_IN and Path(name).expanduser().is_dir()

    if isinstance(recipe, ArrangementRecipe):
        towers = [
            tower.changed(backbone=absolute(tower.backbone))
            if tower.task != "keypoints" and is_folder(tower.backbone)
            else tower
            for tower in recipe.towers
        ]
        return recipe.with_values(towers=towers)
    if is_folder(recipe.model.backbone):
        recipe = recipe.with_values(model={"backbone": absolute(recipe.model.backbone)})
    if isinstance(recipe, MetricRecipe) and recipe.data.classes:
        recipe = recipe.with_values(data={"classes": absolute(recipe.data.classes)})
    return recipe
