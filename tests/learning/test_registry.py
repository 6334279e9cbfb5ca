"""Losses and miners by name: all of the library's are there, any goes with any, and mistakes are named."""

import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest
import torch
from pytorch_metric_learning import losses as library_losses
from pytorch_metric_learning import miners as library_miners
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.learning import losses, miners
from doppelgram.learning.losses import MetricLoss
from doppelgram.learning.registry import NoMiner, list_losses, list_miners, make_loss, make_miner
from doppelgram.learning.tuples import all_pairs

NEEDED = {"ranked_list": {"margin": 0.4, "Tn": 1}}
WITHOUT_TUPLES = {"instance", "p2s_grad", "pnp", "ranked_list", "smooth_ap"}
CLASSIFICATION = {
    "arcface",
    "cosface",
    "large_margin_softmax",
    "normalized_softmax",
    "p2s_grad",
    "proxy_anchor",
    "proxy_nca",
    "soft_triple",
    "sphereface",
    "subcenter_arcface",
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        yield
    torch.set_num_threads(threads)


def batch(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    points = torch.randn(24, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = (torch.arange(24) * 5 % 24) // 4
    return torch.nn.functional.normalize(points, dim=1).to(dtype).requires_grad_(), labels


def loss_named(name: str, **params: object) -> MetricLoss:
    torch.manual_seed(0)
    return make_loss(name, embedding_dim=16, classes=6, params=NEEDED.get(name, {}) | params)


def library_classes(module: object, ending: str) -> set[str]:
    bases = {"BaseMetricLossFunction", "GenericPairLoss", "BaseLossWrapper", "BaseMiner"}
    return {name for name in dir(module) if name.endswith(ending)} - bases


def test_every_loss_and_miner_of_the_library_is_offered_or_refused_with_a_reason() -> None:
    for name in library_classes(library_losses, "Loss") - {"GenericPairLoss"}:
        params = NEEDED["ranked_list"] if "Ranked" in name else {}
        if name in {"VICRegLoss", "ManifoldLoss", "SelfSupervisedLoss"}:
            with pytest.raises(DoppelgramError, match="is not offered: it learns without labels"):
                make_loss(name, embedding_dim=8, classes=3)
        else:
            assert type(make_loss(name, embedding_dim=8, classes=3, params=params).inner).__name__ == name
    for name in library_classes(library_miners, "Miner"):
        assert type(make_miner(name).inner).__name__ == name


def test_listed_names_are_distinct_and_known() -> None:
    for names in (list_losses(), list_miners()):
        assert len(names) == len(set(names))
    assert list_losses()[:3] == ["contrastive", "triplet", "bce"]
    assert list_miners()[:4] == ["none", "all", "semihard", "batchhard"]
    assert {name for name in list_losses() if loss_named(name).needs_classes} == CLASSIFICATION
    assert {name for name in list_losses() if not loss_named(name).takes_tuples} == WITHOUT_TUPLES


@pytest.mark.parametrize("name", list_losses())
def test_any_miner_goes_with_any_loss(name: str) -> None:
    loss = loss_named(name)
    for miner_name in [None, *list_miners()]:
        if miner_name and not loss.takes_tuples and not (miner_name == "none" and loss.needs_classes):
            with pytest.raises(DoppelgramError, match=r"takes no miner; leave out miner"):
                make_miner(miner_name, loss=loss)
            continue
        miner = make_miner(miner_name, loss=loss)
        points, labels = batch()
        value = loss(points, labels, miner(points, labels))
        value.backward()
        assert value.shape == (), miner_name
        assert torch.isfinite(value), miner_name
        assert points.grad is not None, miner_name
        assert torch.isfinite(points.grad).all(), miner_name
        stats = loss.stats()
        assert stats["tuples"] >= 0
        assert all(isinstance(figure, float) for figure in stats.values())


@pytest.mark.parametrize("name", sorted(set(list_losses()) - {"contrastive", "triplet", "bce"}))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wrapping_changes_nothing(name: str, dtype: torch.dtype) -> None:
    points, labels = batch(dtype)
    loss, same = loss_named(name), loss_named(name)
    assert torch.equal(loss(points, labels), same.inner(points, labels).reshape(()))  # type: ignore[operator]
    if loss.takes_tuples and name != "dynamic_soft_margin":  # its histogram has moved on
        tuples = library_miners.BatchHardMiner()(points, labels)
        assert torch.equal(loss(points, labels, tuples), same.inner(points, labels, tuples).reshape(()))  # type: ignore[operator]
        assert torch.equal(loss(points, labels, all_pairs(labels)), loss(points, labels))


def test_large_label_codes_survive() -> None:
    """The library casts labels; 2^24 and 2^24 + 1 are the same number in single precision."""
    points, labels = batch()
    far = labels + 2**24
    for name in ("supcon", "nca", "multi_similarity"):
        assert torch.equal(loss_named(name)(points, far), loss_named(name)(points, labels))
    for name in ("multi_similarity", "distance_weighted", "BatchHardMiner"):
        torch.manual_seed(0)
        first = make_miner(name)(points, labels)
        torch.manual_seed(0)
        assert first is not None
        assert all(torch.equal(x, y) for x, y in zip(first, make_miner(name)(points, far) or (), strict=True))


def test_histogram_loss_still_indexes_pairs() -> None:
    """The library indexes a matrix with a list of two lists, which PyTorch means to read differently one day."""
    points, labels = batch(torch.float64)
    similarity, upper = (points @ points.T).detach(), torch.ones(24, 24, dtype=torch.bool).triu(1)
    same = labels[:, None] == labels[None, :]

    def density(values: Tensor) -> Tensor:
        nodes = torch.linspace(-1, 1, 101, dtype=torch.float64)
        return (1 - (values[:, None] - nodes).abs() / 0.02).clamp_min(0).mean(dim=0)

    wanted = (density(similarity[~same & upper]) * density(similarity[same & upper]).cumsum(0)).sum()
    assert loss_named("histogram")(points, labels).item() == pytest.approx(wanted.item())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("contrastive", losses.ContrastiveLoss),
        ("ContrastiveLoss", library_losses.ContrastiveLoss),
        ("triplet", losses.TripletMarginLoss),
        ("Triplet", losses.TripletMarginLoss),
        ("triplet_margin", library_losses.TripletMarginLoss),
        ("CosFaceLoss", library_losses.CosFaceLoss),
        ("cosface", library_losses.CosFaceLoss),
        ("cos-face", library_losses.CosFaceLoss),
        ("proxy_anchor", library_losses.ProxyAnchorLoss),
        ("NTXentLoss", library_losses.NTXentLoss),
        ("nt_xent", library_losses.NTXentLoss),
    ],
)
def test_spellings_of_a_loss(name: str, kind: type) -> None:
    loss = loss_named(name)
    assert isinstance(getattr(loss, "inner", loss), kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (None, NoMiner),
        ("", NoMiner),
        ("none", miners.RandomMiner),
        ("all", miners.AllMiner),
        ("semi-hard", miners.SemiHardMiner),
        ("batch_hard", miners.BatchHardMiner),
        ("BatchHardMiner", library_miners.BatchHardMiner),
        ("multi_similarity", library_miners.MultiSimilarityMiner),
        ("HDCMiner", library_miners.HDCMiner),
    ],
)
def test_spellings_of_a_miner(name: str | None, kind: type) -> None:
    miner = make_miner(name)
    assert isinstance(getattr(miner, "inner", miner), kind)


