"""What follows from answers, beside a naive search through them."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from doppelgram.teaching.answers import NAME, PAIR, Entry
from doppelgram.teaching.known import Known

IDS = [f"{number:064x}" for number in range(7)]
Log = list[tuple[int, int, float]]


def pair(number: int, a: str, b: str, degree: float) -> Entry:
    return Entry(PAIR, (a,), (b,), degree, number=number)


def name(number: int, ids: list[str], text: str) -> Entry:
    return Entry(NAME, tuple(ids), name=text, number=number)


def naive(log: Log) -> tuple[dict[frozenset[int], bool], set[int]]:
    """All pairs that are certain, and the answers that contradict: closure from the start after every answer."""
    known: dict[frozenset[int], bool] = {}
    aside: set[int] = set()
    for number, (a, b, degree) in enumerate(log):
        said, before = degree == 1, known.get(frozenset((a, b)))
        if before is not None:
            aside |= {number} if before != said else set()
            continue
        known[frozenset((a, b))] = said
        changed = True
        while changed:
            changed = False
            for x, y in combinations(range(len(IDS)), 2):
                for z in set(range(len(IDS))) - {x, y}:
                    one, other = known.get(frozenset((x, z))), known.get(frozenset((z, y)))
                    if None not in (one, other) and (one or other) and frozenset((x, y)) not in known:
                        known[frozenset((x, y))] = bool(one and other)
                        changed = True
    return known, aside


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.0, 1.0])).filter(
            lambda one: one[0] != one[1]
        ),
        max_size=12,
    )
)
def test_what_follows_is_what_a_naive_search_finds(log: Log) -> None:
    known = Known.of([pair(number, IDS[a], IDS[b], degree) for number, (a, b, degree) in enumerate(log)])
    expected, aside = naive(log)
    for x, y in combinations(range(len(IDS)), 2):
        assert known.same(IDS[x], IDS[y]) is expected.get(frozenset((x, y)))
    assert {one.number for one in known.aside} == aside
    blocks, apart = known.blocks(IDS), {tuple(row) for row in known.apart(IDS).tolist()}
    for x, y in combinations(range(len(IDS)), 2):
        assert (blocks[x] == blocks[y]) == (expected.get(frozenset((x, y))) is True)
        assert (tuple(sorted((blocks[x], blocks[y]))) in apart) == (expected.get(frozenset((x, y))) is False)


def test_a_contradiction_is_told_and_counts_once_the_others_are_taken_back() -> None:
    log = [pair(1, IDS[0], IDS[1], 1), pair(2, IDS[1], IDS[2], 0), pair(3, IDS[0], IDS[2], 1)]
    known = Known.of(log, lambda id_: f"photo {int(id_, 16)}")
    assert known.same(IDS[0], IDS[2]) is False
    assert [(one.number, one.sentence) for one in known.aside] == [
        (
            3,
            "photo 0 and photo 2 were said to be the same, but from earlier answers it follows that they are "
            "different; the earlier answers count",
        )
    ]
    later = Known.of([log[0], log[2]])
    assert later.same(IDS[1], IDS[2]) is True
    assert later.aside == []


def test_names_make_the_same_and_different_names_different() -> None:
    known = Known.of(
        [name(1, IDS[:2], "Ann"), name(2, [IDS[2]], "Bob"), name(3, [IDS[3]], "Ann"), pair(4, IDS[4], IDS[2], 1)]
    )
    assert known.same(IDS[0], IDS[3]) is True
    assert known.same(IDS[0], IDS[4]) is False
    assert [known.name(id_) for id_ in IDS[:6]] == ["Ann", "Ann", "Bob", "Ann", "Bob", ""]
    assert known.named(IDS) == {0: "Ann", 1: "Bob"}


def test_the_latest_name_counts_unless_answers_say_otherwise() -> None:
    renamed = Known.of([name(1, IDS[:2], "An"), name(2, IDS[:2], "Ann")])
    assert (renamed.name(IDS[0]), renamed.aside) == ("Ann", [])
    split = Known.of([pair(1, IDS[0], IDS[1], 1), name(2, [IDS[0]], "Ann"), name(3, [IDS[1]], "Bob")])
    assert split.name(IDS[1]) == "Ann"
    assert "its name is 'Ann'" in split.aside[0].sentence


def test_partly_settles_nothing_and_is_not_asked_again() -> None:
    known = Known.of([pair(1, IDS[0], IDS[1], 0.5)])
    assert known.same(IDS[0], IDS[1]) is None
    assert frozenset(IDS[:2]) in known.asked
