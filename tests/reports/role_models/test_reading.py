"""A trace that was written is read back as it was, to the digits of its tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.reports.role_models.files import TABLES, write_csv, write_summary
from doppelgram.reports.role_models.reading import holds_trace, read_trace
from doppelgram.reports.role_models.summary import summary
from doppelgram.rolemodels.findings import claim, headline, overall
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate


@pytest.fixture(scope="module")
def found() -> RoleModels:
    world = simulate(WorldSettings(posts=120, places=2, poses=2, undated=0.1), seed=3)
    authors = np.array(["", *(f"NA, {author}\n" for author in world.posts.author[1:])], dtype=object)
    extra = {"posts": np.array([f"{k:03d}" for k in range(len(world.posts))], dtype=object)}
    posts = PostTable(world.posts.path, authors, world.posts.timestamp, world.posts.place, extra)
    return trace_posts(posts, world.vectors, world.space, TraceSettings(draws=19, bootstraps=10))


def test_what_was_written_is_read_back(found: RoleModels, tmp_path: Path) -> None:
    write_csv(found, tmp_path)
    write_summary(summary(found), tmp_path)
    assert holds_trace(tmp_path)
    read = read_trace(tmp_path)
    for name in TABLES:
        before, after = getattr(found, name), getattr(read, name)
        assert list(before.columns) == list(after.columns)
        for column in before:
            if isinstance(before[column].dtype, pd.DatetimeTZDtype):
                assert (before[column].isna() == after[column].isna()).all()
                assert (before[column].dropna() == after[column].dropna()).all()
            elif pd.api.types.is_numeric_dtype(before[column].dtype):
                a, b = (table[column].astype("float64").to_numpy(na_value=np.nan) for table in (before, after))
                assert np.allclose(a, b, rtol=1e-5, equal_nan=True), column
            else:
                assert before[column].astype(str).tolist() == after[column].astype(str).tolist(), column
    assert (read.counts, read.settings, read.notes) == (found.counts, found.settings, found.notes)
    assert headline(read) == headline(found)
    assert overall(read) == overall(found)
    assert [claim(post) for post in read.leaders.itertuples()] == [claim(post) for post in found.leaders.itertuples()]


def test_of_an_earlier_build(found: RoleModels, tmp_path: Path) -> None:
    write_csv(found, tmp_path)
    write_summary(summary(found), tmp_path)
    (tmp_path / "curve.csv").unlink()
    assert read_trace(tmp_path).curve.empty


@pytest.mark.parametrize("file", ["summary.json", "role_models.csv", "edges.csv"])
def test_damaged_tables_are_named(found: RoleModels, tmp_path: Path, file: str) -> None:
    write_csv(found, tmp_path)
    write_summary(summary(found), tmp_path)
    (tmp_path / file).write_text("{", encoding="utf-8")
    with pytest.raises(DoppelgramError, match=r"cannot be read .*; trace again"):
        read_trace(tmp_path)
