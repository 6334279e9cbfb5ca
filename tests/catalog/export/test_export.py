from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from doppelgram.api.export_catalog import export_catalog
from doppelgram.catalog.export.rows import Rows
from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError

WHEN = datetime(2019, 12, 20, 4, 27, 27, tzinfo=UTC)
ID = [hashlib.sha256(b"original %d" % n).hexdigest() for n in range(5)]


@pytest.fixture
def filled(catalog: Catalog, tmp_path: Path) -> Catalog:
    """Five images, of which the last has no file any more."""
    for n in range(5):
        path = tmp_path / "photos" / f"{n}.JPG"
        if n < 4:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"original %d" % n)
        columns = {"place": "=Łódź" if n == 0 else "b", "face crop": "one"}
        id_ = ID[n] + ("#2" if n == 3 else "")
        entry = Entry(id_, str(path), f"{n}.JPG", columns["place"], columns, "ann", WHEN if n else None)
        catalog.add([EmbeddedImage(entry, np.full(8, n, np.float32), b"small %d" % n)])
    return catalog


def export(catalog: Catalog, out: Path, **settings: object):  # type: ignore[no-untyped-def]
    return export_catalog(catalog.folder, out, progress=SilentProgress(), **settings)  # type: ignore[arg-type]


def test_tables_and_the_matrix_hold_the_same_rows_in_the_same_order(filled: Catalog, tmp_path: Path) -> None:
    assert export(filled, tmp_path / "out" / "a.parquet").images == 5
    assert [file.name for file in export(filled, tmp_path / "out" / "a.npy").files] == ["a.npy", "a.csv"]
    assert all(not field.metadata for field in pq.read_table(tmp_path / "out" / "a.parquet").schema)
    rows = pq.read_table(tmp_path / "out" / "a.parquet").to_pylist()
    vectors = np.load(tmp_path / "out" / "a.npy")
    assert vectors.dtype == np.float32
    assert [row["vector"] for row in rows] == vectors.tolist()
    assert [row["thumbnail"] for row in rows] == [b"small %d" % n for n in vectors[:, 0].astype(int)]
    text = (tmp_path / "out" / "a.csv").read_text(encoding="utf-8")
    assert "'=Łódź" in text
    assert "face crop" not in text
    read = read_collection(tmp_path / "out" / "a.csv", label="place")
    assert [path.name for path in read.paths] == [row["name"] for row in rows]
    assert set(read.labels) == {"'=Łódź", "b"}
    assert read.table["timestamp"].notna().sum() == 4


def test_some_rows_and_earlier_ones(filled: Catalog, tmp_path: Path) -> None:
    filled.remove([ID[1]])
    assert export(filled, tmp_path / "now.npy").images == 4
    last = filled.versions()[-2].number
    assert export(filled, tmp_path / "then.npy", as_of=str(last)).images == 5
    assert export(filled, tmp_path / "b.npy", where="place = 'b'").images == 3
    assert np.load(tmp_path / "b.npy").shape == (3, 8)
    with pytest.raises(DoppelgramError, match="no image fulfils"):
        export(filled, tmp_path / "c.npy", where="place = 'c'")


def test_tar_files_hold_pictures_and_what_is_known_of_them(filled: Catalog, tmp_path: Path) -> None:
    done = export(filled, tmp_path / "small.tar", per_shard=2)
    assert [file.name for file in done.files] == ["small-000000.tar", "small-000001.tar", "small-000002.tar"]
    with tarfile.open(done.files[1]) as tar:
        names = tar.getnames()
        facts = json.loads(tar.extractfile(names[3]).read())  # type: ignore[union-attr]
    assert len(names) == 4
    assert names[3] == f"{ID[3]}-2.json"
    assert facts["columns"] == {"place": "b"}
    assert facts["timestamp"] == WHEN.isoformat()

    done = export(filled, tmp_path / "whole.tar", originals=True)
    assert (done.images, done.unread) == (4, [str(tmp_path / "photos" / "4.JPG")])
    with tarfile.open(done.files[0]) as tar:
        assert tar.extractfile(f"{ID[2]}.jpg").read() == b"original 2"  # type: ignore[union-attr]


def test_tar_files_of_a_longer_series_do_not_stay_beside_a_shorter_one(filled: Catalog, tmp_path: Path) -> None:
    export(filled, tmp_path / "small.tar", per_shard=1)
    done = export(filled, tmp_path / "small.tar", per_shard=3)
    assert sorted(tmp_path.glob("small-*.tar")) == done.files
    assert len(done.files) == 2


def test_an_export_that_fails_leaves_the_earlier_one(
    filled: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [*export(filled, tmp_path / "a.tar", per_shard=2).files, *export(filled, tmp_path / "a.npy").files]
    before = [file.read_bytes() for file in files]
    filled.remove([ID[0]])
    pieces = Rows.pieces

    def broken(self: Rows, columns: Collection[str]) -> Iterator[Any]:
        piece = next(pieces(self, columns))
        yield piece.slice(0, 3)
        if "id" not in columns or "vector" in columns or "thumbnail" in columns:
            raise OSError("the disk is full")
        yield piece.slice(3)

    monkeypatch.setattr(Rows, "pieces", broken)
    for out in ("a.tar", "a.npy"):
        with pytest.raises(DoppelgramError, match="the disk is full"):
            export(filled, tmp_path / out, per_shard=2)
    assert [file.read_bytes() for file in files] == before


def test_an_original_that_is_another_photograph_by_now_is_left_out(catalog: Catalog, tmp_path: Path) -> None:
    for n in range(2):
        file = tmp_path / f"{n}.jpg"
        file.write_bytes(b"original %d" % n)
        entry = Entry(hashlib.sha256(file.read_bytes()).hexdigest(), str(file), file.name)
        catalog.add([EmbeddedImage(entry, np.zeros(8, np.float32), b"small")])
    (tmp_path / "1.jpg").write_bytes(b"another")
    done = export(catalog, tmp_path / "a.tar", originals=True)
    assert (done.images, done.unread) == (1, [str(tmp_path / "1.jpg")])


def test_an_export_goes_to_this_machine(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for out in ("s3://photos/a.csv", Path("s3://photos/a.csv")):
        with pytest.raises(DoppelgramError, match="a folder of this machine"):
            export_catalog(catalog.folder, out, progress=SilentProgress())
    assert not (tmp_path / "s3:").exists()


def test_an_empty_catalog_and_unknown_files(catalog: Catalog, tmp_path: Path) -> None:
    for ending, files in ((".csv", 1), (".npy", 2), (".tar", 0), (".parquet", 1)):
        done = export(catalog, tmp_path / f"empty{ending}")
        assert done.images == 0
        assert len(done.files) == files
        assert all(file.is_file() for file in done.files)
    with pytest.raises(DoppelgramError, match=r"end in \.csv, \.parquet, \.npy, \.tar"):
        export(catalog, tmp_path / "a.xlsx")
    with pytest.raises(DoppelgramError, match=r"goes with a file \.tar"):
        export(catalog, tmp_path / "a.csv", originals=True)
