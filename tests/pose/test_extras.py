from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.read import Want, read
from doppelgram.images.report import LoadReport
from doppelgram.pose.answers import AnswerCache
from doppelgram.pose.estimators.movenet import MoveNet
from doppelgram.pose.extras import MASK, PEOPLE_CODEC, MaskExtra, find_people
from doppelgram.pose.people import People
from doppelgram.pose.segmenter import DeepLab, PersonMask
from doppelgram.pose.skeleton import NOSE
from helpers.tiny_networks import draw_people, expected


class Counting(MoveNet):
    """MoveNet that counts what it is asked, and can be interrupted."""

    asked = 0
    stop_after = 10**9

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[People]:
        self.asked += len(images)
        if self.asked > self.stop_after:
            raise KeyboardInterrupt
        return super().estimate(images)


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    files = []
    for number in range(5):
        file = tmp_path / "posts" / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(draw_people(160, 120, [(60 + 8 * number, 60, 40)])).save(file)
        files.append(file)
    return files


def test_found_once_and_kept(photographs: list[Path], movenet_file: Path, tmp_path: Path) -> None:
    first, second = Counting(movenet_file), Counting(movenet_file)
    seen: list[int] = []
    found = find_people(photographs, first, tmp_path / "cache", seen.append)
    again = find_people(photographs, second, tmp_path / "cache")
    assert (first.asked, second.asked, sum(seen)) == (5, 0, 5)
    for one, other in zip(found, again, strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
        assert (one.width, one.height) == (other.width, other.height) == (160, 120)


def test_content_counts_not_the_name(photographs: list[Path], movenet_file: Path, tmp_path: Path) -> None:
    estimator = Counting(movenet_file)
    find_people(photographs, estimator, tmp_path / "cache")
    photographs[0].rename(tmp_path / "moved.png")
    Image.fromarray(draw_people(160, 120, [(100, 40, 30)])).save(photographs[1])
    found = find_people([tmp_path / "moved.png", photographs[1]], estimator, tmp_path / "cache")
    assert estimator.asked == 6
    assert found[1] is not None
    np.testing.assert_allclose(found[1].keypoints[0, NOSE, :2], expected(100, 40, 30)[0], atol=1.5)


def test_an_interruption_keeps_what_was_found(photographs: list[Path], movenet_file: Path, tmp_path: Path) -> None:
    estimator = Counting(movenet_file)
    estimator.stop_after = 3
    with pytest.raises(KeyboardInterrupt):
        find_people(photographs, estimator, tmp_path / "cache", workers=1)
    fresh = Counting(movenet_file)
    assert all(people is not None for people in find_people(photographs, fresh, tmp_path / "cache"))
    assert 0 < fresh.asked <= 4


def test_a_damaged_cache_is_a_miss(photographs: list[Path], movenet_file: Path, tmp_path: Path) -> None:
    estimator = Counting(movenet_file)
    find_people(photographs, estimator, tmp_path / "cache")
    (file,) = (tmp_path / "cache").rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    (file.parent / "more.parquet").write_bytes(b"")
    find_people(photographs, estimator, tmp_path / "cache")
    assert estimator.asked == 10
    assert not list((tmp_path / "cache").rglob("*.part*"))


def test_every_file_is_reported(photographs: list[Path], movenet_file: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image", encoding="utf-8")
    copy = tmp_path / "copy.png"
    copy.write_bytes(photographs[0].read_bytes())
    report = LoadReport()
    paths = [photographs[0], tmp_path / "none.jpg", tmp_path / "text.jpg", copy]
    found = find_people(paths, MoveNet(movenet_file), report=report)
    assert [people is None for people in found] == [False, True, True, False]
    assert [outcome.status for outcome in report.outcomes] == ["ok", "missing", "broken", "duplicate"]


def test_a_sideways_photograph_is_upright(tmp_path: Path, movenet_file: Path) -> None:
    """The camera was turned: the file's rows are the photograph's columns, and EXIF says so."""
    upright = draw_people(90, 160, [(30, 50, 40)])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright)).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    (people,) = find_people([tmp_path / "turned.jpg"], MoveNet(movenet_file))
    assert people is not None
    assert (people.width, people.height) == (90, 160)
    np.testing.assert_allclose(people.keypoints[0, NOSE, :2], expected(30, 50, 40)[0], atol=2)


def test_a_large_photograph_is_decoded_small_and_answered_large(tmp_path: Path, movenet_file: Path) -> None:
    Image.fromarray(draw_people(4000, 3000, [(2000, 1500, 1000)])).save(tmp_path / "large.jpg")
    (people,) = find_people([tmp_path / "large.jpg"], MoveNet(movenet_file))
    assert people is not None
    assert (people.width, people.height) == (4000, 3000)
    np.testing.assert_allclose(people.keypoints[0, NOSE, :2], expected(2000, 1500, 1000)[0], atol=20)


def test_many_small_files_become_one(tmp_path: Path) -> None:
    for number in range(24):
        answers = AnswerCache(tmp_path, "movenet-x-1", PEOPLE_CODEC)
        answers.put(f"{number:064d}", People.nobody(10 + number, 10))
        answers.flush()
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    kept = [AnswerCache(tmp_path, "movenet-x-1", PEOPLE_CODEC).get(f"{number:064d}") for number in range(24)]
    assert [people.width for people in kept if people is not None] == list(range(10, 34))
    assert AnswerCache(tmp_path, "movenet-y-1", PEOPLE_CODEC).get(f"{3:064d}") is None


def test_an_answer_is_there_before_it_is_written(tmp_path: Path) -> None:
    for folder in (tmp_path, None):
        answers = AnswerCache(folder, "x", PEOPLE_CODEC)
        answers.put("a", People.nobody(5, 6))
        found = answers.get("a")
        assert found is not None
        assert (found.width, found.height) == (5, 6)
        answers.flush()
        assert answers.get("a") is not None
    assert len(list(tmp_path.rglob("*.parquet"))) == 1


def test_masks_are_kept_alike(photographs: list[Path], deeplab_file: Path, tmp_path: Path) -> None:
    def masks_of(paths: Sequence[Path]) -> list[PersonMask | None]:
        extra = MaskExtra(DeepLab(deeplab_file), tmp_path / "cache")
        return [photograph.extras.get(MASK) for photograph in read(paths, Want(extras={MASK: extra}))]

    masks = masks_of([*photographs, tmp_path / "none.png"])
    assert masks[-1] is None
    first = masks[0]
    assert first is not None
    truth = draw_people(160, 120, [(60, 60, 40)])[..., 0] > 0
    assert first.at(160, 120).shape == (120, 160)
    assert (first.at(160, 120) != truth).mean() < 0.03
    assert first.at(160, 120).mean() == pytest.approx(truth.mean(), abs=0.03)
    assert first.at(80, 60).shape == (60, 80)
    again = masks_of(photographs)
    assert [mask.png for mask in again if mask] == [mask.png for mask in masks if mask]
