"""What is evaluated: queries, a gallery, their labels, and which images must not be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.exact import Float32, Ids, Int64, vectors


@dataclass(frozen=True)
class Setting:
    """Checked input of an evaluation.

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


def make_setting(
    gallery: Any,
    gallery_labels: Any,
    query: Any = None,
    query_labels: Any = None,
    *,
    gallery_ids: Ids | None = None,
    query_ids: Ids | None = None,
) -> Setting:
    """Check the input of an evaluation; see :func:`doppelgram.evaluation.evaluate.evaluate_embeddings`.

    Raises:
        DoppelgramError: unusable embeddings, a missing label, lengths or dimensions that do not fit, ids or labels
            for one side only.
    """
    gallery = vectors(gallery, "gallery")
    leave_one_out = query is None
    if leave_one_out:
        if query_labels is not None or query_ids is not None:
            raise DoppelgramError("query_labels or query_ids are given but no query embeddings; give those too")
        names, codes = _classes(_labels(gallery_labels, len(gallery), "gallery"))
        images = np.arange(len(gallery))
        if gallery_ids is not None:
            images = _numbers(_listed(gallery_ids, len(gallery), "gallery", "ids"))
        return Setting(gallery, gallery, codes, codes, names, images, images, True)
    query = vectors(query, "query")
    if query.shape[1] != gallery.shape[1]:
        raise DoppelgramError(
            f"the queries have {query.shape[1]} dimensions and the gallery {gallery.shape[1]}; "
            "embed both with the same model"
        )
    if query_labels is None:
        raise DoppelgramError("query embeddings are given but no query_labels; give one label a query")
    n = len(gallery)
    both = _labels(gallery_labels, n, "gallery") + _labels(query_labels, len(query), "query")
    names, codes = _classes(both)
    images = np.arange(n + len(query))
    if (gallery_ids is None) != (query_ids is None):
        raise DoppelgramError("ids are given for one of gallery and query only; give both, or neither")
    if gallery_ids is not None and query_ids is not None:
        ids = _listed(gallery_ids, n, "gallery", "ids") + _listed(query_ids, len(query), "query", "ids")
        images = _numbers(ids)
    return Setting(query, gallery, codes[n:], codes[:n], names, images[n:], images[:n], False)


def _numbers(ids: list[Any]) -> Int64:
    seen: dict[Any, int] = {}
    return np.fromiter((seen.setdefault(name, len(seen)) for name in ids), dtype=np.int64, count=len(ids))


def _listed(values: Any, count: int, side: str, what: str) -> list[Any]:
    listed = list(values.tolist() if hasattr(values, "tolist") else values)
    if len(listed) != count:
        raise DoppelgramError(f"{side}: {count} embeddings but {len(listed)} {what}; give one an image")
    return listed


def _labels(labels: Any, count: int, side: str) -> list[Any]:
    listed = _listed(labels, count, side, "labels")
    for row, label in enumerate(listed):
        if label is None or label == "" or label != label:
            raise DoppelgramError(f"{side}: the image in row {row} has no label; leave unlabelled images out")
    return listed


def _classes(labels: list[Any]) -> tuple[NDArray[Any], Int64]:
    if len({isinstance(label, str) for label in labels}) > 1:
        raise DoppelgramError("labels are text for some images and numbers for others; use one kind")
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    return names, codes.astype(np.int64)
