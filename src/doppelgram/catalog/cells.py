"""Cells of tables that no spreadsheet takes for a formula."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@")


def harmless(cell: str) -> str:
    """The text, with an apostrophe before what could begin a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def plain(cell: str) -> str:
    """The text without the apostrophe of `harmless`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
