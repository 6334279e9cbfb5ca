"""One batch on two processes that really are two, beside the same batch on one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.multiprocessing import spawn

from doppelgram.learning.joint import Joint
from doppelgram.learning.joint_layers import JointDropout, apart_layers, join_layers
from helpers.ranks import CASES, all_cases, two_steps


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    spawn(all_cases, (2, str(folder)), nprocs=2)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_give_the_gradients_of_one_with_the_joint_batch(two_processes: Path, case: str) -> None:
    """Also of a batch that cannot be divided evenly, with batch norm, dropout, augmentation and the loss's weights."""
    one, two = two_steps(case), torch.load(two_processes / f"{case}.pt", weights_only=True)
    assert set(one) == set(two)
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=0, msg=lambda text, at=name: f"{at}: {text}")
    moved = [name for name, value in one.items() if name.endswith(" 0") and not name.startswith("loss 0")]
    assert max(float(one[name].abs().max()) for name in moved) > 1e-3
    if case in ("class weights", "proxies", "learned threshold"):
        assert any(name.startswith("loss.") for name in moved)


@pytest.mark.slow
def test_miners_draw_alike_though_layers_draw_apart(two_processes: Path) -> None:
    one, two = (torch.load(two_processes / f"apart-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert torch.equal(one, two)
    assert float(one) > 0


def test_every_row_is_of_one_process() -> None:
    rows = torch.arange(7)
    shares = [Joint(rank, 3).share(rows) for rank in range(3)]
    assert [share.tolist() for share in shares] == [[0, 3, 6], [1, 4], [2, 5]]


def test_dropout_draws_what_one_process_would() -> None:
    plain, joint = nn.Dropout(0.4), Joint(0, 1)
    network = nn.Sequential(nn.Dropout(0.4))
    join_layers(network, joint)
    assert type(network[0]) is JointDropout
    values = torch.randn(10, 6)
    for rows in (10, 5):  # of five images there are two rows each
        joint.count = rows
        torch.manual_seed(0)
        expected = plain(values)
        torch.manual_seed(0)
        assert torch.equal(network(values), expected)
    torch.manual_seed(0)
    expected = plain(values)
    parts = []
    for rank in range(2):
        half = Joint(rank, 2, 10)
        join_layers(half_network := nn.Sequential(nn.Dropout(0.4)), half)
        torch.manual_seed(0)
        parts.append(half_network(half.own(values)))
    assert torch.equal(torch.stack(parts, 1).reshape(10, 6), expected)


@pytest.mark.parametrize(
    "layer", [nn.BatchNorm1d(4), nn.BatchNorm2d(4, momentum=None), nn.BatchNorm2d(4, affine=False)]
)
def test_batch_norm_of_one_process_is_torchs(layer: nn.Module) -> None:
    torch.manual_seed(0)
    own = type(layer)(4, momentum=layer.momentum, affine=layer.affine)  # type: ignore[call-arg, operator]
    own.load_state_dict(layer.state_dict())
    network = nn.Sequential(own)
    join_layers(network, Joint())
    shape = (8, 4) if isinstance(layer, nn.BatchNorm1d) else (8, 4, 3, 5)
    for _ in range(2):
        values = (3 + 2 * torch.randn(shape)).requires_grad_()
        same = values.detach().clone().requires_grad_()
        weights = torch.randn(shape)
        (layer(values) * weights).sum().backward()
        (network(same) * weights).sum().backward()
        torch.testing.assert_close(same.grad, values.grad, atol=1e-5, rtol=1e-4)
        for name, value in layer.named_parameters():
            torch.testing.assert_close(own.get_parameter(name).grad, value.grad, atol=1e-4, rtol=1e-4)
    for name, buffer in layer.state_dict().items():
        torch.testing.assert_close(own.state_dict()[name], buffer)
    torch.testing.assert_close(network.eval()(values), layer.eval()(values))


def test_layers_that_stay_apart_are_named() -> None:
    class DropPath(nn.Module):
        drop_prob = 0.1

    network = nn.Sequential(nn.Dropout(0.3), nn.BatchNorm2d(3), nn.Dropout2d(0.2), DropPath(), nn.BatchNorm3d(3))
    assert apart_layers(network) == ["BatchNorm3d", "DropPath", "Dropout2d"]
    join_layers(network, Joint())
    assert apart_layers(network) == ["BatchNorm3d", "DropPath", "Dropout2d"]
    assert apart_layers(nn.Sequential(nn.Dropout2d(0.0), nn.LayerNorm(3))) == []