def test_parameters_and_sizes_reach_their_places() -> None:
    assert loss_named("triplet", margin=0.25, soft=True).margin == 0.25
    cosface = loss_named("cosface", margin=0.5, scale=30)
    assert (cosface.inner.margin, cosface.inner.scale) == (0.5, 30)
    assert [tuple(weight.shape) for weight in cosface.params] == [(16, 6)]
    assert [tuple(weight.shape) for weight in loss_named("p2s_grad").params] == [(16, 6)]
    assert [tuple(weight.shape) for weight in loss_named("subcenter_arcface", sub_centers=2).params] == [(16, 12)]
    assert loss_named("triplet").params == []
    assert make_miner("hdc", params={"filter_percentage": 0.25}).inner.filter_percentage == 0.25


def test_semi_hard_margin_comes_from_params_then_argument_then_loss() -> None:
    loss = loss_named("triplet", margin=0.3)
    assert make_miner("semihard", params={"margin": 0.7}, margin=0.5, loss=loss).margin == 0.7
    assert make_miner("semihard", margin=0.5, loss=loss).margin == 0.5
    assert make_miner("semihard", loss=loss).margin == 0.3
    assert make_miner("semihard").margin == 0.1


def test_random_miner_with_a_seed_repeats_itself() -> None:
    points, labels = batch()
    first, again = (make_miner("none", params={"seed": 3})(points, labels) for _ in range(2))
    assert all(torch.equal(x, y) for x, y in zip(first or (), again or (), strict=True))


def test_unmined_classification_looks_at_images_not_pairs() -> None:
    points, labels = batch()
    for name in (None, "none"):
        assert make_miner(name, loss=loss_named("cosface"))(points, labels) is None


@pytest.mark.parametrize("labels", [[3], [3, 3, 3], [1, 2, 3]])
@pytest.mark.parametrize("name", list_miners()[4:])
def test_library_miners_bear_batches_without_triplets(name: str, labels: list[int]) -> None:
    found = make_miner(name)(torch.randn(len(labels), 4), torch.tensor(labels))
    assert [len(part) for part in found or ()] == [0, 0, 0]


