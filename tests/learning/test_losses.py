"""Our losses against triple loops and against pytorch-metric-learning, gradients included."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pytorch_metric_learning import losses as oracle
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.learning.losses import ContrastiveLoss, MetricLoss, PairBCELoss, TripletMarginLoss
from doppelgram.learning.miners import BatchHardMiner, RandomMiner, SemiHardMiner
from doppelgram.learning.tuples import Tuples, all_pairs

LOSSES: list[Callable[[], MetricLoss]] = [
    ContrastiveLoss,
    lambda: ContrastiveLoss(0.2, 1.0, squared=True, reduction="all"),
    TripletMarginLoss,
    lambda: TripletMarginLoss(soft=True),
    lambda: TripletMarginLoss(swap=True),
    PairBCELoss,
]
RAW = LpDistance(normalize_embeddings=False)


def batch(dtype: torch.dtype = torch.float64, size: int = 26, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(size, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 5, (size,), generator=generator)
    return torch.nn.functional.normalize(points, dim=1).to(dtype).requires_grad_(), labels


def gradient(loss: Tensor, points: Tensor) -> Tensor:
    return torch.autograd.grad(loss, points)[0]


def looped_triplet_loss(points: Tensor, labels: Tensor, margin: float, soft: bool, swap: bool, active: bool) -> Tensor:
    terms = []
    for a, p, n in itertools.product(range(len(labels)), repeat=3):
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]:
            near, far = (points[a] - points[p]).norm(), (points[a] - points[n]).norm()
            if swap:
                far = torch.minimum(far, (points[p] - points[n]).norm())
            violation = near - far + margin
            terms.append(torch.log1p(violation.exp()) if soft else violation.clamp_min(0))
    kept = [term for term in terms if term > 0] if active else terms
    return torch.stack(kept).mean()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize(("soft", "swap"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_all_triplets_against_the_triple_loop(
    dtype: torch.dtype, active: bool, soft: bool, swap: bool, margin: float
) -> None:
    points, labels = batch(dtype, size=12)
    ours = TripletMarginLoss(margin, soft, swap, "active" if active else "all")(points, labels)
    wanted = looped_triplet_loss(points, labels, margin, soft, swap, active)
    assert ours.dtype == dtype
    assert torch.allclose(ours, wanted)
    assert torch.allclose(gradient(ours, points), gradient(wanted, points), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("miner", [None, BatchHardMiner(), SemiHardMiner(), RandomMiner()])
@pytest.mark.parametrize("reduction", ["active", "all"])
@pytest.mark.parametrize("variant", ["plain", "soft", "swap"])
def test_triplet_loss_against_library(dtype: torch.dtype, miner: object, reduction: str, variant: str) -> None:
    points, labels = batch(dtype, size=40)
    tuples = miner(points, labels) if callable(miner) else None
    ours = TripletMarginLoss(0.15, variant == "soft", variant == "swap", reduction)(points, labels, tuples)  # type: ignore[arg-type]
    theirs = oracle.TripletMarginLoss(
        0.15, variant == "swap", variant == "soft", distance=RAW, reducer=MeanReducer() if reduction == "all" else None
    )(points, labels, tuples)
    # the library's distance of two rows adds 1e-6 to each coordinate
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert torch.allclose(gradient(ours, points), gradient(theirs, points), atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("mined", [False, True])
@pytest.mark.parametrize("reduction", ["active", "all"])
def test_contrastive_loss_against_library(dtype: torch.dtype, mined: bool, reduction: str) -> None:
    points, labels = batch(dtype, size=40)
    tuples = BatchHardMiner()(points, labels) if mined else None
    ours = ContrastiveLoss(0.1, 1.1, reduction=reduction)(points, labels, tuples)  # type: ignore[arg-type]
    theirs = oracle.ContrastiveLoss(0.1, 1.1, distance=RAW, reducer=MeanReducer() if reduction == "all" else None)(
        points, labels, tuples
    )
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert torch.allclose(gradient(ours, points), gradient(theirs, points), atol=1e-5)


def test_squared_contrastive_loss_by_hand() -> None:
    points = torch.tensor([[0.0], [0.5], [0.75], [2.0]])
    labels = torch.tensor([0, 0, 1, 1])
    # positives 0.5 and 1.25, both ways; negatives 0.75, 2, 0.25, 1.5, of which one is within the margin
    loss = ContrastiveLoss(0.0, 0.5, squared=True)(points, labels)
    assert loss.item() == pytest.approx((0.25 + 1.5625) / 2 + 0.0625)


@pytest.mark.parametrize("balanced", [True, False])
def test_pair_bce_against_its_definition(balanced: bool) -> None:
    points, labels = batch(size=14)
    loss = PairBCELoss(slope=3.0, intercept=1.5, balanced=balanced).double()
    a1, p, a2, n = all_pairs(labels)
    near, far = (points[a1] - points[p]).norm(dim=1), (points[a2] - points[n]).norm(dim=1)
    assert torch.allclose(loss.probability(near), 1 / (1 + torch.exp(3 * near - 1.5)))
    terms = -torch.log(loss.probability(near)), -torch.log(1 - loss.probability(far))
    wanted = (terms[0].mean() + terms[1].mean()) / 2 if balanced else torch.cat(terms).mean()
    assert torch.allclose(loss(points, labels), wanted)


def test_pair_bce_calibrates_a_distance() -> None:
    torch.manual_seed(0)
    points = torch.cat((torch.randn(40, 1), torch.randn(40, 1) + 3.0))
    labels = torch.arange(2).repeat_interleave(40)
    loss = PairBCELoss(slope=0.1, intercept=-2.0)
    assert loss.slope.item() == pytest.approx(0.1)
    assert {name for name, _ in loss.named_parameters()} == {"raw_slope", "intercept"}
    optimiser = torch.optim.Adam(loss.params, lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        value = loss(points, labels)
        value.backward()
        optimiser.step()
    assert value.item() < 0.45
    assert loss.slope.item() > 0
    assert 1.0 < (loss.intercept / loss.slope).item() < 3.0  # where alike and unlike are equally probable


@pytest.mark.parametrize("make", [ContrastiveLoss, lambda: TripletMarginLoss(soft=True), PairBCELoss])
@pytest.mark.parametrize("mined", [True, False])
def test_numerical_gradient_where_smooth(make: Callable[[], MetricLoss], mined: bool) -> None:
    points, labels = batch(size=9)
    loss = make().double()
    tuples = BatchHardMiner()(points, labels) if mined else None
    if mined or not isinstance(loss, TripletMarginLoss):
        assert torch.autograd.gradcheck(lambda x: loss(x, labels, tuples), (points,))
        return
    # the walk through implied triplets gives its value and its gradient separately: difference quotients by hand
    exact, step = gradient(loss(points, labels), points), 1e-6
    for row, column in [(0, 0), (3, 2), (8, 5)]:
        shift = torch.zeros_like(points)
        shift[row, column] = step
        quotient = (loss(points + shift, labels) - loss(points - shift, labels)) / (2 * step)
        assert quotient.item() == pytest.approx(exact[row, column].item(), abs=1e-7)


@pytest.mark.parametrize("make", LOSSES)
def test_none_means_all_pairs_in_any_order(make: Callable[[], MetricLoss]) -> None:
    points, labels = batch()
    loss = make().double()
    a1, p, a2, n = all_pairs(labels)
    mixed_p, mixed_n = torch.randperm(len(p)), torch.randperm(len(n))
    shuffled: Tuples = (a1[mixed_p], p[mixed_p], a2[mixed_n], n[mixed_n])
    assert torch.allclose(loss(points, labels), loss(points, labels, shuffled))


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize("labels", [[0], [0, 0, 0], [0, 1, 2]], ids=["one image", "one class", "no pair alike"])
def test_batches_without_positives_or_negatives(make: Callable[[], MetricLoss], labels: list[int]) -> None:
    loss = make()
    points = torch.eye(len(labels), 4).mul(3).requires_grad_()  # far apart: no negative within a margin
    value = loss(points, torch.tensor(labels))
    value.backward()
    assert value.shape == ()
    assert points.grad is not None
    assert torch.isfinite(points.grad).all()
    assert all(parameter.grad is not None for parameter in loss.parameters())
    if isinstance(loss, TripletMarginLoss) or len(labels) == 1:
        assert value.item() == 0


@pytest.mark.parametrize("make", LOSSES)
def test_empty_tuples_cost_nothing(make: Callable[[], MetricLoss]) -> None:
    none = torch.zeros(0, dtype=torch.int64)
    for tuples in ((none, none, none), (none, none, none, none)):
        points, labels = batch()
        loss = make()
        value = loss(points, labels, tuples)
        value.backward()
        assert value.item() == 0
        assert torch.equal(points.grad, torch.zeros_like(points))
        assert loss.stats() == {"tuples": 0.0, "active": 0.0}


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize("size", [6, 40])
def test_identical_embeddings_give_finite_gradients(make: Callable[[], MetricLoss], size: int) -> None:
    points = torch.ones(size, 8).requires_grad_()
    make()(points, torch.arange(size) // 2).backward()
    assert points.grad is not None
    assert torch.isfinite(points.grad).all()


def peak_mib(status: Path) -> float:
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


@pytest.mark.parametrize("soft", [False, True])
def test_all_triplets_of_a_large_batch_need_no_cubic_memory(soft: bool) -> None:
    """Two classes of half the batch each: 2.1e9 triplets at 2048, which would take 8.6 GB at four bytes each."""
    size = 256 if soft else 2048
    points = torch.nn.functional.normalize(torch.randn(size, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    points.requires_grad_()
    labels = torch.arange(size) % 2
    loss = TripletMarginLoss(soft=soft)
    status = Path("/proc/self/status")  # Linux; elsewhere it has to be enough that the loss comes back
    before = peak_mib(status)
    loss(points, labels).backward()
    assert peak_mib(status) - before < 1024
    assert points.grad is not None
    assert torch.isfinite(points.grad).all()
    assert loss.stats()["tuples"] == size * (size // 2 - 1) * (size // 2)


def test_half_precision_embeddings_are_measured_in_single() -> None:
    points, labels = batch(torch.float32)
    half = points.detach().to(torch.bfloat16).requires_grad_()
    value = TripletMarginLoss()(half, labels)
    assert value.dtype == torch.float32
    assert value.item() == TripletMarginLoss()(half.detach().float(), labels).item()
    assert gradient(value, half).dtype == torch.bfloat16


def test_stats_of_the_last_batch_and_of_a_given_one() -> None:
    points, labels = torch.tensor([[0.0], [0.5], [0.75], [2.0]]), torch.tensor([0, 0, 1, 1])
    loss = TripletMarginLoss(margin=0.3)
    assert loss.stats() == {}
    loss(points, labels)
    # a->p distances 0.5 0.5 1.25 1.25; violated: (0,1,2) (1,0,2) (2,3,0) (2,3,1), and (3,2,1): 1.25 - 1.5 + 0.3
    stats = loss.stats()
    assert stats == {"tuples": 8, "active": 5 / 8, "positive_distance": 0.875, "negative_distance": 1.125}
    assert TripletMarginLoss(margin=0.3).stats(points, labels) == stats
    assert TripletMarginLoss(margin=0.3, swap=True).stats(points, labels)["active"] == 6 / 8
    assert ContrastiveLoss(0.6, 0.5).stats(points, labels) == stats | {"tuples": 12, "active": pytest.approx(4 / 12)}
    mined = (torch.tensor([0]), torch.tensor([1]), torch.tensor([3]))
    assert loss.stats(points, labels, mined) == {
        "tuples": 1,
        "active": 0,
        "positive_distance": 0.5,
        "negative_distance": 2.0,
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TripletMarginLoss(margin=-0.1), "margin must be 0 or more, not -0.1"),
        (lambda: TripletMarginLoss(margin=math.nan), "margin must be 0 or more"),
        (lambda: TripletMarginLoss(reduction="mean"), '"active" or "all", not \'mean\''),  # type: ignore[arg-type]
        (lambda: ContrastiveLoss(negative_margin=-1), "negative_margin must be 0 or more"),
        (lambda: PairBCELoss(slope=0), "slope must be above 0"),
    ],
)
def test_bad_parameters_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(DoppelgramError, match=message):
        make()


def test_the_share_of_violated_triplets_is_that_of_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.rand(14, 3, generator=generator)
    labels = torch.randint(0, 4, (14,), generator=generator)
    distances = torch.cdist(embeddings, embeddings)
    triplets = [
        (a, p, n)
        for a in range(14)
        for p in range(14)
        for n in range(14)
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    ]
    violated = [distances[a, n] < distances[a, p] + 0.2 for a, p, n in triplets]
    assert TripletMarginLoss(margin=0.2).violated(embeddings, labels) == pytest.approx(sum(violated) / len(triplets))
    assert TripletMarginLoss().violated(embeddings[:2], torch.tensor([0, 1])) == 0.0
