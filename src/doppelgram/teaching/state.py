"""What the answers have bought so far, in figures and in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from doppelgram.numbers import count
from doppelgram.space.exact import Int64


@dataclass(frozen=True)
class State:
    """What was answered and what follows.

    Attributes:
        answers: that stand; names count.
        settled_pairs: pairs of photographs of which it is certain whether they are the same.
        groups: now.
        groups_before: without any answer.
        sentence: all that in words.
        version: number of the version that is in effect.
    """

    answers: int
    settled_pairs: int
    groups: int
    groups_before: int
    sentence: str
    version: int


def settled(blocks: Int64, apart: Int64, named: Mapping[int, str]) -> int:
    """How many pairs of n photographs are certain, the same or different.

    Args:
        blocks: int64 (n,), those that are the same for certain.
        apart: int64 (m, 2), pairs of blocks that are different.
        named: names of blocks; those of different names are different.
    """
    sizes = np.bincount(blocks).astype(np.int64)
    same = int((sizes * (sizes - 1) // 2).sum())
    different = int((sizes[apart[:, 0]] * sizes[apart[:, 1]]).sum())
    both = [a in named and b in named for a, b in apart.tolist()]
    counted = int((sizes[apart[both, 0]] * sizes[apart[both, 1]]).sum()) if len(apart) else 0
    of_names = sizes[list(named)] if named else np.zeros(0, dtype=np.int64)
    total = int(of_names.sum())
    return same + different + (total * total - int((of_names * of_names).sum())) // 2 - counted


def described(answers: int, settled_pairs: int, groups: int, before: int) -> str:
    """The sentence of a `State`."""
    if not answers:
        return f"No answers yet: {count(groups, 'group')} by the model alone."
    settle = "settles" if answers == 1 else "settle"
    return (
        f"{count(answers, 'answer')} {settle} {count(settled_pairs, 'pair')} of photographs; "
        f"{count(groups, 'group')} now, {before:,} before."
    )
