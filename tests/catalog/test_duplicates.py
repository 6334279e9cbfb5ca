"""Near copies in a catalog: real files that were saved again, beside others of the same kind."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from doppelgram.catalog.duplicates import Groups, find_duplicates
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.model import Model
from helpers.commands import call


@pytest.fixture
def copied(tmp_path: Path, catalog: Catalog, model: Model) -> Catalog:
    """Ten pictures, of which three are there again in other files."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(10):
        coarse = np.random.default_rng(seed).integers(0, 256, (15, 20, 3)) * [1, 1 - seed / 20, seed / 10]
        whole = Image.fromarray(coarse.astype(np.uint8)).resize((160, 120), Image.Resampling.BICUBIC)
        whole.save(folder / f"{seed}.png")
    for seed, changed in (
        (0, lambda image: image.resize((80, 60))),
        (0, lambda image: ImageEnhance.Brightness(image).enhance(0.9)),
        (4, lambda image: image),
        (7, lambda image: image.resize((200, 150))),
    ):
        number = len(list(folder.iterdir()))
        with Image.open(folder / f"{seed}.png") as image:
            changed(image.convert("RGB")).save(folder / f"copy {number} of {seed}.jpg", quality=70)
    index_collection(read_collection(folder), model, catalog)
    catalog.update([replace(entry, author="=1+1") for entry in catalog.entries()])
    return catalog


def test_what_was_saved_again_is_found(tmp_path: Path, copied: Catalog, model: Model) -> None:
    found = find_duplicates(copied, model.space, SilentProgress())
    groups = [sorted(Path(copy.path).stem.split()[-1] for copy in group) for group in found.groups]
    assert groups == [["0", "0", "0"], ["4", "4"], ["7", "7"]]
    assert found.images == 14
    assert found.pictures

    table, drawn = tmp_path / "copies.csv", tmp_path / "copies.png"
    done = call("duplicates", copied.folder, "--csv", table, "--montage", drawn, "--json")
    assert done.status == 0, done.stderr
    said = json.loads(done.stdout)
    assert [len(group) for group in said["groups"]] == [len(group) for group in groups]
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert len(rows) == sum(map(len, groups))
    assert {row["author"] for row in rows} == {"'=1+1"}
    assert Image.open(drawn).format == "PNG"
    shown = call("duplicates", copied.folder, "-n", 1)
    assert max(map(len, shown.stdout.splitlines())) <= 80 or "/" in shown.stdout
    some = call("duplicates", copied.folder, "--where", "not name contains 'of 4'", "--json")
    assert len(json.loads(some.stdout)["groups"]) == len(groups) - 1


def _filled(catalog: Catalog, vectors: np.ndarray) -> Catalog:
    times = [datetime(2020, 1, 1 + (7 * n) % 28, tzinfo=UTC) if n % 3 else None for n in range(len(vectors))]
    catalog.add(
        [
            EmbeddedImage(Entry(f"{n:064x}", f"/p/{n:04}.jpg", timestamp=times[n]), vector, b"")
            for n, vector in enumerate(vectors.astype(np.float32))
        ]
    )
    return catalog


def test_a_given_distance_alone_decides_and_chains_are_followed(catalog: Catalog, model: Model) -> None:
    rng = np.random.default_rng(1)
    vectors = 10 * rng.standard_normal((300, 8))
    vectors[100] = vectors[5] + 0.9 * np.eye(8)[0]
    vectors[200] = vectors[100] + 0.9 * np.eye(8)[1]
    vectors[201] = vectors[7]
    found = find_duplicates(_filled(catalog, vectors), model.space, SilentProgress(), distance=1.0)
    assert not found.pictures
    names = [[Path(copy.path).stem for copy in group] for group in found.groups]
    assert names == [["0100", "0200", "0005"], ["0007", "0201"]]  # the earliest first, then by path
    np.testing.assert_allclose([copy.distance for copy in found.groups[0]], [0, 0.9, 0.9], atol=1e-5)
    assert found.groups[1][1].distance == 0
    assert (found.copies, found.without_picture) == (3, 0)
    # Without pictures nothing is called a copy by itself, and that is said.
    bare = find_duplicates(catalog, model.space, SilentProgress())
    assert (bare.groups, bare.without_picture) == ([], 300)
    assert "300 images without a small picture of their own not compared" in call("duplicates", catalog.folder).stdout
    for wrong in (-1.0, float("nan")):
        with pytest.raises(DoppelgramError, match="0 or more"):
            find_duplicates(catalog, model.space, SilentProgress(), distance=wrong)


def test_one_image_has_no_copies(catalog: Catalog, model: Model) -> None:
    with pytest.raises(DoppelgramError, match="two images or more"):
        find_duplicates(_filled(catalog, np.ones((1, 8))), model.space, SilentProgress())


def test_groups_stay_whole_when_pairs_are_settled_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doppelgram.catalog.duplicates._EDGES", 3)
    joined = Groups(12)
    for left, right in ([8, 3], [9, 10]), ([5], [9]), ([3, 1], [5, 0]), ([10], [10]):
        joined.add(np.array(left), np.array(right))
    assert [rows.tolist() for rows in joined.rows()] == [[0, 1], [3, 5, 8, 9, 10]]
