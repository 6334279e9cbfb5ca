from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError


def entry(number: int, label: str = "a") -> Entry:
    return Entry(f"{number:064x}", f"/photos/{number}.jpg", f"{number}.jpg", label, {"label": label})


@pytest.fixture
def first_version(catalog: Catalog) -> Path:
    """The folder of a catalog as version 1 wrote it, with three rows."""
    key = {"lance-schema:unenforced-primary-key": "true", "lance-schema:unenforced-primary-key:position": "1"}
    time = pa.timestamp("us", tz="UTC")
    schema = pa.schema(
        [
            pa.field("id", pa.string(), nullable=False, metadata=key),
            *(pa.field(name, pa.string()) for name in ("path", "name", "label", "columns", "author")),
            pa.field("timestamp", time),
            pa.field("vector", pa.list_(pa.float32(), 8)),
            pa.field("thumbnail", pa.binary()),
            pa.field("added", time),
        ]
    )
    now = datetime.now(UTC)
    rows = [
        {"id": one.id, "path": one.path, "name": one.name, "label": one.label, "columns": json.dumps(one.columns)}
        | {
            "author": "",
            "timestamp": None,
            "vector": [float(number)] * 8,
            "thumbnail": b"x",
            "added": now,
        }
        for number, one in enumerate(map(entry, range(3)))
    ]
    table = lancedb.connect(catalog.folder / "vectors").create_table("images", schema=schema, mode="overwrite")
    table.add(pa.Table.from_pylist(rows, schema=schema))
    file = catalog.folder / "catalog.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 1}))
    return catalog.folder


def version_of(folder: Path) -> int:
    return int(json.loads((folder / "catalog.json").read_text())["version"])


def test_an_earlier_catalog_is_read_as_it_is(first_version: Path):
    catalog = Catalog.open(first_version)
    before = sorted(file for file in first_version.rglob("*") if file.is_file())
    assert catalog.entries() == [entry(number) for number in range(3)]
    assert catalog.rows(["part", "id"])["part"].tolist() == [""] * 3
    assert catalog.vectors().shape == (3, 8)
    assert sorted(file for file in first_version.rglob("*") if file.is_file()) == before
    assert version_of(first_version) == 1


@pytest.mark.parametrize("write", ["add", "update", "remove"])
def test_the_first_write_brings_it_to_the_present_version(first_version: Path, write: str):
    created = json.loads((first_version / "catalog.json").read_text())["created"]
    reader, catalog = Catalog.open(first_version), Catalog.open(first_version)
    if write == "add":
        assert catalog.add([EmbeddedImage(entry(3), np.full(8, 3, np.float32), b"y", part="7")]) == 1
    elif write == "update":
        assert catalog.update([entry(1, "b")]) == 1
    else:
        assert catalog.remove([entry(0).id]) == 1
    assert version_of(first_version) == 2
    assert json.loads((first_version / "catalog.json").read_text())["created"] == created
    for again in (reader, catalog, Catalog.open(first_version)):
        rows, vectors = again.snapshot(["id", "part", "label"])
        assert [int(id_, 16) for id_ in rows["id"]] == vectors[:, 0].astype(int).tolist()
        assert rows["part"].tolist() == ["", "", "", "7"][: len(rows)]
        assert len(rows) == {"add": 4, "update": 3, "remove": 2}[write]


def test_those_who_migrate_at_the_same_time_or_were_interrupted_do_no_harm(first_version: Path):
    start = threading.Barrier(4)

    def add(number: int) -> int:
        own = Catalog.open(first_version)
        start.wait()
        return own.add([EmbeddedImage(entry(number), np.full(8, number, np.float32), b"y")])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(add, range(10, 14))) == [1] * 4
    # As where the table was migrated, and the process was killed before the file was written.
    file = first_version / "catalog.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 1}))
    assert Catalog.open(first_version).remove([entry(10).id]) == 1
    assert len(Catalog.open(first_version)) == 6
    assert version_of(first_version) == 2


def test_a_table_of_the_earlier_version_is_not_taken_for_a_new_one(first_version: Path):
    file = first_version / "catalog.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps(facts | {"version": 2}))
    with pytest.raises(DoppelgramError, match="is not the table"):
        Catalog.open(first_version)
    for wrong in (3, 0, "1", True, None):
        file.write_text(json.dumps(facts | {"version": wrong}))
        with pytest.raises(DoppelgramError, match=r"version .*, but this program reads 1 to 2"):
            Catalog.open(first_version)
