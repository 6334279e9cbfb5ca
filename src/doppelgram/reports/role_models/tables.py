"""The tables of the report: the first rows of what a trace wrote into its CSV files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from doppelgram.numbers import day, number, p_value, percent
from doppelgram.reports.pages import Table
from doppelgram.rolemodels.findings import place_text

MOST_ROWS = 10
Columns = Mapping[str, tuple[str, Callable[[Any], str]]]
"""By heading, what a column holds (see `Table.kinds`) and what stands in a row's cell."""


def report_tables(arrangements: pd.DataFrame, authors: pd.DataFrame, places: pd.DataFrame) -> list[Table]:
    """The largest arrangements, the authors with most influence, and the places, if there is more than one."""
    posts: Columns = {"Posts": ("n", lambda row: f"{row.posts:,}")}
    by: Columns = {"Authors": ("n", lambda row: f"{row.authors:,}")}
    excess: Columns = {"Excess": ("n", lambda row: number(row.excess))}
    attributed: Columns = {"Attributed followers": ("n", lambda row: number(row.attributed))}
    place: Columns = {"Place": ("t", lambda row: place_text(row.place))}
    tables = [
        _table(
            "Largest arrangements",
            arrangements,
            "arrangements.csv",
            {
                "Arrangement": ("t", lambda row: str(row.arrangement)),
                **place,
                **posts,
                **by,
                "From": ("d", lambda row: _day(row.first)),
                "to": ("d", lambda row: _day(row.last)),
                "Role model by": ("t", lambda row: str(row.author) or "not known"),
                "Followers": ("n", lambda row: f"{row.total_followers:,}"),
                **excess,
                "q": ("n", lambda row: p_value(row.q_value)),
            },
        ),
        _table(
            "Authors",
            authors,
            "authors.csv",
            {
                "Author": ("t", lambda row: str(row.author) or "not known"),
                **posts,
                **attributed,
                **excess,
                "Arrangements led": ("n", lambda row: f"{row.arrangements_led:,}"),
                "Influence": ("n", lambda row: number(row.influence)),
            },
        ),
        _table(
            "Places",
            places if len(places) > 1 else places[:0],
            "places.csv",
            {
                **place,
                **posts,
                **by,
                "Arrangements": ("n", lambda row: f"{row.arrangements:,}"),
                **attributed,
                **excess,
            },
        ),
    ]
    return [table for table in tables if table.rows]


def robustness_table(table: pd.DataFrame) -> Table:
    """The leading posts under other thresholds and decays; the settings that were used stand out."""
    columns: Columns = {
        "Threshold": ("n", lambda row: f"{row.threshold:.2f}"),
        "Decay (days)": ("n", lambda row: f"{row.decay_days:.3g}"),
        "Leading posts kept": ("n", lambda row: percent(row.kept, 0)),
        "Same first": ("t", lambda row: "yes" if row.same_first else "no"),
        "Rank correlation": ("n", lambda row: number(row.correlation, 2)),
    }
    return _table("", table, "", columns, most=len(table))


def _table(title: str, table: pd.DataFrame, file: str, columns: Columns, most: int = MOST_ROWS) -> Table:
    rows = list(table.head(most).itertuples(index=False))
    note = f"the first {most} of {len(table):,}; all in {file}" if len(table) > most else ""
    return Table(
        list(columns),
        [[cell(row) for _, cell in columns.values()] for row in rows],
        "".join(kind for kind, _ in columns.values()),
        [k for k, row in enumerate(rows) if getattr(row, "used", False)],
        title,
        note,
    )


def _day(moment: Any) -> str:
    return "" if pd.isna(moment) else day(moment)
