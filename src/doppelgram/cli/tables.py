"""Tables and paragraphs that fit the terminal, or 80 columns where there is none: numbers stay whole, names shrink."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Collection, Sequence

import typer

GAP = 2
ELLIPSIS = "…"


def terminal_width() -> int:
    """Columns of the terminal; 80 where the output goes to a file, unless COLUMNS says otherwise."""
    return shutil.get_terminal_size((80, 24)).columns


def shorten(text: str, width: int) -> str:
    """A text of at most so many columns; what does not fit is left out in the middle, since names differ at the end."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    head = text[: max(0, (width - 1) // 3)]
    while head and cell_len(head) > (width - 1) // 3:
        head = head[:-1]
    tail = text[len(head) :]
    while tail and cell_len(head) + 1 + cell_len(tail) > width:
        tail = tail[1:]
    return f"{head}{ELLIPSIS}{tail}"


def format_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, names: Collection[str], width: int | None = None
) -> list[str]:
    """A table in lines, the heading first.

    Args:
        headings: of the columns.
        rows: cells as text.
        names: headings of the columns that may be shortened. They stand left, all others right.
        width: columns of the whole table; the terminal's by default.
    """
    from rich.cells import cell_len

    lines = [list(headings), *([" ".join(cell.split()) for cell in row] for row in rows)]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(headings))]
    flexible = [column for column, heading in enumerate(headings) if heading in names]
    left = (width or terminal_width()) - GAP * (len(headings) - 1) - sum(widths) + sum(widths[c] for c in flexible)
    for done, column in enumerate(
        sorted(flexible, key=lambda c: widths[c])
    ):  # the shortest take no more than they need
        widths[column] = min(widths[column], max(4, left // (len(flexible) - done)))
        left -= widths[column]

    def cell(text: str, column: int) -> str:
        text = shorten(text, widths[column])
        blank = " " * (widths[column] - cell_len(text))
        return text + blank if column in flexible else blank + text

    return [(" " * GAP).join(cell(text, column) for column, text in enumerate(line)).rstrip() for line in lines]


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, names: Collection[str]) -> None:
    """Print a table; the heading is bold in a terminal."""
    heading, *lines = format_table(headings, rows, names=names)
    typer.secho(heading, bold=True)
    for line in lines:
        typer.echo(line)


def echo_paragraph(text: str, *, indent: int = 0, first: str = "") -> None:
    """Print a text in lines that fit, every line indented; ``first`` stands before it in the first line."""
    blank = " " * indent
    for line in textwrap.wrap(
        " ".join(text.split()),
        terminal_width(),
        initial_indent=first.ljust(indent),
        subsequent_indent=blank,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        typer.echo(line)
