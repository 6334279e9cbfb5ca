"""Tables and paragraphs that fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from doppelgram.cli.tables import echo_paragraph, format_table, shorten, terminal_width


def test_the_middle_of_a_name_is_left_out() -> None:
    assert shorten("photos/round/13702_74.png", 80) == "photos/round/13702_74.png"
    assert shorten("photos/round_red_30/13702_74.png", 20) == "photos…/13702_74.png"


@given(st.text(min_size=1), st.integers(4, 60))
def test_what_is_shortened_fits(text: str, width: int) -> None:
    assert cell_len(shorten(text, width)) <= width


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.text(max_size=70), st.text(max_size=200)), min_size=1, max_size=5),
    st.integers(40, 120),
)
def test_numbers_stay_whole_and_every_line_fits(rows: list[tuple[int, str, str]], width: int) -> None:
    cells = [(str(number), author, path) for number, author, path in rows]
    heading, *lines = format_table(("followers", "author", "path"), cells, names=("author", "path"), width=width)
    assert "followers" in heading
    assert max(map(cell_len, (heading, *lines))) <= width
    assert all(line.split()[0] == number for line, (number, _, _) in zip(lines, cells, strict=True))


def test_a_short_name_leaves_its_room_to_a_long_one() -> None:
    _, line = format_table(("n", "author", "path"), [("1", "ann", "x" * 60)], names=("author", "path"), width=75)
    assert line == "1  ann     " + "x" * 60


def test_80_columns_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal_width() == 80
    echo_paragraph("word " * 50, indent=6, first="note:")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("note: word")
    assert lines[1].startswith("      word")
    assert max(map(len, lines)) <= 80
