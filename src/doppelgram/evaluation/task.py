"""What is evaluated: queries, a gallery, their labels, and which images must not be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.exact import Float32, Ids, Int64, listed, vectors


@dataclass(frozen=True)
class EmbeddedSet:
    """Embedded images and what is known of them.

    Attributes:
        vectors: (n, dim) float32.
        labels: n labels, text or numbers.
        ids: n names of images, such as content hashes; images of the same name are never compared. None: all differ.
        parts: n labels of each part of the space, where they are known, such as the places and the poses.
    """

    vectors: Any
    labels: Any
    ids: Ids | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RetrievalTask:
    """What is looked for in what: the checked input of an evaluation.

    Attributes:
        query: (q, d) embeddings; the gallery itself when leaving one out.
        gallery: (n, d) embeddings.
        query_codes: (q,) class of each query, a position in ``names``.
        gallery_codes: (n,) class of each gallery image.
        names: the classes, sorted.
        query_images: (q,) number of the image; two rows with the same number are the same image.
        gallery_images: (n,) likewise.
        leave_one_out: the gallery is its own set of queries.
    """

    query: Float32
    gallery: Float32
    query_codes: Int64
    gallery_codes: Int64
    names: NDArray[Any]
    query_images: Int64
    gallery_images: Int64
    leave_one_out: bool

    def same_image(self, rows: Int64) -> tuple[Int64, Int64]:
        """Comparisons that do not count: a query with itself or with a copy of itself under the same id.

        Args:
            rows: (r,) query rows.

        Returns:
            Positions in ``rows`` and the gallery rows to leave out for them, both (m,).
        """
        return expand_matches(self.query_images[rows], self.gallery_images)


def expand_matches(wanted: Int64, values: Int64) -> tuple[Int64, Int64]:
    """All (i, j) with ``wanted[i] == values[j]``, ordered by i and then j."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    start = np.searchsorted(ordered, wanted, side="left")
    sizes = np.searchsorted(ordered, wanted, side="right") - start
    owner = np.repeat(np.arange(len(wanted)), sizes)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return owner, order[start[owner] + within]


def make_task(gallery: EmbeddedSet, query: EmbeddedSet | None = None) -> RetrievalTask:
    """Check the input of an evaluation.

    Args:
        gallery: in which is searched.
        query: what is searched for; None to look for each gallery image among the others.

    Raises:
        DoppelgramError: unusable embeddings, a missing label, lengths or dimensions that do not fit, or ids of one side
            only.
    """
    found = vectors(gallery.vectors, "gallery")
    n = len(found)
    if query is None:
        names, codes = _classes(_labels(gallery.labels, n, "gallery"))
        images = np.arange(n)
        if gallery.ids is not None:
            images = _numbers(listed(gallery.ids, n, "gallery"))
        return RetrievalTask(found, found, codes, codes, names, images, images, True)
    asked = vectors(query.vectors, "queries", found.shape[1])
    names, codes = _classes(_labels(gallery.labels, n, "gallery") + _labels(query.labels, len(asked), "query"))
    images = np.arange(n + len(asked))
    if (gallery.ids is None) != (query.ids is None):
        raise DoppelgramError("ids are given for one of gallery and query only; give both, or neither")
    if gallery.ids is not None and query.ids is not None:
        images = _numbers(listed(gallery.ids, n, "gallery") + listed(query.ids, len(asked), "query"))
    return RetrievalTask(asked, found, codes[n:], codes[:n], names, images[n:], images[:n], False)


def _numbers(ids: list[Any]) -> Int64:
    seen: dict[Any, int] = {}
    return np.fromiter((seen.setdefault(name, len(seen)) for name in ids), dtype=np.int64, count=len(ids))


def _labels(labels: Any, count: int, side: str) -> list[Any]:
    names = listed(labels, count, side, "labels")
    for row, label in enumerate(names):
        if label is None or label == "" or label != label:
            raise DoppelgramError(f"{side}: the image in row {row} has no label; leave unlabelled images out")
    return names


def _classes(labels: list[Any]) -> tuple[NDArray[Any], Int64]:
    if len({isinstance(label, str) for label in labels}) > 1:
        raise DoppelgramError("labels are text for some images and numbers for others; use one kind")
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    return names, codes.astype(np.int64)