def test_running_averages_do_not_hold_on_to_the_last_step() -> None:
    loss = loss_named("dynamic_soft_margin")
    for _ in range(3):
        points, labels = batch()
        loss(points, labels).backward()


def test_mixed_precision_does_not_change_a_library_loss() -> None:
    points, labels = batch()
    plain = loss_named("ntxent")(points, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss_named("ntxent")(points, labels), plain)
        value = loss_named("cosface")(points.to(torch.bfloat16), labels)
    assert value.dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("tripplet", {}, r"^there is no loss 'tripplet'; the nearest is 'triplet'$"),
        ("CosFace2Loss", {}, "the nearest is 'cosface'"),
        ("", {}, "there is no loss ''"),
        ("nope", {}, "^there is no loss 'nope'; there are contrastive, triplet, bce, angular, .*tuplet_margin$"),
        ("manifold", {}, "there is no loss 'manifold'"),
        ("VICRegLoss", {}, "'VICRegLoss' is not offered: it learns without labels"),
        ("triplet", {"marjin": 1}, r"^loss 'triplet' has no parameter 'marjin'; it knows margin, soft, swap, reduc"),
        ("cosface", {"distance": 1}, "has no parameter 'distance'; it knows margin, scale$"),
        ("cosface", {"num_classes": 9}, "has no parameter 'num_classes'"),
        ("n_pairs", {"margin": 1}, "has no parameter 'margin'; it has none"),
        ("triplet", {"margin": "wide"}, "loss 'triplet': margin is 'wide', but has to be of the kind of 0.1"),
        ("triplet", {"soft": 1}, "soft is 1, but has to be of the kind of False"),
        ("triplet", {"margin": -1}, "margin must be 0 or more"),
        ("ranked_list", {"margin": 0.4}, "loss 'ranked_list' needs Tn; set it in the loss's params"),
        ("pnp", {"variant": "Q"}, "loss 'pnp' refuses its parameters: variant=Q"),
    ],
)
def test_mistakes_about_losses_are_named(name: str, params: dict[str, object], message: str) -> None:
    with pytest.raises(DoppelgramError, match=message) as caught:
        make_loss(name, embedding_dim=16, classes=6, params=params)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("semihart", {}, "there is no miner 'semihart'; the nearest is 'semihard'"),
        ("coal", {}, "there is no miner 'coal'; there are none, all, semihard, batchhard, angular"),
        ("batchhard", {"margin": 1}, "miner 'batchhard' has no parameter 'margin'; it has none"),
        ("BatchHardMiner", {"pos_strategy": "easy"}, "has no parameter 'pos_strategy'; it knows allowed_pos_range"),
        ("semihard", {"margin": 0}, "margin must be above 0"),
        ("batch_easy_hard", {"pos_strategy": "odd"}, "refuses its parameters: pos_strategy must be one of"),
        ("EmbeddingsAlreadyPackagedAsTriplets", {}, "is not offered"),
        (None, {"margin": 0.1}, r"the miner's parameters \(margin\) have no miner"),
    ],
)
def test_mistakes_about_miners_are_named(name: str | None, params: dict[str, object], message: str) -> None:
    with pytest.raises(DoppelgramError, match=message):
        make_miner(name, params=params)


def test_batches_that_a_library_loss_cannot_take() -> None:
    points, labels = batch()
    with pytest.raises(DoppelgramError, match=r"'cosface' knows classes 0 to 5, but the batch has labels from 2 to 7"):
        loss_named("cosface")(points, labels + 2)
    with pytest.raises(DoppelgramError, match="'smooth_ap' refuses the batch: All classes must have the same number"):
        loss_named("smooth_ap")(points[:-1], labels[:-1])
    with pytest.raises(DoppelgramError, match="'pnp' uses the whole batch and takes no tuples"):
        loss_named("pnp")(points, labels, all_pairs(labels))


def test_stats_of_a_library_loss_tell_distances() -> None:
    points, labels = batch()
    loss = loss_named("ntxent")
    assert loss.stats() == {}
    loss(points, labels)
    ours = loss_named("contrastive").stats(points, labels)
    del ours["active"]
    assert loss.stats() == pytest.approx(ours)


def test_the_library_is_imported_only_for_its_own_names() -> None:
    program = (
        "import sys; from doppelgram.learning.registry import *\n"
        "list_losses(); list_miners(); make_miner('semihard')\n"
        "make_loss('triplet', embedding_dim=4, classes=3)\n"
        "assert 'pytorch_metric_learning' not in sys.modules\n"
        "make_loss('cosface', embedding_dim=4, classes=3)\n"
        "assert 'pytorch_metric_learning' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
