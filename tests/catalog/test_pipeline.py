"""Reading, embedding and writing go on side by side, and hold few photographs at a time."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.catalog.embed import MODEL_BATCH, Chunk, embed_chunk, embed_pieces
from doppelgram.catalog.entries import entries_of
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.writer import Writer
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.images.ordered import in_order
from doppelgram.models.embedder import Embedded
from doppelgram.models.model import Model


def test_only_so_much_is_done_ahead() -> None:
    begun = 0
    turn = threading.Lock()

    def work(number: int) -> int:
        nonlocal begun
        with turn:
            begun += 1
        return number

    def items() -> Iterator[int]:
        yield from range(1000)

    taken = 0
    for number in in_order(work, items(), workers=2, ahead=20):
        assert number == taken
        taken += 1
        if taken == 5:
            time.sleep(0.2)  # nobody takes one, and still no more than 20 are done
        assert begun <= taken + 20
    assert (taken, begun) == (1000, 1000)


def test_pieces_are_a_chunk_whatever_their_size(photos: Path, model: Model) -> None:
    entries = entries_of(read_collection(photos))
    whole = embed_chunk(entries, model)
    for at_once in (1, 5, 100):
        joined = Chunk()
        for piece in embed_pieces(entries, model, model.want, at_once=at_once):
            joined.extend(piece)
        assert (joined.outcomes, joined.digests) == (whole.outcomes, whole.digests)
        for one, other in zip(joined.rows, whole.rows, strict=True):
            np.testing.assert_allclose(one.vector, other.vector, atol=1e-6)


class _Watched(Model):
    """Counts the photographs that it was shown and that are still held."""

    shown: list[weakref.ref[object]]
    most = 0

    def embed(self, photographs):  # type: ignore[no-untyped-def]
        self.shown += [weakref.ref(one) for one in photographs]
        _Watched.most = max(_Watched.most, sum(one() is not None for one in self.shown))
        return Embedded(np.zeros((len(photographs), self.dim), np.float32))

    def with_runtime(self, runtime):  # type: ignore[no-untyped-def]
        return self


@pytest.mark.slow
def test_photographs_held_do_not_grow_with_their_number(tmp_path: Path, model: Model, catalog: Catalog) -> None:
    for number in range(1500):
        pixels = np.full((8, 8, 3), number % 256, dtype=np.uint8)
        pixels[0, 0] = number // 256, number % 256, 7
        (tmp_path / "many").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "many" / f"{number}.png")
    watched = _Watched(model.tower, model.calibration, fingerprint=model.fingerprint)
    watched.shown = []
    report = index_collection(read_collection(tmp_path / "many"), watched, catalog)
    assert report.added == len(watched.shown) == 1500
    assert _Watched.most <= 2 * MODEL_BATCH


def test_what_cannot_be_written_is_an_error_and_an_interruption_waits(
    photos: Path, model: Model, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = embed_chunk(entries_of(read_collection(photos)), model)
    written: list[int] = []
    genuine = catalog.add

    def slow(rows):  # type: ignore[no-untyped-def]
        time.sleep(0.2)
        return genuine(rows)

    monkeypatch.setattr(catalog, "add", slow)
    with pytest.raises(KeyboardInterrupt):
        _write(catalog, chunk, written, stopped=True)
    assert len(catalog) == 12
    assert written == []

    def full(rows):  # type: ignore[no-untyped-def]
        raise DoppelgramError("the disk is full")

    monkeypatch.setattr(catalog, "add", full)
    with pytest.raises(DoppelgramError, match="full"):
        _write(catalog, chunk, written)


def _write(catalog: Catalog, chunk: Chunk, written: list[int], *, stopped: bool = False) -> None:
    with Writer(catalog, lambda _, count: written.append(count)) as writer:
        writer.put(chunk)
        if stopped:
            raise KeyboardInterrupt
