"""Embeddings by several towers as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.models.towers import Embeddings, Tower, unit

# Roots of probabilities below this count as this: no single tower rules a class out.
MINIMUM = 1e-4


def fused(parts: Sequence[Embeddings], towers: Sequence[Tower]) -> Embeddings:
    """Unit embeddings (n, d1), (n, d2), ... as one of length one.

    Parts that are roots of class probabilities over the same classes become one first, the product of experts: each to
    the power of its weight, multiplied, scaled to length one (Hinton 2002). A row of zeros there says nothing. That and
    all other parts, each of these times its weight, then stand side by side: the squared distance of two fused
    embeddings is the mean of the parts' squared distances, weighted by the squared weights.

    Args:
        parts: one embedding of all n by each tower.
        towers: whose weights count, and which say what is a root of class probabilities.
    """
    side: list[NDArray[Any]] = []
    product: NDArray[Any] | None = None
    known = np.zeros(len(parts[0]), dtype=bool)
    for part, tower in zip(parts, towers, strict=True):
        if not tower.gives_class_probabilities:
            side.append(part * np.float32(tower.weight))
            continue
        says = np.asarray(part.any(axis=1))
        opinion = np.where(says[:, None], np.maximum(part, MINIMUM), 1.0) ** np.float64(tower.weight)
        product = opinion if product is None else product * opinion
        known |= says
    if product is not None:
        side.insert(0, unit(product) * known[:, None])
    return unit(np.hstack(side))


def fused_dim(towers: Sequence[Tower]) -> int:
    """Size of what `fused` makes of these towers' embeddings.

    Raises:
        DoppelgramError: towers that give class probabilities do not know the same number of classes.
    """
    classes = {tower.dim for tower in towers if tower.gives_class_probabilities}
    if len(classes) > 1:
        raise DoppelgramError(f"towers give probabilities of {' and '.join(map(str, sorted(classes)))} classes")
    return sum(classes) + sum(tower.dim for tower in towers if not tower.gives_class_probabilities)
