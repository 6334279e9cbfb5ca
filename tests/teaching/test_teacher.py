"""A catalog that is taught: real photographs, a real database, what survives closing it."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from doppelgram.api.index import index
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.dataset.pairs import read_pairs
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import count
from doppelgram.teaching.answers import Said, pairs_of
from doppelgram.teaching.tables.answers import read_answers
from doppelgram.teaching.tables.names import read_names
from doppelgram.teaching.teacher import Teacher


@pytest.fixture
def filled(catalog: Catalog, photos: Path, model_folder: Path) -> Catalog:
    index(photos, model_folder, catalog.folder, progress=SilentProgress())
    return Catalog.open(catalog.folder)


def labels_of(catalog: Catalog) -> dict[str, str]:
    rows = catalog.rows(("id", "label"))
    return dict(zip(rows["id"], rows["label"], strict=True))


def test_questions_are_answered_until_nothing_is_left_to_ask(filled: Catalog) -> None:
    teacher, truth = Teacher(filled), labels_of(filled)
    asked: set[frozenset[str]] = set()
    for _ in range(100):
        questions = teacher.questions(3)
        if not questions:
            break
        assert questions == teacher.questions(3)  # the same answers lead to the same questions
        assert [one.gain for one in questions] == sorted((one.gain for one in questions), reverse=True)
        first = questions[0]
        pair = frozenset((first.ids_a[0], first.ids_b[0]))
        assert pair not in asked
        asked.add(pair)
        same = len({truth[id_] for id_ in (*first.ids_a, *first.ids_b)}) == 1
        different = truth[first.ids_a[0]] != truth[first.ids_b[0]]
        assert teacher.answer(first, 1.0 if same else 0.0 if different else 0.5, "ann").accepted
    assert teacher.questions() == []
    labels = {id_: group.number for group in teacher.groups() for id_ in group.ids}
    for pair_ in (pair for entry in teacher.log.standing() for pair in pairs_of(entry)):
        if pair_.degree in (0, 1):
            assert (labels[pair_.id_a] == labels[pair_.id_b]) == (truth[pair_.id_a] == truth[pair_.id_b])
    assert teacher.state() == Teacher(filled).state()  # all of it is in the catalog


def test_what_follows_is_settled_and_a_contradiction_is_kept_aside(filled: Catalog) -> None:
    teacher, ids = Teacher(filled), sorted(labels_of(filled))
    assert teacher.state().sentence == f"No answers yet: {count(teacher.state().groups, 'group')} by the model alone."
    assert teacher.answer((ids[0], ids[1]), 1).settled == 1
    assert teacher.answer((ids[1], ids[2]), 1).settled == 2
    assert teacher.answer((ids[2], ids[3]), 0).settled == 3
    wrong = teacher.answer((ids[0], ids[3]), 1)
    assert (wrong.accepted, wrong.settled, wrong.number) == (False, 0, 4)
    assert wrong.sentence.startswith("Kept aside: class ")
    assert teacher.undo() is not None
    assert teacher.undo() is not None
    assert teacher.state().settled_pairs == 3
    assert teacher.state().sentence.startswith("2 answers settle 3 pairs of photographs; ")
    groups = {id_: group.number for group in teacher.groups() for id_ in group.ids}
    assert len({groups[id_] for id_ in ids[:3]}) == 1


def test_a_skipped_question_is_not_asked_again_while_the_catalog_is_open(filled: Catalog) -> None:
    teacher = Teacher(filled)
    first = teacher.questions(1)[0]
    assert teacher.answer(first, None).number == 0
    assert first.key not in {one.key for one in teacher.questions(50)}
    assert teacher.question(first.key) == first
    assert Teacher(filled).questions(1) == [first]
    with pytest.raises(DoppelgramError, match="ask for questions again"):
        Teacher(filled).question(first.key)


def test_names_settle_and_are_exported_with_the_pairs(filled: Catalog, tmp_path: Path) -> None:
    teacher, ids = Teacher(filled), sorted(labels_of(filled))
    teacher.name(ids[:3], "Old bridge", "bob")
    teacher.name(ids[3:5], "Gate")
    teacher.answer((ids[5], ids[0]), 1)
    teacher.answer((ids[6], ids[0]), 0.25)
    assert teacher.state().settled_pairs == 6 + 1 + 4 * 2
    named = {group.name: group for group in teacher.groups() if group.name}
    assert set(ids[:3]) <= set(named["Old bridge"].ids)
    assert named["Gate"].settled or len(named["Gate"].ids) > 2
    assert teacher.export_labels(tmp_path / "labels.csv") == 6
    collection = read_collection(tmp_path / "labels.csv")
    assert sorted(collection.labels.tolist()) == ["Gate"] * 2 + ["Old bridge"] * 4
    assert teacher.export_pairs(tmp_path / "pairs.csv") == 2
    assert read_pairs(tmp_path / "pairs.csv").same.tolist() == [True, False]
    with (tmp_path / "pairs.csv").open(encoding="utf-8") as opened:
        assert [row["degree"] for row in csv.DictReader(opened)] == ["1", "0.25"]


def test_what_is_exported_and_imported_gives_the_same_state(
    filled: Catalog, photos: Path, model_folder: Path, tmp_path: Path
) -> None:
    teacher, truth = Teacher(filled), labels_of(filled)
    ids = sorted(truth)
    other = next(id_ for id_ in ids if truth[id_] != truth[ids[0]])
    same = [id_ for id_ in ids if truth[id_] == truth[ids[0]]][1:3]
    teacher.name([ids[0], same[0]], "-one-", "bob")
    for question in teacher.questions(8):  # of groups, too, and with log-odds that are learned from
        labels_a, labels_b = ({truth[id_] for id_ in side} for side in (question.ids_a, question.ids_b))
        teacher.answer(question, float(labels_a == labels_b), "ann")
    teacher.answer((ids[0], same[1]), 1)
    teacher.answer((ids[0], other), 0, "=ann")
    assert not teacher.answer((other, same[1]), 1).accepted
    teacher.answer((ids[5], ids[7]), 0.5)
    assert teacher.export_pairs(tmp_path / "answers.csv") >= 11
    assert teacher.export_labels(tmp_path / "labels.csv") >= 2
    with (tmp_path / "answers.csv").open(encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["id_a"], row["id_b"]) for row in rows if row["aside"] == "1"] == [(other, same[1])]
    assert len(read_pairs(tmp_path / "answers.csv").same) == len(rows) - 1  # what does not count is no pair

    index(photos, model_folder, tmp_path / "again", progress=SilentProgress())
    again = Teacher(Catalog.open(tmp_path / "again"))
    added = again.add(read_answers(tmp_path / "answers.csv", again.photographs))
    again.add_names(read_names(tmp_path / "labels.csv", again.photographs))
    assert [problem[:12] for problem in added.problems] == ["kept aside: "]
    assert again.state() == teacher.state()
    assert again.groups() == teacher.groups()
    assert again.questions(5) == teacher.questions(5)
    assert [one.who for one in again.log.standing()][:-1] == [one.who for one in teacher.log.standing()][1:]
    assert again.add(read_answers(tmp_path / "answers.csv", again.photographs)).added == 0  # and may be given twice
    assert teacher.add(read_answers(tmp_path / "answers.csv", teacher.photographs)).added == 0

    again.export_pairs(tmp_path / "twice.csv")
    with (tmp_path / "twice.csv").open(encoding="utf-8") as opened:
        twice = list(csv.DictReader(opened))
    assert [row["aside"] for row in twice] == [row["aside"] for row in rows]
    while again.undo():
        pass
    assert again.state().answers == 0


def test_what_another_process_answers_is_seen(filled: Catalog) -> None:
    one, other, ids = Teacher(filled), Teacher(filled), sorted(labels_of(filled))
    assert one.state().answers == 0
    other.answer((ids[0], ids[1]), 1)
    assert one.state().answers == 1


def test_a_photograph_that_is_not_there_is_refused(filled: Catalog) -> None:
    teacher, ids = Teacher(filled), sorted(labels_of(filled))
    with pytest.raises(DoppelgramError, match="no photograph"):
        teacher.answer((ids[0], "f" * 64), 1)
    with pytest.raises(DoppelgramError, match="is empty"):
        teacher.name(ids[:1], " ")
    assert teacher.state().answers == 0
    with pytest.raises(DoppelgramError, match="has no version 9"):
        teacher.go_back(9)


def test_an_empty_catalog_says_what_to_do(catalog: Catalog) -> None:
    with pytest.raises(DoppelgramError, match="index images into it first"):
        Teacher(catalog).questions()


def test_recalibration_is_refused_on_few_answers_taken_on_many_and_taken_back(filled: Catalog) -> None:
    teacher, truth = Teacher(filled), labels_of(filled)
    refused = teacher.recalibrate()
    assert (refused.accepted, refused.version) == (False, 1)
    assert "Too few answers" in refused.sentence
    # Different in truth, though the model says the same of all.
    different = [(a, b) for a, b in combinations(sorted(truth), 2) if truth[a] != truth[b]]
    teacher.log.add_pairs([Said((a,), (b,), 0) for a, b in different])
    before = Catalog.open(filled.folder).load_model()
    taken = teacher.recalibrate()
    assert taken.accepted
    assert taken.after < taken.before
    assert taken.interval[1] < 0
    assert (taken.version, [one.current for one in teacher.versions()]) == (2, [False, True])
    after = Catalog.open(filled.folder).load_model()
    assert after.fingerprint == before.fingerprint
    assert (filled.vectors() == Catalog.open(filled.folder).vectors()).all()
    reach = np.linspace(0, 0.2, 9)
    assert (
        after.space.calibration.search_probability(reach) < before.space.calibration.search_probability(reach)
    ).all()
    assert (after.space.probability(reach) == before.space.probability(reach)).all()
    assert teacher.go_back(1).number == 1
    assert Catalog.open(filled.folder).load_model().space == before.space
    assert [one.number for one in teacher.versions()] == [1, 2]
    assert teacher.state().version == 1


def test_a_calibration_by_other_means_becomes_a_version(filled: Catalog) -> None:
    teacher = Teacher(filled)
    teacher.name(sorted(filled.hashes())[:2], "one thing")
    assert [one.made_by for one in teacher.versions()] == ["as it was indexed"]
    model = filled.load_model()
    model.calibrate({**model.described()[0]["calibration"], "slope": 25.0})
    model.save(filled.folder / "model")
    assert [(one.made_by, one.current) for one in teacher.versions()] == [
        ("as it was indexed", False),
        ("calibrated outside of teaching", True),
    ]


def test_reading_writes_nothing(filled: Catalog) -> None:
    before = {file: file.stat().st_mtime_ns for file in filled.folder.rglob("*")}
    teacher = Teacher(filled)
    assert teacher.questions(3)
    assert teacher.groups()
    assert teacher.state().version == 1
    assert [(one.number, one.current) for one in teacher.versions()] == [(1, True)]
    assert not teacher.recalibrate().accepted
    assert {file: file.stat().st_mtime_ns for file in filled.folder.rglob("*")} == before
    assert teacher.go_back(1).number == 1  # that is a wish to keep it
    assert (filled.folder / "versions").is_dir()
