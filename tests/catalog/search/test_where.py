"""Conditions on a catalog's rows: what they mean, that the engine means the same, and what is no condition."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.search.where import parse_where
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError


def _entry(number: int, **facts) -> Entry:
    return Entry(f"{number:064x}", f"/photos/{number}.jpg", **facts)


ENTRIES = [
    _entry(
        0,
        name="Louvre 1.jpg",
        label="a",
        columns={"place": "Louvre", "year": "2018", "the pose": "it's"},
        author="ada",
        timestamp=datetime(2018, 5, 31, 23, 59, 59, tzinfo=UTC),
    ),
    _entry(
        1,
        name="louvre_2.jpg",
        label="b",
        columns={"place": "Louvre", "year": "2019"},
        author="bo",
        timestamp=datetime(2019, 5, 31, 23, 59, 59, 500, tzinfo=UTC),
    ),
    _entry(
        2,
        name="3.jpg",
        label="",
        columns={"place": "Orsay", "year": "about 2019"},
        author="",
        timestamp=datetime(2019, 6, 1, tzinfo=UTC),
    ),
    _entry(3, name="100%.jpg", label="b", columns={"place": "", "year": "900"}, author="O'Hara"),
    _entry(4, name="", label="b", columns={}, author="ada", timestamp=datetime(2020, 1, 1, tzinfo=UTC)),
]

MEANINGS = [
    ("place = 'Louvre'", [0, 1]),
    ("place = 'Louvre' and timestamp < '2019'", [0]),
    ("place != 'Louvre'", [2, 3, 4]),
    ("not place = 'Louvre'", [2, 3, 4]),
    ("place is null", [3, 4]),
    ("place is not null", [0, 1, 2]),
    ("timestamp is null", [3]),
    ("author is null or label is null", [2]),
    ("timestamp = 2019", [1, 2]),
    ("timestamp = '2019-05'", [1]),
    ("timestamp <= '2019-05-31'", [0, 1]),
    ("timestamp > '2019-05-31'", [2, 4]),
    ("timestamp > '2019-05-31' and timestamp < '2019-12'", [2]),
    ("timestamp >= '2019-06-01'", [2, 4]),
    ("timestamp >= '2019-06-01T02:00:00+02:00'", [2, 4]),
    ("timestamp = '2019-06-01T00:00:00Z'", [2]),
    ("timestamp != 2019", [0, 3, 4]),
    ("timestamp in (2018, '2020-01')", [0, 4]),
    ("timestamp = '2019-12'", []),
    ("timestamp > '0800' and timestamp < '9998'", [0, 1, 2, 4]),
    ("year >= 2018", [0, 1]),
    ("year = 2019.0", [1]),
    ("year < '2019'", [0]),
    ("year < 1000", [3]),
    ("label in ('a', 'x')", [0]),
    ("label not in ('a', 'x')", [1, 2, 3, 4]),
    ("name like 'louvre%'", [0, 1]),
    ("name like '%_2.jpg'", [1]),
    ("name like '%'", [0, 1, 2, 3]),
    ("name like '%.jpg'", [0, 1, 2, 3]),
    ("name like '3.jpg'", [2]),
    ("name like '_.jpg'", [2]),
    ("name like 'l%r%.jpg'", [0, 1]),
    ("name contains '0%'", [3]),
    ("name not contains 'LOUVRE'", [2, 3, 4]),
    ("author = 'O''Hara'", [3]),
    ('"the pose" = "it\'s"', [0]),
    ("AUTHOR = 'ada'".lower(), [0, 4]),
    ("author = 'ada' OR label = 'b' AND place = 'Louvre'", [0, 1, 4]),
    ("(author = 'ada' or label = 'b') and place = 'Louvre'", [0, 1]),
    ("not (author = 'ada' or label = 'b')", [2]),
    ("not not author == 'ada'", [0, 4]),
    ("author <> 'ada'", [1, 2, 3]),
    ("id = '" + "0" * 63 + "3'", [3]),
    ("path contains 'photos/4'", [4]),
    (" author='ada'and label='b' ", [4]),
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory, model_folder) -> Catalog:
    made = Catalog.create(tmp_path_factory.mktemp("where") / "catalog", model_folder)
    made.add([EmbeddedImage(entry, np.full(8, n, np.float32), b"") for n, entry in enumerate(ENTRIES)])
    return made


@pytest.mark.parametrize(("text", "rows"), MEANINGS)
def test_conditions_mean_this_in_pandas_in_arrow_and_in_the_engine(catalog: Catalog, text: str, rows: list[int]):
    where = parse_where(text)
    expected = [f"{row:064x}" for row in rows]
    frame = catalog.rows(list({"id", *where.columns}))
    assert sorted(frame["id"][where.mask(frame)]) == expected
    arrow = pa.Table.from_pandas(frame)
    assert where.mask(arrow).tolist() == where.mask(frame).tolist()
    if where.engine is not None:
        found = catalog._table.search().where(where.engine).select(["id"]).to_arrow()
        assert sorted(found["id"].to_pylist()) == expected
    else:
        assert "columns" in where.columns or "like" in text or "contains" in text


WRONG = [
    ("", 1, "column"),
    ("place", 6, "="),
    ("place =", 8, "text in quotes"),
    ("place = Louvre", 9, "text in quotes"),
    ("place = 'Louvre", 9, "not closed"),
    ("place = 'Louvre' timestamp < 2019", 18, "and, or"),
    ("place = 'Louvre' and", 21, "column"),
    ("(place = 'Louvre'", 18, r"\)"),
    ("place = 'a')", 12, "end"),
    ("place in 'a'", 10, r"\("),
    ("place in ('a' 'b')", 15, "comma"),
    ("place in ()", 11, "text in quotes"),
    ("timestamp < 'soon'", 13, "time"),
    ("timestamp < '2019-13'", 13, "time"),
    ("timestamp like '2019%'", 11, "after a time"),
    ("place is 'a'", 10, "null"),
    ("place not = 'a'", 11, "in, like"),
    ("place = 'a'; drop", 12, "means nothing"),
    ("and = 'a'", 1, "column"),
    ("place like 3", 12, "text in quotes"),
]


@pytest.mark.parametrize(("text", "position", "allowed"), WRONG)
def test_what_is_no_condition_is_told_with_its_place(text: str, position: int, allowed: str):
    with pytest.raises(DoppelgramError, match=rf"^--where: at character {position}: .*{allowed}"):
        parse_where(text)


def test_columns_that_there_are_not_are_named(catalog: Catalog):
    frame = catalog.rows(["columns"])
    with pytest.raises(DoppelgramError, match=r"'plce', but place; there are .*author.*place, year, the pose$"):
        parse_where("plce = 'Louvre'").mask(frame)
    with pytest.raises(DoppelgramError, match="no image fulfils"):
        parse_where("place = 'nowhere'").ids(catalog)
    assert parse_where("whatever = 'x'").mask(frame[:0]).tolist() == []


def test_hostile_conditions_end_soon_and_in_a_sentence():
    started = time.perf_counter()
    for deep in ("(" * 5000, "not " * 5000):
        with pytest.raises(DoppelgramError, match="more than 50"):
            parse_where(deep + "a = 'b'")
    rows = pd.DataFrame({"name": ["a" * 3000]})
    assert not parse_where("name like '" + "%a" * 500 + "b'").mask(rows).any()
    assert parse_where("name like '" + "%a" * 500 + "'").mask(rows).all()
    many = parse_where("name in (" + ", ".join(f"'{n}'" for n in range(2000)) + ")")
    assert not many.mask(rows).any()
    assert time.perf_counter() - started < 5


def test_a_condition_on_label_columns_reads_many_rows_quickly():
    rows = pd.DataFrame({"columns": [json.dumps({"place": f"place {n % 50}"}) for n in range(100_000)]})
    assert parse_where("place = 'place 7'").mask(rows).sum() == 2000
