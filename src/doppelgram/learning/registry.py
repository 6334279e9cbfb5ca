"""Losses and miners by name: Doppelgram's own, and those of pytorch-metric-learning.

Ours have short names ("triplet", "batchhard"). The library's are found by class name ("CosFaceLoss") or by the same in
lower case without "Loss" or "Miner", however it is hyphenated ("cosface", "proxy_anchor"). Where both have one, the
short name is ours and the class name the library's: "contrastive" and "ContrastiveLoss", "batchhard" and
"BatchHardMiner". The library is imported only when one of its names is used.
"""

import difflib
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.learning.library import LibraryLoss, LibraryMiner, first_line
from doppelgram.learning.losses import ContrastiveLoss, MetricLoss, PairBCELoss, TripletMarginLoss
from doppelgram.learning.miners import AllMiner, BatchHardMiner, RandomMiner, SemiHardMiner
from doppelgram.learning.tuples import Tuples

Miner: TypeAlias = Callable[[Tensor, Tensor], Tuples | None]


def _random_miner(seed: int | None = None) -> RandomMiner:
    return RandomMiner(None if seed is None else torch.Generator().manual_seed(seed))


_OUR_LOSSES: dict[str, Callable[..., Any]] = {
    "contrastive": ContrastiveLoss,
    "triplet": TripletMarginLoss,
    "bce": PairBCELoss,
}
_OUR_MINERS: dict[str, Callable[..., Any]] = {
    "none": _random_miner,
    "all": AllMiner,
    "semihard": SemiHardMiner,
    "batchhard": BatchHardMiner,
}
_LIBRARY_LOSSES = """
angular arcface circle ContrastiveLoss cosface dynamic_soft_margin fast_ap generalized_lifted_structure histogram
instance intra_pair_variance large_margin_softmax lifted_structure margin multi_similarity n_pairs nca
normalized_softmax ntxent p2s_grad pnp proxy_anchor proxy_nca ranked_list signal_to_noise_ratio_contrastive smooth_ap
soft_triple sphereface subcenter_arcface supcon threshold_consistent_margin triplet_margin tuplet_margin
"""
_LIBRARY_MINERS = """
angular batch_easy_hard BatchHardMiner distance_weighted hdc multi_similarity pair_margin triplet_margin
uniform_histogram
"""
_REFUSED = {
    "VICRegLoss": "it learns without labels",
    "ManifoldLoss": "it learns without labels",
    "SelfSupervisedLoss": "it learns without labels",
    "CrossBatchMemory": "it wraps another loss",
    "MultipleLosses": "it wraps other losses",
    "EmbeddingsAlreadyPackagedAsTriplets": "batches are not laid out as triplets here",
}
# What the constructors call the sizes that are known here.
_SIZES = {"num_classes": "classes", "embedding_size": "embedding_dim", "descriptors_dim": "embedding_dim"}
# Constructor arguments that are Python objects, or that a class fixes for its base class: none can be in a recipe.
_NOT_PLAIN = """
distance reducer collect_stats weight_init_func weight_regularizer weight_reg_weight embedding_regularizer
embedding_reg_weight mat_based_loss
"""
_FIXED = {"BatchHardMiner": {"pos_strategy", "neg_strategy"}}


def list_losses() -> list[str]:
    """Names that `make_loss` knows, ours first."""
    return [*_OUR_LOSSES, *_LIBRARY_LOSSES.split()]


def list_miners() -> list[str]:
    """Names that `make_miner` knows, ours first."""
    return [*_OUR_MINERS, *_LIBRARY_MINERS.split()]


def make_loss(name: str, *, embedding_dim: int, classes: int, params: Mapping[str, Any] | None = None) -> MetricLoss:
    """Build a loss, called as ``loss(embeddings, labels, tuples=None)``.

    Args:
        name: one of `list_losses`, or a class name of pytorch-metric-learning.
        embedding_dim: width of the embeddings; handed to losses with weights of their own.
        classes: number of classes; for a loss with ``needs_classes`` the labels have to be codes below it.
        params: further arguments of the loss.

    Raises:
        DoppelgramError: unknown name or parameter (with what is known), or a value that the loss refuses.
    """
    factory, ours = _find("loss", name, _OUR_LOSSES, list_losses())
    sizes = {"classes": classes, "embedding_dim": embedding_dim}
    needed = {} if ours else {key: sizes[size] for key, size in _SIZES.items() if _is_required(factory, key)}
    inner = _build("loss", name, factory, params or {}, needed)
    return inner if ours else LibraryLoss(name, inner, classes=needed.get("num_classes"))


