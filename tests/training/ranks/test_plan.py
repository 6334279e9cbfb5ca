"""Which processes somebody asks for, by options and environment."""

from __future__ import annotations

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.training.ranks.plan import Ranks, is_loopback, planned_ranks

HERE = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "4711", "NODE_RANK": "1"}


def test_one_machine_needs_no_environment() -> None:
    assert planned_ranks(1, 1, {}) == Ranks()
    ranks = planned_ranks(3, 1, HERE)  # left over from something else
    assert (ranks.world, ranks.node, ranks.leads, ranks.on_loopback) == (3, 0, True, True)


def test_several_machines_are_named_by_the_environment() -> None:
    ranks = planned_ranks(2, 3, HERE)
    assert (ranks.world, ranks.node, ranks.leads, ranks.address, ranks.port) == (6, 1, False, "127.0.0.1", 4711)
    assert planned_ranks(2, 3, HERE | {"NODE_RANK": "", "GROUP_RANK": "2"}).node == 2
    assert planned_ranks(2, 2, HERE | {"MASTER_PORT": ""}).port == 29500


@pytest.mark.parametrize(
    ("nodes", "environment", "sentence"),
    [
        (2, {}, "set MASTER_ADDR"),
        (2, {"MASTER_ADDR": "10.0.0.1"}, "set NODE_RANK to the number of this machine, 0 to 1"),
        (2, HERE | {"NODE_RANK": "2"}, "NODE_RANK is '2'; it should be a number from 0 to 1"),
        (2, HERE | {"MASTER_PORT": "many"}, "MASTER_PORT is 'many'"),
        (2, HERE | {"LOCAL_WORLD_SIZE": "4"}, "--nproc-per-node 1"),
        (1, HERE | {"GROUP_WORLD_SIZE": "3"}, "on 3 machines; give --num-nodes 3"),
        (0, {}, "give 1 or more"),
    ],
)
def test_what_cannot_be_is_said(nodes: int, environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(DoppelgramError, match=sentence):
        planned_ranks(2, nodes, environment)


def test_loopback_is_known_by_address_and_name() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert not is_loopback("192.0.2.7")
    assert not is_loopback("no such host.invalid")
    assert not Ranks(1, 2, 0, "192.0.2.7").on_loopback


def test_a_local_world_size_that_is_no_number_is_refused_in_a_sentence() -> None:
    with pytest.raises(DoppelgramError, match="LOCAL_WORLD_SIZE is 'many'"):
        planned_ranks(1, 1, {"LOCAL_WORLD_SIZE": "many"})
