import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.scale import plan as plan_module
from doppelgram.scale import processes
from doppelgram.scale.index import Means, index_in_parts
from doppelgram.scale.processes import Processes
from doppelgram.scale.receipt import Receipts

Draw = Callable[..., Path]


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "SMALLEST", 4)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
def test_a_killed_worker_is_replaced(monkeypatch: pytest.MonkeyPatch, photos: Path, catalog: Catalog):
    started: list[int] = []
    popen = processes.subprocess.Popen

    def followed(*arguments: object, **settings: object) -> object:
        child = popen(*arguments, **settings)
        started.append(child.pid)
        return child

    monkeypatch.setattr(processes.subprocess, "Popen", followed)

    def kill_first(files: int) -> None:
        if files and len(started) == 1:
            os.kill(started[0], signal.SIGKILL)

    report = index_in_parts(read_collection(photos), catalog, Means(Processes(1)), progress=kill_first)
    assert report.added == len(catalog) == 12
    assert len(started) == 2


@pytest.mark.slow
def test_a_part_that_always_ends_its_worker_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photos: Path, catalog: Catalog
):
    # An interpreter that ends at once stands for a picture that crashes whatever reads it.
    monkeypatch.setattr(processes.sys, "executable", "/bin/false")
    with pytest.raises(DoppelgramError, match=r"ended its worker 3 times \(exit status 1\)"):
        index_in_parts(read_collection(photos), catalog, Means(Processes(2)))


@pytest.mark.slow
def test_what_a_worker_cannot_do_is_said_in_its_words(photos: Path, catalog: Catalog):
    class Spoiling(Processes):
        def run(self, order, parts):  # type: ignore[no-untyped-def]
            part = catalog.folder / "plans" / order.plan / "parts" / f"{parts[0]}.json"
            part.unlink()
            yield from super().run(order, parts[:1])

    with pytest.raises(DoppelgramError, match=r"parts/[0-9a-f]{32}\.json is missing"):
        index_in_parts(read_collection(photos), catalog, Means(Spoiling(1)))


def test_receipts_are_kept_once_and_read_as_written(tmp_path: Path):
    from doppelgram.catalog.embed import Chunk
    from doppelgram.images.report import FileOutcome
    from doppelgram.scale.receipt import Receipt
    from doppelgram.scale.write_once import WriteOnceStore

    receipts = Receipts(WriteOnceStore(str(tmp_path / "plans")), "p")
    outcomes = [FileOutcome("", "ok", "", 2), FileOutcome("", "broken", "no image")]
    first = Receipt("a", (json.dumps({"id": 0}),), (2, 0), Chunk([], outcomes, ["00" * 32, ""], ["x.jpg"]))
    assert receipts.put(first)
    assert not receipts.put(Receipt("a", (), (), Chunk()))
    assert receipts.get("a") == first
    assert receipts.parts() == {"a"}
    with pytest.raises(DoppelgramError, match="missing or damaged"):
        receipts.get("b")
