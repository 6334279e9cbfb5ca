"""The codebook against the tables of a trace, column by column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from doppelgram.reports.role_models.codebook import COLUMNS, FLAG, NUMBER, TIME, WHOLE, codebook
from doppelgram.reports.role_models.files import TABLES, write_csv
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate


@pytest.fixture(scope="module")
def found() -> RoleModels:
    world = simulate(WorldSettings(posts=120, places=2, poses=2, undated=0.1), seed=3)
    return trace_posts(world.posts, world.vectors, world.space, TraceSettings(draws=19, bootstraps=10))


def test_every_column_of_every_table_is_explained(found: RoleModels, tmp_path: Path) -> None:
    write_csv(found, tmp_path)
    assert tuple(COLUMNS) == TABLES
    for table, columns in COLUMNS.items():
        cells = pd.read_csv(tmp_path / f"{table}.csv", dtype=str, keep_default_na=False)
        assert [column.name for column in columns] == list(cells.columns)
        for column in columns:
            values = cells[column.name][cells[column.name] != ""]
            if column.missing == "never missing":
                assert len(values) == len(cells), f"{table}: {column.name} is missing in some rows"
            if column.type in (NUMBER, WHOLE):
                numbers = pd.to_numeric(values)
                assert column.type == NUMBER or (numbers % 1 == 0).all(), f"{table}: {column.name} is not whole"
            elif column.type == FLAG:
                assert set(values) <= {"True", "False"}
            elif column.type == TIME:
                assert values.str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()
    book = pd.read_csv(tmp_path / "codebook.csv", keep_default_na=False)
    assert len(book) == sum(len(columns) for columns in COLUMNS.values())
    assert (book[["file", "column", "type", "meaning", "missing"]] != "").all(axis=None)


def test_further_columns_of_the_posts_are_named_too(found: RoleModels) -> None:
    more = replace(found, role_models=found.role_models.assign(likes="4"))
    row = codebook(more).query("column == 'likes'").iloc[0]
    assert (row["file"], row["type"]) == ("role_models.csv", "text")
