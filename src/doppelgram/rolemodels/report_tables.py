"""The tables of the report."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from doppelgram.rolemodels.report_words import figure, p_text, place_text

MOST_ROWS = 10
NUMBER, CHOSEN = ' class="n"', ' class="chosen"'

Column = tuple[str, Callable[[Any], str], bool]
"""Heading, what stands in a row's cell, and whether that is a number."""


def arrangements_table(table: pd.DataFrame) -> str:
    """The largest arrangements and their role models."""
    columns: list[Column] = [
        ("Arrangement", lambda row: str(row.arrangement), False),
        ("Place", lambda row: place_text(row.place), False),
        ("Posts", lambda row: f"{row.posts:,}", True),
        ("Authors", lambda row: f"{row.authors:,}", True),
        ("From", lambda row: _day(row.first), False),
        ("to", lambda row: _day(row.last), False),
        ("Role model by", lambda row: str(row.author) or "not known", False),
        ("Followers", lambda row: f"{row.total_followers:,}", True),
        ("Excess", lambda row: figure(row.excess), True),
        ("q", lambda row: p_text(row.q_value), True),
    ]
    return _titled("Largest arrangements", table, columns, "arrangements.csv")


def authors_table(table: pd.DataFrame) -> str:
    """The authors whose posts have most influence."""
    columns: list[Column] = [
        ("Author", lambda row: str(row.author) or "not known", False),
        ("Posts", lambda row: f"{row.posts:,}", True),
        ("Attributed followers", lambda row: figure(row.attributed), True),
        ("Excess", lambda row: figure(row.excess), True),
        ("Arrangements led", lambda row: f"{row.arrangements_led:,}", True),
        ("Influence", lambda row: figure(row.influence), True),
    ]
    return _titled("Authors", table, columns, "authors.csv")


def places_table(table: pd.DataFrame) -> str:
    """The places at which most is repeated; nothing where there is only one."""
    columns: list[Column] = [
        ("Place", lambda row: place_text(row.place), False),
        ("Posts", lambda row: f"{row.posts:,}", True),
        ("Authors", lambda row: f"{row.authors:,}", True),
        ("Arrangements", lambda row: f"{row.arrangements:,}", True),
        ("Attributed followers", lambda row: figure(row.attributed), True),
        ("Excess", lambda row: figure(row.excess), True),
    ]
    return _titled("Places", table, columns, "places.csv") if len(table) > 1 else ""


def robustness_table(table: pd.DataFrame) -> str:
    """The leading posts under other thresholds and decays; the settings used stand in bold."""
    columns: list[Column] = [
        ("Threshold", lambda row: f"{row.threshold:.2f}", True),
        ("Decay (days)", lambda row: f"{row.decay_days:.3g}", True),
        ("Leading posts kept", lambda row: f"{100 * row.kept:.0f} %", True),
        ("Same first", lambda row: "yes" if row.same_first else "no", False),
        ("Rank correlation", lambda row: figure(row.correlation, 2), True),
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
    def cell(tag: str, text: str, number: bool) -> str:
        return f"<{tag}{NUMBER if number else ''}>{html.escape(text)}</{tag}>"

    head = "".join(cell("th", name, number) for name, _, number in columns)
    body = "".join(
        f"<tr{CHOSEN if getattr(row, 'used', False) else ''}>"
        f"{''.join(cell('td', told(row), number) for _, told, number in columns)}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _day(moment: Any) -> str:
    return "" if pd.isna(moment) else f"{moment:%Y-%m-%d}"
