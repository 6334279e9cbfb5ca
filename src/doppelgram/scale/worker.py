"""A worker: takes parts of a plan, embeds their photographs, writes the rows and then the receipt."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from doppelgram.scale.write_once import WriteOnceStore


@dataclass(frozen=True)
class Order:
    """What a worker on any machine needs to know. All addresses have to mean the same on all of them.

    Attributes:
        catalog: its folder.
        plan: id of the plan.
        weights: folder in which pretrained weights are looked up first.
        keypoints: file of ready-made keypoints, for models that take these.
        threads: of one worker.
        runtime: what runs the network: ``openvino``, ``torch`` or ``auto``.
        precision: ``fp32`` or ``bf16``.
    """

    catalog: str
    plan: str
    weights: str | None = None
    keypoints: str | None = None
    threads: int = 1
    runtime: str = "auto"
    precision: str = "fp32"


class Worker:
    """Does one part after another; the model is loaded once, with the first.

    A part can be done twice, by one worker or by two at the same time: the first receipt counts, and the rows of the
    other one are in no table.

    Args:
        order: what is done.
    """

    def __init__(self, order: Order) -> None:
        self.order = order

    def where(self) -> str:
        """Name of the machine."""
        return socket.gethostname()

    def pin(self, slot: int) -> None:
        """Keep to so many processors as the worker has threads, others than the workers of other slots.

        Libraries that count processors by themselves then start no more threads than that. It has to come before the
        first part. Without it, or where the system knows no such thing, only torch keeps to the number.
        """
        if not hasattr(os, "sched_setaffinity"):
            return
        here, threads = sorted(os.sched_getaffinity(0)), self.order.threads
        mine = {here[(slot * threads + number) % len(here)] for number in range(threads)}
        os.sched_setaffinity(0, mine)

    def do(self, part: str) -> str:
        """Do a part, unless that is done; returns its id.

        Raises:
            DoppelgramError: what it needs is not there, or nothing can be written.
        """
        self._tools.do(part)
        return part

    @cached_property
    def _tools(self) -> _Tools:
        return _Tools(self.order)


class _Tools:
    """What a worker opens once."""

    def __init__(self, order: Order) -> None:
        import torch

        from doppelgram.catalog.embed import THUMBNAIL_SIDE
        from doppelgram.catalog.store import Catalog
        from doppelgram.models.runtime import in_bulk
        from doppelgram.scale.plan import Plans
        from doppelgram.scale.receipt import Receipts
        from doppelgram.scale.table import Table, plans_of

        torch.set_num_threads(order.threads)
        catalog = Catalog.open(order.catalog)
        store = WriteOnceStore(plans_of(catalog))
        self.plan, self.plans, self.receipts = order.plan, Plans(store), Receipts(store, order.plan)
        self.known = self.plans.known(order.plan)
        model = catalog.load_model(weights=order.weights, keypoints=order.keypoints)
        self.model = model.with_runtime(in_bulk(order.runtime, order.precision)).with_faces(catalog.faces)
        self.want = replace(self.model.want, thumbnail=THUMBNAIL_SIDE)
        self.table = Table(catalog)

    def do(self, part: str) -> None:
        from doppelgram.catalog.embed import embed_chunk
        from doppelgram.scale.receipt import Receipt

        if self.receipts.has(part):
            return
        chunk = embed_chunk(self.plans.entries(self.plan, part), self.model, self.want, known=self.known.__contains__)
        rows: list[Any] = [replace(row, part=part) for row in chunk.rows]
        fragments = self.table.write(rows)
        if not self.receipts.put(Receipt.of(part, chunk, fragments)):
            with suppress(Exception):  # another worker was faster; files that nobody names do no harm
                self.table.discard(fragments)
