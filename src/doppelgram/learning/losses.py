"""Doppelgram's own metric-learning losses: contrastive, triplet margin, and the calibrated pair probability.

Every loss is called as ``loss(embeddings, labels, tuples)``:

* ``embeddings``: (b, d) float; distances are Euclidean and nothing is normalised here;
* ``labels``: (b,) int64, equal for images that are alike;
* ``tuples``: triplets, pairs, or None for all pairs of the batch (see :mod:`doppelgram.learning.tuples`);

and returns a scalar that can always be differentiated: a batch with nothing to learn from costs 0.
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, sigmoid, softplus

from doppelgram.errors import DoppelgramError
from doppelgram.learning.distances import at_least_float32, distance_matrix, pair_distances
from doppelgram.learning.tuples import Tuples, active_counts, all_pairs, count_triplets, to_pairs, triplet_blocks

Reduction = Literal["active", "all"]


class MetricLoss(nn.Module):
    """What every loss offers, ours or wrapped.

    Attributes:
        needs_classes: a classification loss, with a weight vector of its own for every class.
        takes_tuples: whether mined tuples change anything.
    """

    needs_classes: bool = False
    takes_tuples: bool = True

    def __init__(self) -> None:
        super().__init__()
        self._stats: dict[str, Tensor | float] = {}

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"loss '{type(self).__name__}'"

    @property
    def params(self) -> list[nn.Parameter]:
        """The loss's own trainable parameters, for an optimiser group of their own; often empty."""
        return list(self.parameters())

    def stats(
        self, embeddings: Tensor | None = None, labels: Tensor | None = None, tuples: Tuples | None = None
    ) -> dict[str, float]:
        """Figures of the last forward pass, or of a batch if one is given, that show how training goes.

        "tuples": number of triplets (or of pairs, for a loss on pairs); "active": share of them with a loss above zero;
        "positive_distance" and "negative_distance": means over the pairs used. A figure that does not apply is left
        out.
        """
        if embeddings is not None and labels is not None:
            with torch.no_grad():
                self(embeddings, labels, tuples)
        return {name: float(value) for name, value in self._stats.items()}

    def _record(self, positive: Tensor, negative: Tensor, active: Tensor | float, tuples: int) -> None:
        self._stats = {"tuples": tuples, "active": active / tuples if tuples else 0.0}
        if positive.numel():
            self._stats["positive_distance"] = positive.detach().mean()
        if negative.numel():
            self._stats["negative_distance"] = negative.detach().mean()

    def _zero(self, embeddings: Tensor) -> Tensor:
        """Zero that depends on the embeddings and on every parameter, as distributed training demands."""
        parts: list[Tensor] = [at_least_float32(embeddings), *self.parameters()]
        return torch.stack([0.0 * part.sum() for part in parts]).sum()


class ContrastiveLoss(MetricLoss):
    """Pull positive pairs together, push negative pairs beyond a margin (Hadsell, Chopra and LeCun 2006).

    The loss is the mean of relu(d - positive_margin) over positive pairs plus the mean of relu(negative_margin - d)
    over negative pairs, so that the many negatives do not outweigh the few positives. A side without pairs adds 0.

    Args:
        positive_margin: distance up to which a positive pair costs nothing.
        negative_margin: distance from which a negative pair costs nothing.
        squared: square each pair's term, as in the paper. The margins known to work (0.4 to 0.55 on unit vectors, "A
            Metric Learning Reality Check", 2020) belong to the linear form.
        reduction: each mean runs over the pairs with a non-zero term ("active") or over all ("all").
    """

    def __init__(
        self,
        positive_margin: float = 0.0,
        negative_margin: float = 0.5,
        squared: bool = False,
        reduction: Reduction = "active",
    ) -> None:
        super().__init__()
        self.positive_margin = _not_negative("positive_margin", positive_margin)
        self.negative_margin = _not_negative("negative_margin", negative_margin)
        self.squared = squared
        self.reduction = _reduction(reduction)

    def forward(self, embeddings: Tensor, labels: Tensor, tuples: Tuples | None = None) -> Tensor:
        """Return the scalar loss of a batch."""
        positive, negative = _distances_of_pairs(embeddings, labels, tuples)
        terms = relu(positive - self.positive_margin), relu(self.negative_margin - negative)
        counts = [(term > 0).sum() for term in terms]
        self._record(positive, negative, counts[0] + counts[1], positive.numel() + negative.numel())
        loss = self._zero(embeddings)
        for term, count in zip(terms, counts, strict=True):
            divisor = count if self.reduction == "active" else torch.full_like(count, term.numel())
            loss = loss + (term.square() if self.squared else term).sum() / divisor.clamp_min(1)
        return loss


