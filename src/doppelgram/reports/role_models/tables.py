"""The tables of the report: the first rows of what a trace wrote into its CSV files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from doppelgram.numbers import day, number, p_value, percent
from doppelgram.reports.pages import Table
from doppelgram.rolemodels.findings import place_text, spreads
from doppelgram.rolemodels.result import RoleModels

MOST_ROWS = 10
# By heading, what a column holds (see `Table.kinds`) and what stands in a row's cell.
_COLUMNS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "Arrangement": ("t", lambda row: str(row.arrangement)),
    "Author": ("t", lambda row: str(row.author) or "not known"),
    "Place": ("t", lambda row: place_text(row.place)),
    "Posts": ("n", lambda row: f"{row.posts:,}"),
    "Authors": ("n", lambda row: f"{row.authors:,}"),
    "Arrangements": ("n", lambda row: f"{row.arrangements:,}"),
    "Arrangements led": ("n", lambda row: f"{row.arrangements_led:,}"),
    "From": ("d", lambda row: _day(row.first)),
    "to": ("d", lambda row: _day(row.last)),
    "Attributed followers": ("n", lambda row: number(row.attributed)),
    "Influence": ("n", lambda row: number(row.influence)),
    "Excess": ("n", lambda row: number(row.excess)),
    "p": ("n", lambda row: _tested(row.spread_p)),
    "q": ("n", lambda row: _tested(row.spread_q)),
    "Likely origin": ("t", lambda row: str(row.originator) if spreads(row) else ""),
    "Probability": ("n", lambda row: percent(row.origin, 0) if spreads(row) else ""),
    "Threshold": ("n", lambda row: f"{row.threshold:.2f}"),
    "Decay (days)": ("n", lambda row: f"{row.decay_days:.3g}"),
    "Leading posts kept": ("n", lambda row: percent(row.kept, 0)),
    "Same first": ("t", lambda row: "yes" if row.same_first else "no"),
    "Rank correlation": ("n", lambda row: number(row.correlation, 2)),
}
_ARRANGEMENTS = ("Arrangement", "Place", "Posts", "Authors", "From", "to", "p", "q", "Likely origin", "Probability")
_AUTHORS = ("Author", "Posts", "Attributed followers", "Excess", "Arrangements led", "Influence")
_PLACES = ("Place", "Posts", "Authors", "Arrangements", "Attributed followers", "Excess")
_ROBUSTNESS = ("Threshold", "Decay (days)", "Leading posts kept", "Same first", "Rank correlation")


def report_tables(found: RoleModels) -> list[Table]:
    """The largest arrangements, the authors with most influence, and the places, if there is more than one."""
    tables = [
        _table("Largest arrangements", found.arrangements, "arrangements.csv", _ARRANGEMENTS),
        _table("Authors", found.authors, "authors.csv", _AUTHORS),
    ]
    if len(found.places) > 1:
        tables.append(_table("Places", found.places, "places.csv", _PLACES))
    return [table for table in tables if table.rows]


def robustness_table(table: pd.DataFrame) -> Table:
    """The leading posts under other thresholds and decays; the settings that were used stand out."""
    return _table("", table, "", _ROBUSTNESS, most=len(table))


def _table(title: str, table: pd.DataFrame, file: str, headings: Sequence[str], most: int = MOST_ROWS) -> Table:
    rows = list(table.head(most).itertuples(index=False))
    note = f"the first {most} of {len(table):,}; all in {file}" if len(table) > most else ""
    return Table(
        headings,
        [[_COLUMNS[heading][1](row) for heading in headings] for row in rows],
        "".join(_COLUMNS[heading][0] for heading in headings),
        [k for k, row in enumerate(rows) if getattr(row, "used", False)],
        title,
        note,
    )


def _tested(value: float) -> str:
    return "not tested" if pd.isna(value) else p_value(value)


def _day(moment: Any) -> str:
    return "" if pd.isna(moment) else day(moment)