def make_miner(
    name: str | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    margin: float | None = None,
    loss: MetricLoss | None = None,
) -> Miner:
    """Build a miner, called as ``miner(embeddings, labels)``; it returns index tuples, or None for all of the batch.

    Args:
        name: one of `list_miners`, a class name of pytorch-metric-learning, or None (or "") for no miner: the loss
            then uses all pairs of the batch, or each image and its class. "none" draws pairs at random; with a
            classification loss, which needs no pairs, it means no miner.
        params: further arguments of the miner.
        margin: for "semihard", where ``params`` has none; the margin of ``loss`` by default.
        loss: the loss that the miner works for; what does not go together is refused.

    Raises:
        DoppelgramError: unknown name or parameter (with what is known), a value that the miner refuses, or a loss
            that takes no tuples.
    """
    params = dict(params or {})
    if not name:
        if params:
            raise DoppelgramError(f"the miner's parameters ({', '.join(params)}) have no miner; name one")
        return NoMiner()
    factory, ours = _find("miner", name, _OUR_MINERS, list_miners())
    if loss is not None and loss.needs_classes and factory is _random_miner:
        return NoMiner()
    if loss is not None and not loss.takes_tuples:
        raise DoppelgramError(f"{loss.title} uses the whole batch and takes no miner; leave out miner '{name}'")
    if factory is SemiHardMiner and "margin" not in params:
        own = loss.margin if isinstance(loss, TripletMarginLoss) and loss.margin > 0 else None
        chosen = margin if margin is not None else own
        params |= {} if chosen is None else {"margin": chosen}
    miner = _build("miner", name, factory, params, {})
    return miner if ours else LibraryMiner(miner)


class NoMiner:
    """A miner that returns None: the loss uses the whole batch."""

    def __call__(self, embeddings: Tensor, labels: Tensor) -> None:
        """Return None."""


def _plain(name: str, kind: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix(kind)


def _find(
    kind: str, name: str, ours: Mapping[str, Callable[..., Any]], offered: list[str]
) -> tuple[Callable[..., Any], bool]:
    """The class or function behind a name, and whether it is ours."""
    if name in _REFUSED:
        raise DoppelgramError(f"{kind} '{name}' is not offered: {_REFUSED[name]}")
    plain = _plain(name, kind)
    is_class_name = name.endswith(kind.title())
    if not is_class_name and plain in ours:
        return ours[plain], True
    if plain not in {_plain(entry, kind) for entry in offered[len(ours) :]}:
        spelled = {entry.lower(): entry for entry in reversed(offered)}
        close = difflib.get_close_matches(name.lower(), [entry.lower() for entry in offered], n=1)
        rest = f"the nearest is '{spelled[close[0]]}'" if close else f"there are {', '.join(offered)}"
        raise DoppelgramError(f"there is no {kind} '{name}'; {rest}")
    module = importlib.import_module(f"pytorch_metric_learning.{'losses' if kind == 'loss' else 'miners'}")
    classes = {_plain(entry, kind): entry for entry in dir(module) if entry.endswith(kind.title())}
    factory: Callable[..., Any] = getattr(module, classes[plain])
    return factory, False


def _arguments(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Arguments of a constructor, and of its base classes' for as long as each passes unknown ones on."""
    found: dict[str, inspect.Parameter] = {}
    steps = factory.__mro__ if isinstance(factory, type) else (factory,)
    for step in steps:
        if isinstance(step, type) and "__init__" not in vars(step):
            continue
        parameters = inspect.signature(step).parameters.values()
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _is_required(factory: Callable[..., Any], key: str) -> bool:
    argument = _arguments(factory).get(key)
    return argument is not None and argument.default is inspect.Parameter.empty


def _build(
    kind: str, name: str, factory: Callable[..., Any], params: Mapping[str, Any], sizes: Mapping[str, int]
) -> Any:
    hidden = {*_NOT_PLAIN.split()} | _SIZES.keys() | _FIXED.get(getattr(factory, "__name__", ""), set())
    known = {key: argument for key, argument in _arguments(factory).items() if key not in hidden}
    for key, value in params.items():
        if key not in known:
            listed = f"it knows {', '.join(known)}" if known else "it has none"
            raise DoppelgramError(f"{kind} '{name}' has no parameter '{key}'; {listed}")
        default = known[key].default
        plain = next((sort for sort in (bool, str) if isinstance(default, sort)), None)
        number = isinstance(default, (int, float)) and plain is None
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if (plain is not None and not isinstance(value, plain)) or (number and not is_number):
            raise DoppelgramError(f"{kind} '{name}': {key} is {value!r}, but has to be of the kind of {default!r}")
    missing = [key for key in known if _is_required(factory, key) and key not in params]
    if missing:
        raise DoppelgramError(f"{kind} '{name}' needs {' and '.join(missing)}; set it in the {kind}'s params")
    try:
        return factory(**params, **sizes)
    except (TypeError, ValueError, AssertionError) as problem:
        raise DoppelgramError(f"{kind} '{name}' refuses its parameters: {first_line(problem)}") from problem
