"""Many files to one array."""

import hashlib
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.images import batch
from doppelgram.images.batch import content_hash, load_pixels
from doppelgram.images.decode import BrokenImage, MissingImage, open_image
from doppelgram.images.framing import Framing
from doppelgram.images.storage import allocate
from helpers.face_photo import portrait
from helpers.image_files import Trouble, encode, photo, write_trouble

FRAMING = Framing(16)


@pytest.fixture
def trouble(tmp_path: Path) -> Trouble:
    return write_trouble(tmp_path)


def write_photos(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{i}.png" for i in range(count)]
    for i, path in enumerate(paths):
        path.write_bytes(encode(photo(20, 20, i), "PNG"))
    return paths


def test_everything_readable_is_used_and_the_rest_reported(trouble: Trouble) -> None:
    paths, ticks = trouble.paths, []
    loaded = load_pixels(paths, FRAMING, workers=2, progress=ticks.append)
    assert ticks == [1] * len(paths)
    assert [outcome.path for outcome in loaded.report.outcomes] == [str(path) for path in paths]
    assert [paths[i] for i in loaded.kept] == trouble.fine
    assert loaded.kept.dtype == np.int64
    assert loaded.pixels.shape == (len(trouble.fine), 16, 16, 3)
    assert loaded.pixels.dtype == np.uint8
    for path, row, digest in zip(trouble.fine, loaded.pixels, loaded.hashes, strict=True):
        np.testing.assert_array_equal(row, FRAMING.apply(open_image(path)))
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest() == content_hash(path)
    outcomes = {outcome.path: outcome for outcome in loaded.report.outcomes[: -len(trouble.duplicates)]}
    for path in trouble.missing:
        assert outcomes[str(path)].status == "missing"
        with pytest.raises(MissingImage):
            content_hash(path)
    for path, reason in trouble.broken.items():
        assert outcomes[str(path)].status == "broken"
        assert outcomes[str(path)].reason
        assert reason in outcomes[str(path)].reason
        with pytest.raises(BrokenImage):
            open_image(path)
    assert loaded.report.counts() == {
        "ok": len(trouble.fine),
        "duplicate": len(trouble.duplicates),
        "missing": len(trouble.missing),
        "broken": len(trouble.broken),
        "faceless": 0,
    }
    assert loaded.report.summary(limit=50).isprintable()
    loaded.report.raise_if_nothing_readable()


@pytest.mark.parametrize("keep_duplicates", [False, True])
@pytest.mark.parametrize("framing", [FRAMING, Framing(16, 20), Framing(16, None, "letterbox")])
def test_the_number_of_workers_changes_nothing(trouble: Trouble, framing: Framing, keep_duplicates: bool) -> None:
    one, four = (
        load_pixels(trouble.paths * 2, framing, workers=workers, keep_duplicates=keep_duplicates) for workers in (1, 4)
    )
    np.testing.assert_array_equal(one.pixels, four.pixels)
    np.testing.assert_array_equal(one.kept, four.kept)
    assert one.hashes == four.hashes
    assert one.report == four.report


@pytest.mark.parametrize("workers", [1, 3])
def test_duplicates(tmp_path: Path, workers: int) -> None:
    a, b, bad = (encode(photo(20, 20, 1), "PNG"), encode(photo(20, 20, 2), "PNG"), b"no image")
    contents = [bad, a, b, a, bad, *[a] * 20, b]
    paths = [tmp_path / f"{i}" for i in range(len(contents))]
    for path, data in zip(paths, contents, strict=True):
        path.write_bytes(data)
    dropped = load_pixels(paths, FRAMING, workers=workers)
    assert dropped.kept.tolist() == [1, 2]
    # Copies of something unreadable are unreadable, not duplicates.
    assert dropped.report.outcomes[4].status == "broken"
    assert dropped.report.outcomes[3].reason == f"same bytes as {str(paths[1])!r}"
    assert dropped.report.outcomes[-1].reason == f"same bytes as {str(paths[2])!r}"
    kept = load_pixels(paths, FRAMING, workers=workers, keep_duplicates=True)
    assert kept.kept.tolist() == [i for i, data in enumerate(contents) if data != bad]
    assert kept.report == dropped.report
    for position, row in zip(kept.kept, kept.pixels, strict=True):
        np.testing.assert_array_equal(row, dropped.pixels[0 if contents[position] == a else 1])


def test_nothing_at_all(tmp_path: Path) -> None:
    for paths in ([], [tmp_path / "gone.jpg"]):
        loaded = load_pixels(paths, FRAMING)
        assert loaded.pixels.shape == (0, 16, 16, 3)
        assert loaded.kept.shape == (0,)
        with pytest.raises(DoppelgramError):
            loaded.report.raise_if_nothing_readable()


def test_bad_number_of_workers(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="workers"):
        load_pixels([], FRAMING, workers=0)


class Counting(list[Path]):
    """A list that knows how many of its items were taken."""

    taken = 0

    def __iter__(self) -> Iterator[Path]:
        """Count."""
        for path in super().__iter__():
            self.taken += 1
            yield path


def test_only_a_few_files_are_under_way(tmp_path: Path) -> None:
    paths = Counting(write_photos(tmp_path, 40))
    ahead = []
    done = 0

    def progress(step: int) -> None:
        nonlocal done
        done += step
        ahead.append(paths.taken - done)

    load_pixels(paths, FRAMING, workers=2, progress=progress)
    assert done == 40
    assert max(ahead) <= 8


def test_an_interruption_stops_at_once(tmp_path: Path) -> None:
    paths = Counting(write_photos(tmp_path, 8) * 50)

    def interrupt(step: int) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        load_pixels(paths, FRAMING, workers=2, progress=interrupt)
    assert paths.taken <= 9
    deadline = time.monotonic() + 10
    while any(thread.name.startswith("images") for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "worker threads are still there"
        time.sleep(0.01)


def test_more_than_fits_into_memory_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [*write_photos(tmp_path, 6), tmp_path / "gone.png"]
    expected = load_pixels(paths, FRAMING)
    assert not isinstance(expected.pixels, np.memmap)
    monkeypatch.setattr(batch, "available_memory", lambda: 4000)
    for scratch in (None, tmp_path / "new" / "scratch"):
        mapped = load_pixels(paths, FRAMING, scratch=scratch)
        assert isinstance(mapped.pixels, np.memmap)
        np.testing.assert_array_equal(mapped.pixels, expected.pixels)
    (file,) = (tmp_path / "new" / "scratch").iterdir()
    np.testing.assert_array_equal(np.load(file, mmap_mode="r")[:6], expected.pixels)


def test_odd_metadata_does_not_chatter(tmp_path: Path) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(encode(photo(20, 10), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_pixels([path], FRAMING).report.counts()["ok"] == 1


def test_scratch_that_cannot_hold_it(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="scratch folder with more room"):
        allocate((2**40, 2**20), in_memory_up_to=0, scratch=tmp_path)
    assert not list(tmp_path.iterdir())
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(DoppelgramError, match="file"):
        allocate((10,), in_memory_up_to=0, scratch=file)


@pytest.mark.parametrize("workers", [1, 4])
def test_faces_are_counted_while_loading(tmp_path: Path, workers: int) -> None:
    pytest.importorskip("cv2")
    portrait().resize((256, 300)).save(tmp_path / "a.png")
    photo(120, 90).save(tmp_path / "b.png")
    portrait().resize((256, 300)).save(tmp_path / "c.png")
    paths = [tmp_path / f"{name}.png" for name in ("a", "b", "c", "none")]
    framing = Framing(32, face="opencv")
    loaded = load_pixels(paths, framing, workers=workers, keep_duplicates=True)
    assert [outcome.faces for outcome in loaded.report.outcomes] == [1, 0, 1, None]
    assert loaded.report.counts() == {"ok": 2, "duplicate": 1, "missing": 1, "broken": 0, "faceless": 0}
    np.testing.assert_array_equal(loaded.pixels[0], framing.apply(portrait().resize((256, 300))))
    report = load_pixels(paths, Framing(32), keep_duplicates=True).report
    assert {outcome.faces for outcome in report.outcomes} == {None}
