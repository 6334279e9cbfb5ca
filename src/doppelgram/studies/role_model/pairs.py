"""Pairs of images drawn from labels, easy and hard ones, for training and for evaluation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doppelgram.dataset.collection import Collection, codes
from doppelgram.dataset.pairs import Index, Pairs
from doppelgram.errors import DoppelgramError


@dataclass(frozen=True)
class NegativeRule:
    """Which columns a negative pair must share and in which it must differ ("same place, other pose")."""

    same: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> NegativeRule:
        """Read a rule such as ``same place, other pose``.

        Raises:
            DoppelgramError: a term is not ``same COLUMN`` or ``other COLUMN``, or nothing has to differ.
        """
        same: list[str] = []
        other: list[str] = []
        for term in filter(None, (part.strip() for part in text.split(","))):
            match = re.fullmatch(r"(same|other)\s+(\S+)", term)
            if match is None:
                raise DoppelgramError(f"rule {text!r}: {term!r} is not 'same COLUMN' or 'other COLUMN'")
            (same if match.group(1) == "same" else other).append(match.group(2))
        if not other:
            raise DoppelgramError(f"rule {text!r}: a negative pair must differ in something; add 'other COLUMN'")
        return cls(tuple(same), tuple(other))


def _partners(
    rng: np.random.Generator, anchors: Index, key: Index, refuse: Sequence[tuple[Index, bool]], tries: int = 200
) -> Index:
    """For each anchor a random row with the same key, at which no refusal holds; -1 where none was found.

    A refusal is (codes, equal): rows are refused whose code is equal (or, if false, unequal) to the anchor's.
    Rejection sampling: O(anchors) a try, and memory independent of the size of the classes.
    """
    order = np.argsort(key, kind="stable")
    start = np.searchsorted(key[order], np.arange(key.max() + 2))
    found = np.full(len(anchors), -1, dtype=np.int64)
    open_rows = np.arange(len(anchors))
    for _ in range(tries):
        if not len(open_rows):
            break
        a = anchors[open_rows]
        low, high = start[key[a]], start[key[a] + 1]
        b = order[low + (rng.random(len(a)) * (high - low)).astype(np.int64)]
        good = b != a
        for values, equal in refuse:
            good &= (values[a] != values[b]) if equal else (values[a] == values[b])
        found[open_rows[good]] = b[good]
        open_rows = open_rows[~good]
    return found


def make_pairs(
    collection: Collection,
    n: int,
    *,
    seed: int = 0,
    rule: str | NegativeRule = "",
    apart: Sequence[str] = (),
) -> Pairs:
    """Balanced pairs: half of them of the same label, half not.

    Args:
        collection: labelled images.
        n: number of pairs; an odd one has one more positive.
        seed: the same seed gives the same pairs.
        rule: which negatives are wanted, such as ``same place, other pose`` for hard ones; by default any
            image with another label.
        apart: columns in which both images of a pair must differ (``person``, ``photo``), so that a pair is
            not recognised by what it happens to share.

    Raises:
        DoppelgramError: no positive or no negative pair exists under these conditions.
    """
    rows = np.flatnonzero(collection.labels != "")
    collection = collection.labelled()
    rng = np.random.default_rng(seed)
    _, label = codes(collection.labels)
    keep_apart: list[tuple[Index, bool]] = [(codes(collection.column(column))[1], True) for column in apart]
    everything = np.zeros(len(collection), dtype=np.int64)
    if rule:
        parsed = NegativeRule.parse(rule) if isinstance(rule, str) else rule
        shared = codes(collection.column("+".join(parsed.same)))[1] if parsed.same else everything
        differ = [(codes(collection.column(column))[1], True) for column in parsed.other]
    else:
        shared, differ = everything, [(label, True)]

    def draw(count: int, key: Index, refuse: list[tuple[Index, bool]], kind: str) -> tuple[Index, Index]:
        lefts: list[Index] = []
        rights: list[Index] = []
        have = 0
        for _ in range(20):
            anchors = rng.permutation(np.resize(rng.permutation(len(collection)), max(count, len(collection))))
            partner = _partners(rng, anchors, key, refuse, tries=30)
            good = partner >= 0
            lefts.append(anchors[good])
            rights.append(partner[good])
            have += int(good.sum())
            if have >= count:
                break
        if have < count:
            raise DoppelgramError(f"{collection.root}: there are no {count} {kind} pairs under these conditions")
        return np.concatenate(lefts)[:count], np.concatenate(rights)[:count]

    positives = n - n // 2
    pa, pb = draw(positives, label, keep_apart, "same-label")
    na, nb = draw(n - positives, shared, [*differ, *keep_apart], "different-label") if n > 1 else (pa[:0], pb[:0])
    order = rng.permutation(n)
    same = np.arange(n) < positives
    return Pairs(rows[np.concatenate([pa, na])[order]], rows[np.concatenate([pb, nb])[order]], same[order])
