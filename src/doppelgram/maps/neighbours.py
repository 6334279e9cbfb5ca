"""Who is near whom in the embedding space, and which images lie nearest to another class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Bools, Float32, Int64
from doppelgram.space.space import Found, Space

Text = NDArray[np.str_]

TRAINING = "train"

# Answers at one distance that are looked through for a wrong one; more are hardly ever found.
_TIES = 8
# Neighbours that are listed.
_LISTED = 5


@dataclass(frozen=True)
class NearestLabels:
    """What nearest neighbours say of each image.

    Attributes:
        predicted: (n,) label of the nearest image that may answer; empty where there is none.
        judged: (n,) whether the image has a label and an answer, so that it can be right or wrong.
        wrong: (n,) judged, and the labels differ.
        neighbours: (n, k) rows of the nearest images of all parts, nearest first; -1 where there are no more.
        distances: (n, k), as the space measures them; inf where there are no more.
    """

    predicted: Text
    judged: Bools
    wrong: Bools
    neighbours: Int64
    distances: Float32


def nearest_labels(
    vectors: Any,
    labels: Text,
    parts: Text,
    ids: Sequence[str],
    *,
    space: Space | None = None,
    by: str = "",
) -> NearestLabels:
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
        space: of the vectors; Euclidean by default.
        by: part of the space by which neighbours are found; everything together by default.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    space = space or EuclideanSpace(vectors.shape[1])
    labels, parts, names = labels.astype(np.str_), parts.astype(np.str_), np.asarray(ids, dtype=np.str_)
    if not len(vectors) == len(labels) == len(parts) == len(names):
        raise DoppelgramError("vectors, labels, parts and ids have different lengths; give one of each an image")
    predicted = np.full(len(labels), "", dtype=labels.dtype if len(labels) else np.dtype("<U1"))
    answering = parts == (TRAINING if (parts == TRAINING).any() else "")
    trained = np.flatnonzero(answering & (labels != ""))
    known = np.unique(labels[trained])
    for part in np.unique(parts):
        queries = np.flatnonzero(parts == part)
        shared = np.isin(labels[queries], known).any() or not (labels[queries] != "").any()
        answers = trained if len(trained) and shared else queries[labels[queries] != ""]
        if len(answers):
            index = space.index(vectors[answers], names[answers])
            found = index.nearest(vectors[queries], _TIES, query_ids=names[queries], by=by)
            predicted[queries] = _worst_of_nearest(found, labels[queries], labels[answers])
    judged = (labels != "") & (predicted != "")
    found = space.index(vectors, names).nearest(vectors, _LISTED, query_ids=names, by=by)
    return NearestLabels(predicted, judged, judged & (predicted != labels), found.positions, found.distances)


def _worst_of_nearest(found: Found, truth: Text, answers: Text) -> Text:
    """Label of the nearest of the answers for each query; empty where none is left."""
    there = found.positions >= 0
    labels = np.where(there, answers[found.positions], "")
    # Of those as near as the nearest, the first that would be wrong; the nearest if there is none.
    worse = (found.distances == found.distances[:, :1]) & there & (labels != truth[:, None])
    chosen = np.where(worse.any(axis=1), worse.argmax(axis=1), 0)
    nearest: Text = labels[np.arange(len(truth)), chosen].astype(truth.dtype)
    return nearest


def count_wrong(nearest: NearestLabels, parts: Text) -> dict[str, dict[str, float]]:
    """For each part in which something was judged: ``n``, how many are ``wrong``, and their ``rate``."""
    counts = {}
    for part in np.unique(parts):
        rows = nearest.judged & (parts == part)
        if rows.any():
            n, wrong = int(rows.sum()), int((nearest.wrong & rows).sum())
            counts[str(part)] = {"n": n, "wrong": wrong, "rate": wrong / n}
    order = [*(part for part in (TRAINING, "val", "test") if part in counts)]
    return {part: counts[part] for part in [*order, *(part for part in counts if part not in order)]}