class TripletMarginLoss(MetricLoss):
    """The negative of every triplet should be farther than the positive by a margin (Schroff et al. 2015).

    A triplet costs relu(d(a, p) - d(a, n) + margin), or softplus of the same if ``soft`` (Hermans et al. 2017). Pairs
    (and None, all pairs of the batch) stand for all the triplets they imply, which are not listed: the hinge takes
    O(B^2 log B) time, ``soft`` and ``swap`` time proportional to the triplets. Memory is O(B^2) either way.

    Args:
        margin: in units of distance.
        soft: softplus instead of the hinge; every triplet then stays active.
        swap: take min(d(a, n), d(p, n)) for the negative distance (Balntas et al. 2016).
        reduction: mean over the triplets with a non-zero loss ("active", the default) or over all ("all").
    """

    def __init__(
        self, margin: float = 0.1, soft: bool = False, swap: bool = False, reduction: Reduction = "active"
    ) -> None:
        super().__init__()
        self.margin = _not_negative("margin", margin)
        self.soft = soft
        self.swap = swap
        self.reduction = _reduction(reduction)

    def forward(self, embeddings: Tensor, labels: Tensor, tuples: Tuples | None = None) -> Tensor:
        """Return the scalar loss of a batch."""
        tuples = all_pairs(labels) if tuples is None else tuples
        count = count_triplets(tuples, len(labels))
        if count == 0:
            self._stats = {"tuples": 0.0, "active": 0.0}
            return self._zero(embeddings)
        if len(tuples) == 3:
            total, active = self._listed(embeddings, *tuples)
        elif self.soft or self.swap:
            total, active = self._walked(embeddings, *tuples)
        else:
            total, active = self._counted(embeddings, *tuples)
        self._stats |= {"tuples": count, "active": active / count}
        loss: Tensor = total / (active.clamp_min(1) if self.reduction == "active" else count)
        return loss

    @torch.no_grad()
    def violated(self, embeddings: Tensor, labels: Tensor) -> float:
        """Share of all triplets of a batch whose negative is not farther by the margin.

        A miner often chooses triplets because they are violated; this share can be compared between miners.
        """
        pairs = a1, p, a2, n = all_pairs(labels)
        count = count_triplets(pairs, len(labels))
        if not count:
            return 0.0
        embeddings = embeddings.detach()
        positive, negative = pair_distances(embeddings, a1, p), pair_distances(embeddings, a2, n)
        return float(active_counts(positive, a1, negative, a2, self.margin, len(labels))[0].sum()) / count

    def _listed(self, embeddings: Tensor, a: Tensor, p: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        """Sum of the losses of listed triplets, and how many are active."""
        first, second = ([a, a, p], [p, n, n]) if self.swap else ([a, a], [p, n])
        distances = pair_distances(embeddings, torch.cat(first), torch.cat(second)).view(-1, a.numel())
        self._record(distances[0], distances[1], 0.0, 0)
        losses = self._cost(distances[0], torch.minimum(distances[1], distances[-1]) if self.swap else distances[1])
        return losses.sum(), (losses > 0).sum()

    def _counted(self, embeddings: Tensor, a1: Tensor, p: Tensor, a2: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        """The same for the triplets that pairs imply, by counting each pair's active triplets."""
        distances = pair_distances(embeddings, torch.cat((a1, a2)), torch.cat((p, n)))
        positive, negative = distances[: a1.numel()], distances[a1.numel() :]
        self._record(positive, negative, 0.0, 0)
        k, w = active_counts(positive.detach(), a1, negative.detach(), a2, self.margin, len(embeddings))
        # two large sums nearly cancel: add them up in double precision
        total = (k * (positive.double() + self.margin)).sum() - (w * negative.double()).sum()
        return total.to(distances.dtype), k.sum()

    def _walked(self, embeddings: Tensor, a1: Tensor, p: Tensor, a2: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        """The same for losses that need every implied triplet in turn.

        The blocks leave behind only the derivative by each distance, a (b, b) table. The sum of distances weighted
        with it has the gradient sought, and is given the value that the blocks added up.
        """
        batch = len(embeddings)
        table = distance_matrix(embeddings)
        self._record(table[a1, p], table[a2, n], 0.0, 0)
        slopes = torch.zeros_like(table).view(-1)
        value = torch.zeros((), dtype=torch.float64, device=table.device)
        active = torch.zeros((), dtype=torch.int64, device=table.device)
        for anchor, near, far in triplet_blocks((a1, p, a2, n), batch):
            with torch.no_grad():
                other = anchor
                if self.swap:
                    other = torch.where(table[near, far] < table[anchor, far], near, anchor)
                violation = table[anchor, near] - table[other, far] + self.margin
                slope = sigmoid(violation) if self.soft else (violation > 0).to(table.dtype)
                slopes.index_add_(0, anchor * batch + near, slope).index_add_(0, other * batch + far, slope, alpha=-1)
                value += (softplus(violation) if self.soft else relu(violation)).sum(dtype=torch.float64)
                active += (violation > 0).sum() if not self.soft else violation.numel()
        first, second = slopes.view(batch, batch).nonzero(as_tuple=True)
        weighted = (slopes[first * batch + second] * pair_distances(embeddings, first, second)).sum()
        return weighted + (value - weighted.detach()).to(weighted.dtype), active

    def _cost(self, positive: Tensor, negative: Tensor) -> Tensor:
        violation = positive - negative + self.margin
        return softplus(violation) if self.soft else relu(violation)


class PairBCELoss(MetricLoss):
    """Binary cross-entropy of p(alike) = sigmoid(-a d + b), with a > 0 and b learned along with the embedding.

    It is Platt's scaling (1999) of the distance d, so the trained loss gives the probability that two images are alike
    (`probability`). a = softplus(raw_slope) cannot become negative. The means over positive and negative pairs weigh
    the same, whatever their numbers; p is then a probability for a case with even odds.

    Args:
        slope: a to start from.
        intercept: b to start from; p is 1/2 at distance b / a.
        balanced: give both kinds of pair the same weight; False takes one mean over all pairs.
    """

    def __init__(self, slope: float = 5.0, intercept: float = 5.0, balanced: bool = True) -> None:
        super().__init__()
        if not slope > 0:
            raise DoppelgramError(f"Loss parameter slope must be above 0, not {slope}.")
        self.raw_slope = nn.Parameter(torch.tensor(slope + math.log(-math.expm1(-slope))))
        self.intercept = nn.Parameter(torch.tensor(float(intercept)))
        self.balanced = balanced

    @property
    def slope(self) -> Tensor:
        """The slope a > 0 (scalar)."""
        return softplus(self.raw_slope)

    def probability(self, distances: Tensor) -> Tensor:
        """Probability that pairs at these distances are alike, same shape."""
        return sigmoid(self.intercept - self.slope * distances)

    def forward(self, embeddings: Tensor, labels: Tensor, tuples: Tuples | None = None) -> Tensor:
        """Return the scalar loss of a batch."""
        positive, negative = _distances_of_pairs(embeddings, labels, tuples)
        count = positive.numel() + negative.numel()
        self._record(positive, negative, float(count), count)
        # -log sigmoid(z) = softplus(-z), which does not overflow
        losses = softplus(self.slope * positive - self.intercept), softplus(self.intercept - self.slope * negative)
        kept = [part for part in losses if part.numel()]
        if not kept:
            return self._zero(embeddings)
        return torch.stack([part.mean() for part in kept]).mean() if self.balanced else torch.cat(kept).mean()


def _distances_of_pairs(embeddings: Tensor, labels: Tensor, tuples: Tuples | None) -> tuple[Tensor, Tensor]:
    """Distances (with gradient) of the positive and of the negative pairs."""
    a1, p, a2, n = all_pairs(labels) if tuples is None else to_pairs(tuples)
    distances = pair_distances(embeddings, torch.cat((a1, a2)), torch.cat((p, n)))
    return distances[: a1.numel()], distances[a1.numel() :]


def _not_negative(name: str, value: float) -> float:
    if not value >= 0:
        raise DoppelgramError(f"Loss parameter {name} must be 0 or more, not {value}.")
    return float(value)


def _reduction(value: Reduction) -> Reduction:
    if value not in get_args(Reduction):
        raise DoppelgramError(f'Loss parameter reduction must be "active" or "all", not {value!r}.')
    return value
