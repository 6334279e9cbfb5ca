"""The grid of a comparison: losses, miners, embedding sizes and seeds as a person writes them, checked beforehand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doppelgram.comparison.result import Setting
from doppelgram.errors import DoppelgramError
from doppelgram.learning.registry import list_losses, list_miners, make_loss, make_miner
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.metric_checks import check_recipe, unused_by_loss
from doppelgram.training.recipes.schema import MetricRecipe, Recipe
from doppelgram.training.recipes.sections import Loss, Miner

NO_MINER = "none"
# Keys of the recipe that the grid sets in each cell.
_OWN_KEYS = {"loss.name": "--losses", "miner.name": "--miners", "model.dim": "--dims"}
_REHEARSAL_CLASSES, _REHEARSAL_EACH = 4, 4


@dataclass(frozen=True)
class Choice:
    """A loss or a miner of the grid.

    Attributes:
        name: as the catalogue has it.
        params: given with the name, ``triplet(margin=0.1)``.
    """

    name: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How tables and folders call it."""
        if not self.params:
            return self.name
        return f"{self.name}({', '.join(f'{key}={_shown(value)}' for key, value in self.params.items())})"


@dataclass(frozen=True)
class Cell:
    """One training of the grid.

    Attributes:
        setting: what it is compared by.
        seed: of the training.
        recipe: what is done.
        mines: whether its loss looks at what a miner chooses.
    """

    setting: Setting
    seed: int
    recipe: MetricRecipe
    mines: bool

    @property
    def folder(self) -> str:
        """Name of its run folder: ``<loss>-<miner>-<dim>-s<seed>``."""
        parts = (self.setting.loss, self.setting.miner, str(self.setting.dim), f"s{self.seed}")
        return "-".join(re.sub(r"[^\w.=+]+", "_", part).strip("_") for part in parts)


@dataclass(frozen=True)
class Grid:
    """What a comparison varies, as a person writes it.

    Attributes:
        losses: names separated by commas, parameters in brackets: ``triplet(margin=0.1),contrastive``.
        miners: likewise. "none" draws a random triplet for each image, "all" takes every pair of the batch.
        dims: embedding sizes, numbers separated by commas.
        seeds: how many; 0 to ``seeds`` - 1.
    """

    losses: str = "triplet"
    miners: str = "none,semihard,batchhard"
    dims: str = "64"
    seeds: int = 3

    def cells(self, base: MetricRecipe, params_for_all: set[str] | None = None) -> tuple[list[Cell], list[str]]:
        """See `make_cells`; raises DoppelgramError also where a name or number cannot be read."""
        losses, miners = parse_choices(self.losses, "loss"), parse_choices(self.miners, "miner")
        return make_cells(base, losses, miners, parse_dims(self.dims), self.seeds, params_for_all)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_choices(text: str, kind: str) -> list[Choice]:
    """Read ``--losses`` or ``--miners``: names separated by commas, each with parameters in brackets if it has any.

    ``triplet(margin=0.1),contrastive`` gives two. Hyphens, underscores and case do not matter: ``semi-hard`` is
    ``semihard``. Values are numbers, true, false or plain words; nothing is evaluated. What is named twice counts once.

    Args:
        text: the option's value.
        kind: ``loss`` or ``miner``.

    Raises:
        DoppelgramError: brackets or parameters that cannot be read, an unknown name, or no name at all.
    """
    option = {"loss": "--losses", "miner": "--miners"}[kind]
    known = list_losses() if kind == "loss" else list_miners()
    found: dict[str, Choice] = {}
    rest = text.strip()
    while rest:
        match = re.match(r"\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*(?:,|$)", rest)
        if match is None:
            raise DoppelgramError(
                f"{option} {text}: cannot be read from '{rest[:30]}' on; write names such as "
                f"{'triplet,contrastive or triplet(margin=0.1)' if kind == 'loss' else 'none,semihard'}"
            )
        choice = Choice(_known_name(match[1], kind, known), _params(match[2] or "", f"{option} {text}"))
        found.setdefault(choice.label, choice)
        rest = rest[match.end() :]
    if not found:
        raise DoppelgramError(f"{option} is empty; name one {kind} or more, separated by commas")
    return list(found.values())


