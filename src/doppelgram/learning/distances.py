"""Euclidean distances between the rows of a batch, made for mining and for losses.

Mining needs every pair and no gradient: `distance_matrix`. A loss needs chosen pairs and a gradient that stays finite
where two embeddings coincide: `pair_distances`. Nothing is normalised here. Both functions switch automatic mixed
precision off, because half-precision products would spoil a difference of nearly equal numbers.
"""

from typing import Any

import torch
from torch import Tensor

# Above this multiple of B x B numbers, gathering both rows of every pair costs more memory than the whole matrix.
_GATHER_LIMIT = 4
# A squared distance below this many rounding steps of its terms is noise: the two embeddings count as equal.
_NOISE_STEPS = 8.0


def at_least_float32(embeddings: Tensor) -> Tensor:
    """Return ``embeddings`` as float32 if they are half precision, else unchanged."""
    return embeddings.float() if embeddings.dtype in (torch.float16, torch.bfloat16) else embeddings


def distance_matrix(embeddings: Tensor, *, squared: bool = False) -> Tensor:
    """Distances between all rows of a batch, without gradient.

    The batch is centred first, so that embeddings in a small cloud far from the origin keep their
    digits. Squared distances order pairs the same way and cost no root.

    Args:
        embeddings: (b, d).
        squared: return squared distances.

    Returns:
        (b, b), at least float32, not negative, zero on the diagonal.
    """
    with torch.no_grad(), torch.autocast(embeddings.device.type, enabled=False):
        products, norms = _products(at_least_float32(embeddings.detach()))
        squares = products.mul_(-2.0).add_(norms[:, None]).add_(norms[None, :]).clamp_min_(0.0)
        return squares if squared else squares.sqrt_()


def pair_distances(embeddings: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Distances of chosen pairs of rows, with gradient.

    The derivative is the unit vector between the two rows, and zero where they coincide (a subgradient, so that
    identical images never produce NaN). Few pairs are computed from their own rows in O(T d); many pairs (about
    all of the batch) from one matrix product, in O(B^2 + T) memory.

    Args:
        embeddings: (b, d).
        first, second: (t,) int64 rows.

    Returns:
        (t,) distances, at least float32.
    """
    distances: Tensor = _PairDistances.apply(at_least_float32(embeddings), first, second)  # type: ignore[no-untyped-call]
    return distances


def _products(embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """Inner products (b, b) of the centred rows and their diagonal, the squared norms (b,)."""
    centred = embeddings - embeddings.mean(dim=0, keepdim=True)
    products = centred @ centred.T
    # The diagonal of the same product, not a separate sum: equal rows then cancel to the last digit.
    return products, products.diagonal().clone()


class _PairDistances(torch.autograd.Function):
    """Distances of index pairs; the backward pass never builds more than the forward pass did."""

    @staticmethod
    def forward(ctx: Any, embeddings: Tensor, first: Tensor, second: Tensor) -> Tensor:
        rows, width = embeddings.shape
        ctx.dense = first.numel() * width > _GATHER_LIMIT * rows * rows
        with torch.autocast(embeddings.device.type, enabled=False):
            if not ctx.dense:
                difference = embeddings.index_select(0, first) - embeddings.index_select(0, second)
                distances: Tensor = torch.linalg.vector_norm(difference, dim=1)
                ctx.save_for_backward(difference, first, second, distances)
                ctx.rows = rows
                return distances
            products, norms = _products(embeddings)
            scale = norms[first] + norms[second]
            squares = scale - 2.0 * products.view(-1).index_select(0, first * rows + second)
            noise = _NOISE_STEPS * torch.finfo(squares.dtype).eps * scale
            distances = squares.masked_fill_(squares <= noise, 0.0).sqrt_()
        ctx.save_for_backward(embeddings, first, second, distances)
        return distances

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        data, first, second, distances = ctx.saved_tensors
        weight = torch.where(distances > 0, gradient / distances, 0.0)
        with torch.no_grad(), torch.autocast(data.device.type, enabled=False):
            if not ctx.dense:
                pull = data * weight[:, None]
                out = pull.new_zeros(ctx.rows, data.shape[1])
                out.index_add_(0, first, pull).index_add_(0, second, pull, alpha=-1)
                return out, None, None
            rows = data.shape[0]
            weights = weight.new_zeros(rows * rows).index_add_(0, first * rows + second, weight).view(rows, rows)
            weights = weights + weights.T
            # sum_j w_ij (x_i - x_j); centring keeps the two terms small where the cloud is small
            centred = data - data.mean(dim=0, keepdim=True)
            return weights.sum(dim=1, keepdim=True) * centred - weights @ centred, None, None
