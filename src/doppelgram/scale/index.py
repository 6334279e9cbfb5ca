"""A collection into a catalog by a plan: workers write, one process commits, and what they could not know is mended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from doppelgram.catalog.embed import THUMBNAIL_SIDE
from doppelgram.catalog.entries import entries_of
from doppelgram.catalog.index import finish, index_collection, note
from doppelgram.catalog.report import IndexReport
from doppelgram.catalog.rows import Entry, file_of
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.embedder import Embedder
from doppelgram.scale.committer import Committer
from doppelgram.scale.copies import remove_copies
from doppelgram.scale.digests import Digests
from doppelgram.scale.engine import Engine
from doppelgram.scale.lock import alone
from doppelgram.scale.plan import Plan, Plans, Request
from doppelgram.scale.receipt import Receipts
from doppelgram.scale.table import Table, address_in, plans_of
from doppelgram.scale.worker import Order
from doppelgram.scale.write_once import WriteOnceStore

# Every commit is a version of the table, and many versions make it slow; before one, nobody sees the rows.
COMMIT_SECONDS = 10.0
_OF_WORKERS = ("weights", "keypoints", "threads", "runtime", "precision")


@dataclass(frozen=True)
class Means:
    """By what a job is done.

    Attributes:
        engine: the workers.
        threads: of one worker.
        weights: folder in which workers look pretrained weights up first.
        keypoints: file of ready-made keypoints, for models that take these.
        runtime: what runs the network, on every machine: ``openvino``, ``torch`` or ``auto``.
        precision: ``fp32`` or ``bf16``.
    """

    engine: Engine
    threads: int = 1
    weights: str | None = None
    keypoints: str | None = None
    runtime: str = "auto"
    precision: str = "fp32"


def index_by(
    means: Means | None,
    collection: Collection,
    model: Embedder,
    catalog: Catalog,
    *,
    batch: int,
    prune: bool,
    progress: Callable[[int], None],
) -> IndexReport:
    """Embed a collection's images by what `chosen_means` chose; see `index_in_parts` and `index_collection`."""
    if means is None:
        return index_collection(collection, model, catalog, batch=batch, prune=prune, progress=progress)
    if model.runtime is not None:
        means = replace(means, runtime=model.runtime.engine, precision=model.runtime.precision)
    report = index_in_parts(collection, catalog, means, prune=prune, progress=progress)
    report.runtime = str(model.runtime or "")
    return report


def index_in_parts(
    collection: Collection,
    catalog: Catalog,
    means: Means,
    *,
    prune: bool = False,
    progress: Callable[[int], None] | None = None,
) -> IndexReport:
    """Embed a collection's images by many workers; rows and report are those of `catalog.index.index_collection`.

    After an interruption, even a kill of any process, the same call goes on where it stopped. A job for other files
    that was left unfinished is put in as far as it got, and forgotten. While the job goes on, a photograph that is in
    two parts may answer twice.

    Args:
        collection: the images.
        catalog: to append to; workers embed with the model in it.
        means: the workers.
        prune: as for `index_collection`.
        progress: called with numbers of files as they are finished; they add up to ``len(collection)``.

    Raises:
        DoppelgramError: another job is under way in this catalog, a part cannot be done, or no file could be read.
    """
    advance = progress or (lambda count: None)
    started = time.perf_counter()
    catalog.remove([])  # brings a catalog of an earlier version to the present one, which has the column `part`
    table, plans = Table(catalog), Plans(WriteOnceStore(plans_of(catalog)))
    with alone(plans_of(catalog)) as certain:
        if certain:
            plans.forget_half_made()
        plan = _planned(plans, table, collection, catalog)
        receipts = Receipts(plans.store, plan.id)
        committer = Committer(table, receipts)
        done = receipts.parts().intersection(plan.parts)
        done.difference_update(committer.commit(sorted(done)))
        sizes = dict(zip(plan.parts, plan.sizes, strict=True))
        advance(sum(sizes[part] for part in done))
        settings = {name: getattr(means, name) for name in _OF_WORKERS}
        order = Order(address_in(catalog, ""), plan.id, **settings)
        _work(means.engine, order, [part for part in plan.parts if part not in done], committer, sizes, advance)
        remove_copies(table, {part: number for number, part in enumerate(plan.parts)})
        report = _report(plans, plan, receipts, catalog, collection, prune)
        plans.forget(plan.id)
    report.seconds = time.perf_counter() - started
    return report


def _planned(plans: Plans, table: Table, collection: Collection, catalog: Catalog) -> Plan:
    """The plan that was made for the same files before and is not finished, or a new one."""
    settings = {
        "model": catalog.fingerprint,
        "face": catalog.face,
        "faces": catalog.faces,
        "thumbnail": THUMBNAIL_SIDE,
    }
    request = Request(entries_of(collection), settings)
    for plan in plans.unfinished():
        if plans.is_finished(plan.id):
            plans.forget(plan.id)
            continue
        if plan.request == request.key:
            return plan
        receipts = Receipts(plans.store, plan.id)
        Committer(table, receipts).commit(sorted(receipts.parts().intersection(plan.parts)))
        remove_copies(table, {part: number for number, part in enumerate(plan.parts)})
        plans.forget(plan.id)
    return plans.make(request, Digests.of(file_of(id_) for id_ in catalog.hashes()))


def _work(
    engine: Engine,
    order: Order,
    parts: Sequence[str],
    committer: Committer,
    sizes: dict[str, int],
    advance: Callable[[int], None],
) -> None:
    """Have parts done and commit them, many at a time."""
    waiting: list[str] = []
    last = time.monotonic()

    def commit() -> None:
        if lost := committer.commit(waiting):
            raise DoppelgramError(f"{order.catalog}: files of {len(lost)} parts are gone; start the same command again")
        waiting.clear()

    if not parts:
        return
    workers = engine.run(order, parts)
    try:
        for part in workers:
            waiting.append(part)
            advance(sizes[part])
            if time.monotonic() - last > COMMIT_SECONDS:
                commit()
                last = time.monotonic()
        commit()
    finally:
        workers.close()


def _report(
    plans: Plans, plan: Plan, receipts: Receipts, catalog: Catalog, collection: Collection, prune: bool
) -> IndexReport:
    """What became of all files, in the collection's order, and the last steps, which need all of them."""
    before, mine = plans.known(plan.id), set(plan.parts)
    known: dict[str, list[Entry]] = {}
    if len(before):
        rows = catalog.rows(["id", "part"])
        own = set(rows.loc[rows["part"].isin(mine), "id"])
        for entry in catalog.entries():
            if entry.id not in own and file_of(entry.id) in before:
                known.setdefault(file_of(entry.id), []).append(entry)
    report = IndexReport(faces=0 if catalog.faces else None)
    first: dict[str, str] = {}
    for part in plan.parts:
        receipt = receipts.get(part, plans.entries(plan.id, part))
        chunk = receipt.chunk
        new = [
            (outcome.path, rows)
            for outcome, digest, rows in zip(chunk.outcomes, chunk.digests, receipt.rows, strict=True)
            if outcome.status == "ok" and digest not in before and digest not in first
        ]
        report.added += len(new)
        if report.faces is not None:
            report.faces += sum(rows for _, rows in new)
        if chunk.without_people is not None:
            added = {path for path, _ in new}
            chunk = replace(chunk, without_people=[path for path in chunk.without_people if path in added])
        note(report, chunk, before, first)
    finish(report, catalog, collection, known, prune=prune)
    return report