def _known_name(name: str, kind: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    plain = {re.sub(r"[^a-z0-9]", "", entry.lower()): entry for entry in reversed(known)}
    wanted = re.sub(r"[^a-z0-9]", "", name.lower())
    found = plain.get(wanted) or plain.get(wanted.removesuffix(kind))
    if found is None:
        if kind == "loss":  # the catalogue says what is nearest
            make_loss(name, embedding_dim=2, classes=2)
        else:
            make_miner(name)
    return found or name


def _params(text: str, where: str) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = re.fullmatch(r"(\w+)\s*=\s*([\w.+-]+)", part)
        if match is None:
            raise DoppelgramError(f"{where}: '{part}' is no parameter; write name=value, as in triplet(margin=0.1)")
        try:
            params[match[1]] = tomllib.loads(f"value = {match[2]}")["value"]
        except tomllib.TOMLDecodeError:
            params[match[1]] = match[2]
    return params


def parse_dims(text: str) -> list[int]:
    """Read ``--dims``: whole numbers separated by commas; raises DoppelgramError."""
    if not text.strip():
        raise DoppelgramError("--dims is empty; write whole numbers separated by commas, such as 2,16,64")
    try:
        dims = list(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise DoppelgramError(f"--dims {text}: write whole numbers separated by commas, such as 2,16,64") from None
    if any(not 2 <= dim <= 2048 for dim in dims):
        raise DoppelgramError(f"--dims {text}: an embedding has 2 to 2048 numbers")
    return dims


def read_base(recipe: str | Path | Recipe, overrides: Sequence[str]) -> tuple[MetricRecipe, set[str]]:
    """The recipe that all cells share, and which of ``loss`` and ``miner`` had parameters set for all of them.

    Raises:
        DoppelgramError: an override of what the grid itself sets, or one that the recipe refuses, or a recipe of models
            of places and poses.
    """
    if isinstance(recipe, Recipe) and overrides:
        raise DoppelgramError("overrides go with a recipe's name or file; change the Recipe itself")
    base = recipe if isinstance(recipe, Recipe) else read_recipe(recipe, overrides)
    if not isinstance(base, MetricRecipe):
        raise DoppelgramError(
            f"recipe '{base.name}' is of task '{base.task}', and compare trains models of whole images, task 'metric'; "
            "use `doppelgram train` for it, or another --recipe"
        )
    keys = [override.partition("=")[0].strip() for override in overrides]
    for key in keys:
        full = {"loss": "loss.name", "miner": "miner.name", "dim": "model.dim"}.get(key, key)
        if full in _OWN_KEYS:
            raise DoppelgramError(f"--set {key}: is what the grid varies; use {_OWN_KEYS[full]}")
    return base, {section for section in ("loss", "miner") for key in keys if key.startswith(f"{section}.params")}


def make_cells(
    base: MetricRecipe,
    losses: Sequence[Choice],
    miners: Sequence[Choice],
    dims: Sequence[int],
    seeds: int,
    params_for_all: set[str] | None = None,
) -> tuple[list[Cell], list[str]]:
    """Every training of a grid, seed by seed so that a part of it compares all settings, and remarks about it.

    Parameters of the base recipe's loss and miner belong to these two alone, unless they were set for all. A loss
    that carries class weights, or looks at the whole batch, takes no miner: it is trained once, with miner "none".

    Raises:
        DoppelgramError: losses and miners that do not go together, each named, or a value that cannot be used.
    """
    if seeds < 1:
        raise DoppelgramError(f"--seeds is {seeds}; each setting is trained with one seed or more")
    params_for_all = params_for_all or set()
    settings: list[tuple[Setting, MetricRecipe, bool]] = []
    alone, refused = [], []
    for chosen in losses:
        loss_params = _given("loss", chosen, base.loss, params_for_all)
        loss = make_loss(chosen.name, embedding_dim=dims[0], classes=2, params=loss_params)
        mines = loss.takes_tuples and not loss.needs_classes
        if not mines:
            alone.append(chosen.label)
        for miner in miners if mines else [Choice(NO_MINER)]:
            miner_params = _given("miner", miner, base.miner, params_for_all) if mines else {}
            recipe = base.with_values(
                loss={"name": chosen.name, "params": loss_params},
                miner=Miner(name=miner.name if mines else "", params=miner_params),
            )
            try:
                # The base recipe's keys are meant for its own loss; another may have no use for them.
                recipe = recipe.less(*unused_by_loss(recipe))
                check_recipe(recipe)
                _rehearse(recipe)
            except DoppelgramError as problem:
                refused.append(f"{chosen.label} with {miner.label} ({str(problem).rstrip('.')})")
                continue
            for dim in dims:
                setting = Setting(chosen.label, miner.label, dim)
                settings.append((setting, recipe.with_values(model={"dim": dim}), mines))
    if refused:
        raise DoppelgramError(f"these do not go together: {'; '.join(refused)}; leave them out of --losses or --miners")
    cells = [Cell(setting, seed, recipe, mines) for seed in range(seeds) for setting, recipe, mines in settings]
    remarks = []
    if alone and [miner.label for miner in miners] != [NO_MINER]:
        remarks.append(f"{' and '.join(alone)} use{'s' if len(alone) == 1 else ''} no miner, so trained once each")
    return cells, remarks


def _given(section: str, choice: Choice, base: Loss | Miner, params_for_all: set[str]) -> dict[str, Any]:
    shared = base.params if base.name == choice.name or section in params_for_all else {}
    return {**shared, **choice.params}


def _rehearse(recipe: MetricRecipe) -> None:
    """One step on made-up embeddings: what a loss says of a miner's tuples only once it sees them."""
    import torch

    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(_REHEARSAL_CLASSES).repeat_interleave(_REHEARSAL_EACH)
    embeddings = torch.randn(len(labels), recipe.model.dim, generator=generator)
    embeddings = torch.nn.functional.normalize(embeddings, dim=1).requires_grad_()
    loss = make_loss(
        recipe.loss.name, embedding_dim=recipe.model.dim, classes=_REHEARSAL_CLASSES, params=recipe.loss.params
    )
    miner = make_miner(recipe.miner.name or None, params=recipe.miner.params, loss=loss)
    state = torch.random.get_rng_state()
    try:
        loss(embeddings, labels, miner(embeddings.detach(), labels)).backward()
    except (RuntimeError, ValueError, TypeError, IndexError) as problem:
        raise DoppelgramError(str(problem).splitlines()[0] if str(problem) else type(problem).__name__) from None
    finally:
        torch.random.set_rng_state(state)
