"""The tables of the report."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from doppelgram.reports.role_models.words import figure, p_text, place_text

MOST_ROWS = 10
_CHOSEN = ' class="chosen"'

Column = tuple[str, Callable[[Any], str], str]
"""Heading, what stands in a row's cell, and what that is: a number, a date or text."""
_NUMBER, _DATE, _TEXT = "n", "d", ""


def arrangements_table(table: pd.DataFrame) -> str:
    """The largest arrangements and their role models."""
    columns: list[Column] = [
        ("Arrangement", lambda row: str(row.arrangement), _TEXT),
        ("Place", lambda row: place_text(row.place), _TEXT),
        ("Posts", lambda row: f"{row.posts:,}", _NUMBER),
        ("Authors", lambda row: f"{row.authors:,}", _NUMBER),
        ("From", lambda row: _day(row.first), _DATE),
        ("to", lambda row: _day(row.last), _DATE),
        ("Role model by", lambda row: str(row.author) or "not known", _TEXT),
        ("Followers", lambda row: f"{row.total_followers:,}", _NUMBER),
        ("Excess", lambda row: figure(row.excess), _NUMBER),
        ("q", lambda row: p_text(row.q_value), _NUMBER),
    ]
    return _titled("Largest arrangements", table, columns, "arrangements.csv")


def authors_table(table: pd.DataFrame) -> str:
    """The authors whose posts have most influence."""
    columns: list[Column] = [
        ("Author", lambda row: str(row.author) or "not known", _TEXT),
        ("Posts", lambda row: f"{row.posts:,}", _NUMBER),
        ("Attributed followers", lambda row: figure(row.attributed), _NUMBER),
        ("Excess", lambda row: figure(row.excess), _NUMBER),
        ("Arrangements led", lambda row: f"{row.arrangements_led:,}", _NUMBER),
        ("Influence", lambda row: figure(row.influence), _NUMBER),
    ]
    return _titled("Authors", table, columns, "authors.csv")


def places_table(table: pd.DataFrame) -> str:
    """The places at which most is repeated; nothing where there is only one."""
    columns: list[Column] = [
        ("Place", lambda row: place_text(row.place), _TEXT),
        ("Posts", lambda row: f"{row.posts:,}", _NUMBER),
        ("Authors", lambda row: f"{row.authors:,}", _NUMBER),
        ("Arrangements", lambda row: f"{row.arrangements:,}", _NUMBER),
        ("Attributed followers", lambda row: figure(row.attributed), _NUMBER),
        ("Excess", lambda row: figure(row.excess), _NUMBER),
    ]
    return _titled("Places", table, columns, "places.csv") if len(table) > 1 else ""


def robustness_table(table: pd.DataFrame) -> str:
    """The leading posts under other thresholds and decays; the settings used stand in bold."""
    columns: list[Column] = [
        ("Threshold", lambda row: f"{row.threshold:.2f}", _NUMBER),
        ("Decay (days)", lambda row: f"{row.decay_days:.3g}", _NUMBER),
        ("Leading posts kept", lambda row: f"{100 * row.kept:.0f} %", _NUMBER),
        ("Same first", lambda row: "yes" if row.same_first else "no", _TEXT),
        ("Rank correlation", lambda row: figure(row.correlation, 2), _NUMBER),
    ]
    return _table(list(table.itertuples(index=False)), columns)


def _titled(title: str, table: pd.DataFrame, columns: Sequence[Column], file: str) -> str:
    if table.empty:
        return ""
    rows = list(table.head(MOST_ROWS).itertuples(index=False))
    more = (
        f' <span class="quiet">the first {MOST_ROWS} of {len(table):,}; all in {file}</span>'
        if len(table) > MOST_ROWS
        else ""
    )
    return f'<div class="titled"><h3>{title}{more}</h3>{_table(rows, columns)}</div>'


def _table(rows: Sequence[Any], columns: Sequence[Column]) -> str:
    def cell(tag: str, text: str, kind: str) -> str:
        marked = f' class="{kind}"' if kind else ""
        return f"<{tag}{marked}>{html.escape(text)}</{tag}>"

    head = "".join(cell("th", name, kind) for name, _, kind in columns)
    body = "".join(
        f"<tr{_CHOSEN if getattr(row, 'used', False) else ''}>"
        f"{''.join(cell('td', told(row), kind) for _, told, kind in columns)}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _day(moment: Any) -> str:
    return "" if pd.isna(moment) else f"{moment:%Y-%m-%d}"
