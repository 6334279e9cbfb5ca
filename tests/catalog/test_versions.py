from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError


def images(*numbers: int) -> list[EmbeddedImage]:
    return [
        EmbeddedImage(Entry(f"{n:064x}", f"/photos/{n}.jpg", f"{n}.jpg"), np.full(8, n, np.float32), b"x")
        for n in numbers
    ]


def test_a_version_is_read_by_number_name_and_time(catalog: Catalog) -> None:
    catalog.add(images(1))
    between = datetime.now(UTC)
    time.sleep(0.01)
    catalog.add(images(2, 3))
    first = catalog.versions()[-2]
    assert [version.rows for version in catalog.versions()] == [0, 1, 3]
    assert catalog.keep("one", str(first.number)).names == ("one",)
    assert catalog.keep("one", str(first.number)).names == ("one",)
    day = f"{between + timedelta(days=1):%Y-%m-%d}"
    spelled = between.astimezone().isoformat(), f"{between:%Y-%m-%dT%H:%M:%S.%f}"
    for as_of, rows in ((str(first.number), 1), ("one", 1), (spelled[0], 1), (spelled[1], 1), (day, 3), ("", 3)):
        assert len(Catalog.open(catalog.folder, as_of=as_of)) == rows, as_of
    old = Catalog.open(catalog.folder, as_of="one")
    assert old.as_of == first.number
    assert old.snapshot(["id", "part"])[1].shape == (1, 8)
    with pytest.raises(DoppelgramError, match=f"open as version {first.number} was, which cannot be written"):
        old.add(images(9))
    for as_of, complaint in (("99", "version 99 is not there"), ("2001-01-01", "no version from"), ("x y", "'x y'")):
        with pytest.raises(DoppelgramError, match=complaint):
            Catalog.open(catalog.folder, as_of=as_of)
    for name in ("", "9", "a b", "../x"):
        with pytest.raises(DoppelgramError, match="no name for a version"):
            catalog.keep(name)
    with pytest.raises(DoppelgramError, match="kept as 'one' already"):
        catalog.keep("one")


def test_tidying_keeps_rows_and_the_versions_that_have_a_name(catalog: Catalog) -> None:
    for number in range(6):
        catalog.add(images(number))
    catalog.keep("three", str(catalog.versions()[3].number))
    catalog.remove([f"{0:064x}"])
    assert catalog.compact().versions_removed == 0
    before = catalog.fragments()
    done = catalog.compact(keep_days=0)
    assert catalog.fragments() == 1 <= before
    assert done.bytes_removed > 0
    assert len(Catalog.open(catalog.folder, as_of="three")) == 3
    rows, vectors = catalog.snapshot(["id"])
    assert [int(id_, 16) for id_ in rows["id"]] == vectors[:, 0].tolist() == [1, 2, 3, 4, 5]
    catalog.release("three")
    with pytest.raises(DoppelgramError, match="no version is kept as 'three'"):
        catalog.release("three")
    catalog.compact(keep_days=0)
    assert len(catalog.versions()) == 1


def test_a_time_whose_version_was_cleaned_up_is_not_answered_with_an_older_one(catalog: Catalog) -> None:
    moments = []
    for number in range(4):
        catalog.add(images(number))
        time.sleep(0.01)
        moments.append(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}")
    kept = catalog.versions()[2]
    catalog.keep("two", str(kept.number))
    catalog.compact(keep_days=0)
    assert len(Catalog.open(catalog.folder, as_of="two")) == kept.rows == 2
    for moment in moments[1:]:
        with pytest.raises(DoppelgramError, match=f"may have been cleaned up; there are version {kept.number} from"):
            Catalog.open(catalog.folder, as_of=moment)
    assert len(Catalog.open(catalog.folder, as_of="9999-12-31")) == 4  # the last day that there is


READER = """
import sys, time
from doppelgram.catalog.store import Catalog
catalog, end = Catalog.open(sys.argv[1]), time.time() + 120
print("ready", flush=True)
seen = reads = 0
while seen < 40 and time.time() < end:
    rows, vectors = catalog.snapshot(["id"])
    assert [int(id_, 16) for id_ in rows["id"]] == vectors[:, 0].astype(int).tolist()
    assert len(rows) >= seen, (len(rows), seen)
    seen, reads = len(rows), reads + 1
print(seen, reads)
"""


@pytest.mark.slow
def test_another_process_reads_while_this_one_writes_and_tidies(catalog: Catalog, tmp_path: Path) -> None:
    reader = subprocess.Popen([sys.executable, "-c", READER, catalog.folder], stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    for number in range(40):
        catalog.add(images(number))
        if number % 4 == 3:
            catalog.compact(keep_days=0)  # harder than anybody should: what is being read goes away
    out, _ = reader.communicate(timeout=150)
    assert reader.returncode == 0
    assert int(out.split()[0]) == 40
