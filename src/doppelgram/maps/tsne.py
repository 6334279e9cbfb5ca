"""t-SNE of vectors, and places for new vectors in a finished map (van der Maaten and Hinton 2008)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from doppelgram.images.ordered import processors
from doppelgram.maps.components import Components
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float32, Float64, Int64

# Up to here neighbours are exact; beyond, the search would take longer than the map.
_EXACT_UP_TO = 50_000
# Interpolation (Linderman et al. 2019) costs by the map's extent, the Barnes-Hut tree by its points. While attraction
# is exaggerated the map is small: of 9,228 images on two cores 250 such steps took 4.6 s by interpolation and 11.1 s by
# the tree, 500 steps of the spread-out map 35.2 s and 20.2 s.
_INTERPOLATE_FROM, _INTERPOLATE_SPREAD_FROM = 4_000, 15_000
# Spread at the start: small, so that the first forces and not the components decide (Kobak and Berens 2019).
_FIRST_SPREAD = 1e-4
# With attraction exaggerated, and then without.
_STEPS = (250, 500)
# New points are drawn to few neighbours, and gently: the map around them does not give way.
_PLACE_PERPLEXITY, _PLACE_STEPS = 5.0, 250


def usable_perplexity(wanted: float, count: int) -> float:
    """The perplexity that ``count`` images allow: a third of the others at most, and never less than 1.5."""
    return float(min(wanted, max((count - 1) / 3, 1.5)))


def fit_tsne(vectors: Float32, components: Components, *, perplexity: float, seed: int) -> Float64:
    """Places of vectors in the plane; the same arguments give the same places.

    Starts from the two principal components. 250 steps with attraction exaggerated 12 times, 500 without, learning
    rate n / exaggeration (Belkina et al. 2019).

    Args:
        vectors: (n, d), n >= 3.
        components: of these vectors.
        perplexity: as `usable_perplexity` gives it.
        seed: of the tiny shift that tells equal vectors apart.

    Returns:
        (n, 2), centred.
    """
    from openTSNE.affinity import PrecomputedAffinities, joint_probabilities_nn
    from openTSNE.tsne import TSNEEmbedding

    jobs = _threads()
    near, distances = _neighbours(vectors, perplexity, seed)
    chances = joint_probabilities_nn(near, distances, [perplexity], n_jobs=jobs)
    start = components.place(vectors)
    start *= _FIRST_SPREAD / (start[:, 0].std() or 1.0)
    start += np.random.default_rng(seed).normal(scale=_FIRST_SPREAD / 100, size=start.shape)
    affinities = PrecomputedAffinities(chances, normalize=False)
    embedding = TSNEEmbedding(start, affinities, n_jobs=jobs)
    for steps, exaggeration, from_ in (
        (_STEPS[0], 12, _INTERPOLATE_FROM),
        (_STEPS[1], 1, _INTERPOLATE_SPREAD_FROM),
    ):
        embedding.optimize(
            steps,
            exaggeration=exaggeration,
            momentum=0.8,
            inplace=True,
            propagate_exception=True,
            negative_gradient_method=_method(len(vectors), from_),
        )
    points = np.array(embedding, dtype=np.float64)
    points -= (points.max(axis=0) + points.min(axis=0)) / 2
    return points


def place_tsne(new: Float32, vectors: Float32, points: Float64) -> Float64:
    """Places of new vectors in a finished map, each found without regard to the other new ones.

    Each starts in the middle of its neighbours and is moved by the same forces that made the map (Policar, Strazar
    and Zupan 2023); the map's own points stay.

    Args:
        new: (m, d).
        vectors: (n, d) of the map.
        points: (n, 2) of the map.

    Returns:
        (m, 2).
    """
    from openTSNE.affinity import PrecomputedAffinities, joint_probabilities_nn
    from openTSNE.tsne import PartialTSNEEmbedding, TSNEEmbedding
    from scipy.sparse import csr_matrix

    jobs = _threads()
    perplexity = min(_PLACE_PERPLEXITY, usable_perplexity(_PLACE_PERPLEXITY, len(vectors)))
    count = min(len(vectors), int(3 * perplexity))
    near, distances, *_ = EuclideanSpace(vectors.shape[1]).index(vectors).nearest(new, count)
    chances = joint_probabilities_nn(
        near.astype(np.int32),
        distances.astype(np.float64),
        [perplexity],
        symmetrize=False,
        normalization="point-wise",
        n_reference_samples=len(vectors),
        n_jobs=jobs,
    )
    # The interpolation wants the map centred, and centres it where it lies: it is given a copy.
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    # The forces among its own points play no part any more.
    none = PrecomputedAffinities(csr_matrix((len(points), len(points))), normalize=False)
    fixed = TSNEEmbedding(points - middle, none)
    method = _method(len(vectors), _INTERPOLATE_SPREAD_FROM)
    placed = PartialTSNEEmbedding(
        np.median(points[near], axis=1) - middle, fixed, chances, n_jobs=jobs, negative_gradient_method=method
    )
    placed.optimize(
        _PLACE_STEPS,
        learning_rate=0.1,
        exaggeration=1.5,
        momentum=0.8,
        max_grad_norm=0.25,
        max_step_norm=None,
        inplace=True,
        propagate_exception=True,
    )
    placed_points: Float64 = np.array(placed, dtype=np.float64) + middle
    return placed_points


def _threads() -> int:
    """A thread a processor, or as many as the usual variable of OpenMP allows, which the library does not look at."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(processors(), int(allowed)) if allowed.isdecimal() and int(allowed) > 0 else processors()


def _method(count: int, interpolate_from: int) -> str:
    return "fft" if count >= interpolate_from else "bh"


def _neighbours(vectors: Float32, perplexity: float, seed: int) -> tuple[Any, Any]:
    """Rows (n, k) and distances (n, k) of the neighbours that a perplexity needs, itself left out."""
    count = min(len(vectors) - 1, max(2, int(3 * perplexity)))
    if len(vectors) > _EXACT_UP_TO:
        from openTSNE.nearest_neighbors import Annoy

        return Annoy(data=vectors, k=count, metric="euclidean", n_jobs=1, random_state=seed).build()  # type: ignore[no-any-return]
    rows: Int64 = np.arange(len(vectors))
    near, distances, *_ = EuclideanSpace(vectors.shape[1]).index(vectors, rows).nearest(vectors, count, query_ids=rows)
    return near.astype(np.int32), distances.astype(np.float64)
