"""A training as it is handed to other processes and compared between machines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from torch import distributed as dist

from doppelgram.errors import DoppelgramError
from doppelgram.training.data import Part
from doppelgram.training.ranks import connect
from doppelgram.training.ranks.connect import compare
from doppelgram.training.ranks.order import Order
from doppelgram.training.ranks.plan import Ranks
from doppelgram.training.tasks.metric import MetricTask
from helpers.ranks import CASES, small_recipe, small_task


def order(case: str = "semi-hard", seed: int = 3) -> Order:
    recipe = small_recipe(case, optimiser={"average": 0.9})
    return Order(small_task(recipe, seed=seed), recipe.stopping, Path("checkpoints"), Path("log"), "title", False)


@pytest.mark.parametrize("case", CASES)
def test_every_loss_and_miner_can_be_handed_over(case: str, tmp_path: Path) -> None:
    sent = order(case)
    sent.write(tmp_path)
    got = Order.read(tmp_path)
    assert (got.stopping, got.checkpoints, got.title) == (sent.stopping, sent.checkpoints, sent.title)
    for name, value in sent.task.state_dict().items():
        assert torch.equal(got.task.state_dict()[name], value), name
    losses = []
    for task in (sent.task.train(), got.task.train()):
        torch.manual_seed(0)
        task.generator.manual_seed(0)
        losses.append(float(task.batch_loss(torch.arange(20), 0)[0].detach()))
    assert losses[0] == losses[1]


def test_large_arrays_are_mapped_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels, codes = rng.integers(0, 255, (400, 32, 32, 3)).astype(np.uint8), np.arange(400) % 4
    train, val = Part(pixels, codes[:300], np.arange(300)), Part(pixels, codes[300:], np.arange(300, 400))
    recipe = small_recipe()
    task = MetricTask(small_task(recipe).network, train, val, recipe, seed=0)
    Order(task, recipe.stopping, tmp_path, tmp_path, "", False).write(tmp_path)
    assert [file.name for file in tmp_path.glob("*.npy")] == ["0.npy"]
    got = Order.read(tmp_path).task
    assert isinstance(got, MetricTask)
    assert isinstance(got.part.inputs, np.memmap)
    assert got.queries is not None
    assert got.queries.inputs is got.part.inputs
    assert np.array_equal(got.part.inputs, pixels)


def test_facts_tell_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = order().facts()
    assert order().facts() == facts

    def differing(other: Order) -> set[str]:
        return {name for name, value in other.facts().items() if facts[name] != value}

    assert differing(order(seed=4)) == {"recipe or seed", "network's weights", "images or split"}
    assert differing(order("batch-hard")) == {"recipe or seed"}
    assert differing(replace(order(), resume=True)) == {"--resume"}
    changed = order()
    assert isinstance(changed.task, MetricTask)
    changed.task.part.inputs[3, 2, 1, 0] ^= 1
    assert differing(changed) == {"images or split"}
    same, cards = order(), torch.cuda.is_available()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: not cards)
    assert "graphics cards" in differing(same)


@pytest.fixture(autouse=True)
def _no_lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "_LINGER", 1.0)


def compared(*facts: dict[str, str], nodes: tuple[int, ...] = (0, 1)) -> list[str]:
    """What each of two machines says when they compare what they train."""
    store, said = dist.HashStore(), ["", ""]

    def run(place: int) -> None:
        try:
            compare(store, Ranks(1, 2, nodes[place], "127.0.0.1", meeting=3), facts[place])
        except DoppelgramError as problem:
            said[place] = str(problem)

    threads = [Thread(target=run, args=(place,)) for place in range(len(facts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_machines_that_train_the_same_go_on() -> None:
    assert compared({"images": "a"}, {"images": "a"}) == ["", ""]


def test_machines_that_do_not_are_told_what_differs() -> None:
    for sentence in compared({"images": "a", "seed": "1"}, {"images": "b", "seed": "1"}):
        assert "machine 0 and machine 1 do not train the same: images differ" in sentence.replace(
            "machine 1 and machine 0", "machine 0 and machine 1"
        )


def test_two_machines_of_one_number_are_refused() -> None:
    assert any("two machines say that they are NODE_RANK 1" in said for said in compared({}, {}, nodes=(1, 1)))


@pytest.mark.slow
def test_a_machine_that_does_not_come_is_named() -> None:
    assert "machine 1 of 2 did not come within" in compared({})[0]
