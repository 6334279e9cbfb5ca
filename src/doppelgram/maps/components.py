"""Principal components: the directions in which embeddings vary most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from doppelgram.space.exact import Float64


@dataclass(frozen=True)
class Components:
    """The first principal components of some vectors.

    Attributes:
        mean: (d,) of the vectors.
        axes: (k, d) orthonormal rows, most variance first; the entry of largest size in each is positive, which
            makes the picture of the same vectors always the same way round.
        shares: (k,) of the vectors' variance that each axis holds; 0 where they do not vary at all.
    """

    mean: Float64
    axes: Float64
    shares: Float64

    def place(self, vectors: Any) -> Float64:
        """Coordinates (m, k) of vectors (m, d)."""
        placed: Float64 = (np.asarray(vectors, dtype=np.float64) - self.mean) @ self.axes.T
        return placed


def principal_components(vectors: Any) -> Components:
    """Two principal components of vectors, by eigenvectors of the smaller of their two scatter matrices.

    Args:
        vectors: (n, d), n >= 2; axes beyond their rank are zero.
    """
    values = np.asarray(vectors, dtype=np.float64)
    mean = values.mean(axis=0)
    centred = values - mean
    rows, width = centred.shape
    tall = rows >= width
    squares, found = np.linalg.eigh(centred.T @ centred if tall else centred @ centred.T)
    squares, found = squares[::-1][:2], found[:, ::-1][:, :2]
    axes = np.zeros((2, width))
    total = float(np.einsum("ij,ij->", centred, centred))
    kept = squares > 1e-12 * max(total, np.finfo(np.float64).tiny)
    basis = found.T if tall else (centred.T @ found).T
    for row in np.flatnonzero(kept):
        axis = basis[row] / np.linalg.norm(basis[row])
        axes[row] = axis * np.sign(axis[np.abs(axis).argmax()])
    shares = np.zeros(2)
    shares[: len(squares)][kept] = squares[kept] / (total or 1.0)
    return Components(mean, axes, shares)
