from __future__ import annotations

import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from doppelgram.api.export_catalog import export_catalog
from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError

WHEN = datetime(2019, 12, 20, 4, 27, 27, tzinfo=UTC)


@pytest.fixture
def filled(catalog: Catalog, tmp_path: Path) -> Catalog:
    """Five images, of which the last has no file any more."""
    for n in range(5):
        path = tmp_path / "photos" / f"{n}.JPG"
        if n < 4:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"original %d" % n)
        columns = {"place": "=Łódź" if n == 0 else "b", "face crop": "one"}
        id_ = f"{n:064x}" + ("#2" if n == 3 else "")
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
    filled.remove([f"{1:064x}"])
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
    assert names[3] == f"{3:064x}-2.json"
    assert facts["columns"] == {"place": "b"}
    assert facts["timestamp"] == WHEN.isoformat()

    done = export(filled, tmp_path / "whole.tar", originals=True)
    assert (done.images, done.unread) == (4, [str(tmp_path / "photos" / "4.JPG")])
    with tarfile.open(done.files[0]) as tar:
        assert tar.extractfile(f"{2:064x}.jpg").read() == b"original 2"  # type: ignore[union-attr]


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
