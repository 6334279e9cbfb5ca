"""How answers are written for another program."""

from __future__ import annotations

import pytest

from doppelgram.cli.search import _exact


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.5, "0.5000"),
        (0.99994, "0.9999"),
        (0.99997, "0.99997"),
        (1 - 2**-40, "0.9999999999990905"),
        (1.0, "1.0000"),
        (2e-5, "2e-05"),
        (0.0, "0.0000"),
    ],
)
def test_four_digits_make_nothing_certain(value: float | None, text: str) -> None:
    assert _exact(value) == text
