"""The spelling of numbers, in every corner where rounding or grammar could go wrong."""

from __future__ import annotations

import pytest

from doppelgram import numbers
from doppelgram.numbers import DAY

NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (numbers.percent(0.954), "95.4 %"),
        (numbers.percent(1.0, 0), "100 %"),
        (numbers.percent(-0.0004), "0.0 %"),
        (numbers.percent(NAN), "–"),
        (numbers.interval(0.941, 0.9625), "94.1 to 96.2 %"),
        (numbers.estimate(0.954, 0.941, 0.962), "95.4 % (94.1 to 96.2)"),
        (numbers.points(0.032, -0.001, 0.065), "3.2 points (−0.1 to 6.5)"),
        (numbers.probability(0.0), "0 %"),
        (numbers.probability(0.004), "< 1 %"),
        (numbers.probability(0.5), "50 %"),
        (numbers.probability(0.9999), "> 99 %"),
        (numbers.probability(1.0), "100 %"),
        (numbers.probability(None), "–"),
        (numbers.p_value(0.0049), "0.005"),
        (numbers.p_value(0.0001), "< 0.001"),
        (numbers.p_value(0.0001, "p"), "p < 0.001"),
        (numbers.p_value(0.314, "q"), "q = 0.31"),
        (numbers.p_value(float("nan"), "q"), "q = –"),
        (numbers.p_value(0.314), "0.31"),
        (numbers.number(-1234.56), "−1,234.6"),
        (numbers.number(-0.01), "0.0"),
        (numbers.count(1, "post"), "1 post"),
        (numbers.count(1200, "post"), "1,200 posts"),
        (numbers.count(0, "query", "queries"), "0 queries"),
        (numbers.plural(1, "is", "are"), "is"),
        (numbers.listing([]), ""),
        (numbers.listing(["a"]), "a"),
        (numbers.listing(["a", 2, "c"]), "a, 2 and c"),
        (numbers.listing("abcd", 2), "a, b and 2 more"),
        (numbers.duration(0.42), "0.4 s"),
        (numbers.duration(75), "75 s"),
        (numbers.duration(725), "12 min"),
        (numbers.duration(9000), "2.5 h"),
        (numbers.span(45), "45 seconds"),
        (numbers.span(60), "1 minute"),
        (numbers.span(3 * DAY), "3 days"),
        (numbers.span(2.5 * 365.25 * DAY), "2.5 years"),
        (numbers.span(NAN), ""),
        (numbers.date(0), "1 Jan 1970"),
        (numbers.date(NAN), ""),
        (numbers.size(1), "1 byte"),
        (numbers.size(512), "512 bytes"),
        (numbers.size(999_600), "1.0 MB"),
        (numbers.size(3_400_000), "3.4 MB"),
        (numbers.size(12_000_000_000), "12 GB"),
        (numbers.size(5_000_000_000_000), "5.0 TB"),
        (numbers.shortened("abcdef", 4), "abc…"),
        (numbers.percent_tick(0.001), "0.1 %"),
        (numbers.percent_tick(1.2), ""),
    ],
)
def test_numbers_are_spelled_one_way(text: str, expected: str) -> None:
    assert text == expected
