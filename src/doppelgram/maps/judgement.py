"""Who is near whom in the embedding space, and which images lie nearest to another class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.exact import ExactSearch, Float32, Int64

Text = NDArray[np.str_]
Bool = NDArray[np.bool_]

TRAINING = "train"

# Answers at one distance that are looked through for a wrong one; more are hardly ever found.
_TIES = 8


@dataclass(frozen=True)
class Judgement:
    """What nearest neighbours say of each image.

    Attributes:
        predicted: (n,) label of the nearest image that may answer; empty where there is none.
        judged: (n,) whether the image has a label and an answer, so that it can be right or wrong.
        wrong: (n,) judged, and the labels differ.
        neighbours: (n, k) rows of the nearest images of all parts, nearest first; -1 where there are no more.
        distances: (n, k) Euclidean; inf where there are no more.
    """

    predicted: Text
    judged: Bool
    wrong: Bool
    neighbours: Int64
    distances: Float32


def judge(vectors: Any, labels: Text, parts: Text, ids: Sequence[str], *, k: int = 5) -> Judgement:
    """Classify every image by its nearest neighbour, and list its neighbours.

    Answers come from the training part, or if there is none from the images that are in no part. A part that shares
    no class with them, and any part where there are neither, is asked of itself. An image never answers itself, nor
    does one with the same id. Only images with a label answer. Of answers at equal distances the image's own class
    comes last.

    Args:
        vectors: (n, d) embeddings.
        labels: (n,) class names; empty where not known.
        parts: (n,) ``train``, ``val``, ...; empty for images that were not divided.
        ids: n content hashes.
        k: neighbours to list.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    labels, parts, names = labels.astype(np.str_), parts.astype(np.str_), np.asarray(ids, dtype=np.str_)
    if not len(vectors) == len(labels) == len(parts) == len(names):
        raise DoppelgramError("vectors, labels, parts and ids have different lengths; give one of each an image")
    predicted = np.full(len(labels), "", dtype=labels.dtype if len(labels) else np.dtype("<U1"))
    answering = parts == (TRAINING if (parts == TRAINING).any() else "")
    trained = np.flatnonzero(answering & (labels != ""))
    known = np.unique(labels[trained])
    for part in np.unique(parts):
        asked = np.flatnonzero(parts == part)
        shared = np.isin(labels[asked], known).any() or not (labels[asked] != "").any()
        answers = trained if len(trained) and shared else asked[labels[asked] != ""]
        if len(answers):
            predicted[asked] = _answers(vectors, labels, names, asked, answers)
    judged = (labels != "") & (predicted != "")
    distances, neighbours = ExactSearch(vectors, names).nearest(vectors, k, query_ids=names)
    return Judgement(predicted, judged, judged & (predicted != labels), neighbours, distances)


def _answers(vectors: Float32, labels: Text, names: Text, asked: Int64, answers: Int64) -> Text:
    """Label of the nearest of ``answers`` for each of ``asked``; empty where none is left."""
    search = ExactSearch(vectors[answers], names[answers])
    distances, rows = search.nearest(vectors[asked], _TIES, query_ids=names[asked])
    found = np.where(rows >= 0, labels[answers[rows]], "")
    # Of those as near as the nearest, the first that would be wrong; the nearest if there is none.
    worse = (distances == distances[:, :1]) & (rows >= 0) & (found != labels[asked][:, None])
    chosen = np.where(worse.any(axis=1), worse.argmax(axis=1), 0)
    nearest: Text = found[np.arange(len(asked)), chosen].astype(labels.dtype)
    return nearest


def count_wrong(judgement: Judgement, parts: Text) -> dict[str, dict[str, float]]:
    """For each part in which something was judged: ``n``, how many are ``wrong``, and their ``rate``."""
    counts = {}
    for part in np.unique(parts):
        rows = judgement.judged & (parts == part)
        if rows.any():
            n, wrong = int(rows.sum()), int((judgement.wrong & rows).sum())
            counts[str(part)] = {"n": n, "wrong": wrong, "rate": wrong / n}
    order = [*(part for part in (TRAINING, "val", "test") if part in counts)]
    return {part: counts[part] for part in [*order, *(part for part in counts if part not in order)]}
