"""The log of answers, in a real database, also by two processes at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.teaching.answers import PAIR, Answers, Pair, Said, pairs_of

A, B, C, D = (letter * 64 for letter in "abcd")

_MANY = """
import sys
from pathlib import Path
from doppelgram.teaching.answers import PAIR, Answers, Pair, Said, pairs_of
log = Answers(Path(sys.argv[1]))
for number in range(6):
    log.add_pairs([Said((f"{number:064x}",), (sys.argv[2] * 64,), 1.0)] * 2, sys.argv[2])
"""


def pairs(log: Answers) -> list[Pair]:
    return [pair for entry in log.standing() if entry.kind == PAIR for pair in pairs_of(entry)]


def test_what_was_said_stands_until_it_is_taken_back(catalog: Catalog) -> None:
    log = Answers(catalog.folder)
    assert (log.history(), pairs(log), log.names(), log.undo(), len(log)) == ([], [], {}, None, 0)
    assert log.add_pairs([Said((A,), (B,), 1), Said((A, C), (D, B), 0), Said((B,), (C,), 0.25)], "ann") == [1, 2, 3]
    assert log.name([A, B], "  Old  bridge ", "bob") == 4
    assert [(pair.id_a, pair.id_b, pair.degree, pair.who) for pair in pairs(log)] == [
        (A, B, 1, "ann"),
        (A, D, 0, "ann"),
        (B, C, 0.25, "ann"),
    ]
    assert log.names() == {A: "Old bridge", B: "Old bridge"}
    taken = log.undo("bob")
    assert taken is not None
    assert (taken.kind, taken.number) == ("name", 4)
    assert log.names() == {}
    again = log.undo()
    assert again is not None
    assert again.number == 3
    assert [entry.kind for entry in Answers(catalog.folder).history()] == [
        "pair",
        "pair",
        "pair",
        "name",
        "undo",
        "undo",
    ]
    assert len(pairs(log)) == 2
    assert log.history()[0].when <= log.history()[-1].when


def test_a_yes_about_groups_is_said_of_every_photograph_shown(catalog: Catalog) -> None:
    log = Answers(catalog.folder)
    log.add_pairs([Said((A, B), (C, D), 1.0, odds=0.5, strength=1.4)])
    assert [(pair.id_a, pair.id_b) for pair in pairs(log)] == [(A, B), (A, C), (A, D)]
    assert (log.history()[0].odds, log.history()[0].strength) == (0.5, 1.4)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Said((A,), (A,), 1), "itself"),
        (Said((), (A,), 1), "no photograph"),
        (Said(("x' OR 1",), (A,), 1), "is not the id"),
        (Said((A,), (B,), 1.5), "between 0 and 1"),
        (Said((A,), (B,), float("nan")), "between 0 and 1"),
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_is_kept(catalog: Catalog, said: Said, message: str) -> None:
    log = Answers(catalog.folder)
    with pytest.raises(DoppelgramError, match=message):
        log.add_pairs([Said((C,), (D,), 1), said])
    with pytest.raises(DoppelgramError, match="empty"):
        log.name([A], " ")
    assert len(log) == 0


@pytest.mark.slow
def test_two_processes_answer_at_once_and_nothing_is_lost(catalog: Catalog) -> None:
    command = [sys.executable, "-c", _MANY, str(catalog.folder)]
    both = [subprocess.Popen([*command, who], stderr=subprocess.PIPE, text=True) for who in "ab"]
    for one in both:
        assert one.communicate()[1] == ""
    history = Answers(catalog.folder).history()
    assert [entry.number for entry in history] == list(range(1, 25))
    assert sorted((entry.who, entry.ids_a) for entry in history) == sorted(
        (who, (f"{number:064x}",)) for who in "ab" for number in range(6) for _ in range(2)
    )


def test_the_catalog_itself_stays_as_it_was(catalog: Catalog, photos: Path, model_folder: Path) -> None:
    from doppelgram.api.index import index
    from doppelgram.console import SilentProgress

    index(photos, model_folder, catalog.folder, progress=SilentProgress())
    before = Catalog.open(catalog.folder).rows()
    Answers(catalog.folder).add_pairs([Said((A,), (B,), 1)])
    assert Catalog.open(catalog.folder).rows().equals(before)
