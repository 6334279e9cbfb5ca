"""What a metric gets most wrong, sorted by what is probably the matter: label, copy, confusion or outlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.label_errors.duplicates import CopyGroup
from doppelgram.label_errors.surroundings import Surroundings, look_around
from doppelgram.numbers import percent
from doppelgram.space.exact import pair_distances, vectors

Kind: TypeAlias = Literal["label", "copy", "pair", "outlier"]
KINDS: tuple[Kind, ...] = ("label", "copy", "pair", "outlier")

NEIGHBOURS = 10
# From here on the neighbours agree on another class far more than on the image's own.
AGREEMENT = 0.5
# An outlier is at least twice as far from its class as the images of its class usually are.
OUTLYING = 0.5
_EVIDENCE = 3


@dataclass(frozen=True)
class Mistake:
    """One thing to look at.

    Attributes:
        kind: ``label``, ``copy``, ``pair`` or ``outlier``.
        row: the image.
        others: images to hold beside it, the most telling first.
        score: 0 to 1, comparable within a kind; see `find_mistakes`.
        distance: between ``row`` and the first of ``others``; NaN without one.
        suggested: the class that a suspected label mistake probably belongs to, otherwise empty.
        reason: what was found, in a sentence.
    """

    kind: Kind
    row: int
    others: tuple[int, ...]
    score: float
    distance: float
    suggested: str
    reason: str


def find_mistakes(
    embeddings: Any,
    labels: NDArray[Any],
    content: NDArray[Any],
    groups: Sequence[CopyGroup] = (),
    *,
    parts: NDArray[np.str_] | None = None,
    asked: NDArray[np.bool_] | None = None,
    neighbours: int = NEIGHBOURS,
    block: int | None = None,
) -> dict[Kind, list[Mistake]]:
    """List suspected label mistakes, copies under other labels or in other parts, wrong pairs and outliers.

    Every image is compared with all others but itself and files with its own bytes. Scores:

    - ``label``: neighbours vote with weight exp(-d^2 / 2s^2), s being the median distance of images to the nearest of
      their class. The score is (W_suggested - W_own) / (W_all + exp(-1/2)): the last term is one more neighbour at
      distance s that abstains, so that far or few neighbours cannot be sure. Listed from 0.5 on.
    - ``copy``: 1 for the same bytes, less the more two copies differ. Copies under different labels come first, then
      those of one class that stand in different parts of the split. Others do no harm and are not listed.
    - ``pair``: share of images that are farther from their nearest class-mate than these two images of different
      classes are from each other.
    - ``outlier``: 1 - (usual distance of its class's images to class-mates) / (its own). Listed from 0.5 on.

    An image is listed once a kind. What is explained already is not listed again: copies and suspected labels are no
    wrong pairs, suspected labels no outliers.

    Args:
        embeddings: (n, d).
        labels: (n,) class of each image.
        content: (n,) content hash of each file.
        groups: copies, as `copies` finds them.
        parts: (n,) part of the split of each image, or None.
        asked: (n,) images to report on; the others still are neighbours. All by default.
        neighbours: how many vote, and how many class-mates an image's distance to its class is the mean of.
        block: images compared at a time; memory is O(block x n).

    Returns:
        For each kind its findings, the worst first.

    Raises:
        DoppelgramError: lengths that do not fit, an empty label or unusable embeddings.
    """
    found = vectors(embeddings, "embeddings")
    n = len(found)
    parts = np.full(n, "", dtype=np.str_) if parts is None else parts
    asked = np.ones(n, dtype=bool) if asked is None else asked
    for what, values in (("labels", labels), ("content hashes", content), ("parts", parts), ("marks", asked)):
        if len(values) != n:
            raise DoppelgramError(f"there are {n} embeddings but {len(values)} {what}; give one an image")
    texts = np.asarray(labels).astype(str)
    if (texts == "").any():
        row = int(np.argmax(texts == ""))
        raise DoppelgramError(f"the image in row {row} has no label; leave unlabelled images out")
    around = look_around(found, texts, np.asarray(content), neighbours, block=block)
    suspects = _labels(around, asked)
    suspected = {mistake.row for mistake in suspects}
    copied = {row: number for number, group in enumerate(groups) for row in group.rows}
    return {
        "label": suspects,
        "copy": _copies(around, groups, parts, asked),
        "pair": _pairs(around, asked, suspected, copied),
        "outlier": _outliers(around, asked, suspected),
    }


def _labels(around: Surroundings, asked: NDArray[np.bool_]) -> list[Mistake]:
    known = around.spread[np.isfinite(around.spread) & (around.spread > 0)]
    scale = float(np.median(known)) if len(known) else 1.0
    weight = np.exp(-(around.near**2) / (2 * scale**2))
    weight[around.near_rows < 0] = 0.0
    voted = around.codes[around.near_rows]
    voted[around.near_rows < 0] = -1
    own = np.where(voted == around.codes[:, None], weight, 0.0).sum(axis=1)
    # For each neighbour the votes of its class; those of the own class cannot be suggested.
    votes = np.einsum("nj,nij->ni", weight, voted[:, :, None] == voted[:, None, :])
    votes[(voted == around.codes[:, None]) | (voted < 0)] = -1.0
    best = votes.argmax(axis=1)
    rows = np.arange(len(votes))
    margin = (votes[rows, best] - own) / (weight.sum(axis=1) + np.exp(-0.5))
    listed = np.flatnonzero(asked & (margin >= AGREEMENT) & (votes[rows, best] > 0))
    mistakes = []
    for row in listed[np.argsort(-margin[listed], kind="stable")].tolist():
        theirs = int(voted[row, best[row]])
        agreeing = around.near_rows[row][voted[row] == theirs]
        mate = around.mate_rows[row, 0]
        others = (*agreeing[: _EVIDENCE - 1].tolist(), *([int(mate)] if mate >= 0 else []))
        count, asked_of = int((voted[row] == theirs).sum()), int((voted[row] >= 0).sum())
        own_count = int((voted[row] == around.codes[row]).sum())
        of_own = f"{own_count} of its own" if own_count else "none of its own"
        if mate < 0:
            of_own = "it is the only image of its own"
        suggested = around.names[theirs]
        distance = float(around.near[row][voted[row] == theirs][0])
        reason = f"{count} of its {asked_of} nearest images are {suggested}, {of_own}; the nearest at {distance:.2f}"
        if mate >= 0:
            reason += f", its own class at {around.mate[row, 0]:.2f}"
        mistakes.append(Mistake("label", row, others, float(margin[row]), distance, suggested, reason))
    return mistakes


def _copies(
    around: Surroundings, groups: Sequence[CopyGroup], parts: NDArray[np.str_], asked: NDArray[np.bool_]
) -> list[Mistake]:
    ranked: list[tuple[bool, float, Mistake]] = []
    for group in groups:
        rows = np.array(group.rows)
        classes, where = set(around.codes[rows].tolist()), sorted({str(part) for part in parts[rows]} - {""})
        if not asked[rows].any() or (len(classes) == 1 and len(where) < 2):
            continue
        score = 1.0 if group.same_bytes else 0.99 * float(np.clip(1 - group.difference / 0.5, 0, 1))
        # First and second shown are the two that contradict each other.
        lead = int(rows[0])
        differs = around.codes[rows] != around.codes[lead] if len(classes) > 1 else parts[rows] != parts[lead]
        others = (*rows[differs].tolist(), *rows[~differs][1:].tolist())
        what = "the same bytes" if group.same_bytes else f"all but the same picture (difference {group.difference:.2f})"
        how_many = "two files" if len(rows) == 2 else f"{len(rows)} files"
        labels = " and ".join(_few(sorted(around.names[code] for code in classes)))
        reason = f"{how_many} with {what}, labelled {labels}"
        if len(classes) == 1:
            reason = f"{how_many} with {what}, in {' and '.join(where)}: what is tested was trained on"
            if "train" not in where and "extra" not in where:
                reason = f"{how_many} with {what}, in {' and '.join(where)}"
        distance = float(pair_distances(around.vectors, around.vectors, rows[:1], np.array(others[:1]))[0])
        ranked.append((len(classes) == 1, -score, Mistake("copy", lead, others, score, distance, "", reason)))
    return [mistake for _, _, mistake in sorted(ranked, key=lambda entry: entry[:2])]


def _pairs(
    around: Surroundings, asked: NDArray[np.bool_], suspected: set[int], copied: dict[int, int]
) -> list[Mistake]:
    usual = np.sort(around.mate[:, 0][np.isfinite(around.mate[:, 0])])
    taken = set(suspected)
    mistakes = []
    for row in np.argsort(around.rival_distance, kind="stable").tolist():
        other, distance = int(around.rival[row]), float(around.rival_distance[row])
        if other < 0 or row in taken or other in taken or not (asked[row] or asked[other]):
            continue
        if row in copied and copied[row] == copied.get(other):
            continue
        share = 1 - float(np.searchsorted(usual, distance, side="right")) / max(len(usual), 1)
        if share <= 0:
            break
        taken |= {row, other}
        first, second = (row, other) if asked[row] else (other, row)
        reason = (
            f"{around.names[around.codes[first]]} and {around.names[around.codes[second]]}, "
            f"yet nearer ({distance:.2f}) than {_percent(share)} images are to the nearest of their own class"
        )
        mistakes.append(Mistake("pair", first, (second,), share, distance, "", reason))
    return mistakes


def _outliers(around: Surroundings, asked: NDArray[np.bool_], suspected: set[int]) -> list[Mistake]:
    spread = around.spread
    known = np.isfinite(spread)
    if not known.any():
        return []
    overall = float(np.median(spread[known]))
    usual, typical = np.full(len(spread), overall), np.full(len(spread), -1, dtype=np.int64)
    for code in range(len(around.names)):
        members = np.flatnonzero((around.codes == code) & known)
        if len(members) >= 3:  # of fewer, one outlier is as far from the other as that from it
            # A class that has collapsed to a point does not make its second-tightest image an outlier.
            usual[members] = max(float(np.median(spread[members])), overall / 2)
            typical[members] = members[spread[members].argmin()]
    score = np.where(known, 1 - usual / np.where(known & (spread > 0), spread, np.inf), 0.0)
    score[~known | (spread <= 0)] = 0.0
    listed = [row for row in np.flatnonzero(asked & (score >= OUTLYING)).tolist() if row not in suspected]
    mistakes = []
    for row in sorted(listed, key=lambda row: -score[row]):
        others = [int(other) for other in (typical[row], around.mate_rows[row, 0]) if other not in (-1, row)]
        distance = pair_distances(around.vectors, around.vectors, np.array([row]), np.array(others[:1]))[0]
        reason = (
            f"{spread[row] / usual[row]:.1f} times as far from the nearest images of {around.names[around.codes[row]]} "
            f"({spread[row]:.2f}) as images of that class usually are ({usual[row]:.2f})"
        )
        mistakes.append(
            Mistake("outlier", row, tuple(dict.fromkeys(others)), float(score[row]), float(distance), "", reason)
        )
    return mistakes


def _few(names: list[str], most: int = 3) -> list[str]:
    return names if len(names) <= most else [*names[:most], f"{len(names) - most} more"]


def _percent(share: float) -> str:
    return "all" if share >= 1 else f"{percent(min(0.999, share))} of"
