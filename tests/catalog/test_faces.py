"""Every face of a photograph as a row of a catalog, and which face answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import doppelgram
from doppelgram.catalog.findings import face_box_from
from doppelgram.catalog.rows import file_of
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from helpers.commands import call
from helpers.face_photo import portrait


@pytest.fixture(scope="module")
def catalog(faces_model: Embedder, people_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog") / "catalog"
    report = doppelgram.index(people_folder, "faces", folder, faces="all")
    assert (report.added, report.faces, report.faceless, report.broken) == (2, 3, 1, 0)
    assert report.summary().startswith("2 added (3 faces), 1 without a face in ")
    assert "none.png' (no face was found in it)" in report.summary()
    return folder


def test_each_face_has_a_row(catalog: Path, people_folder: Path, faces_model: Embedder) -> None:
    entries = {entry.id: entry for entry in Catalog.open(catalog).entries()}
    faces = {id_: face_box_from(entry.columns) for id_, entry in entries.items()}
    assert sorted((entries[id_].name, face.number, face.count) for id_, face in faces.items() if face) == [
        ("one.png", 1, 1),
        ("two.png", 1, 2),
        ("two.png", 2, 2),
    ]
    assert {id_.partition("#")[2] for id_ in entries} == {"", "2"}
    rows, vectors = Catalog.open(catalog).snapshot(["id", "name"])
    both = embed_files(faces_model.with_faces("all"), [people_folder / "two.png"])
    assert both.kept.tolist() == [0, 0]
    of_two = rows[rows["name"] == "two.png"].sort_values("id").index
    np.testing.assert_allclose(vectors[of_two], both.vectors, atol=1e-5)


def test_again_and_after_a_move(catalog: Path, people_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(catalog, tmp_path / "catalog")
    again = doppelgram.index(people_folder, "faces", copy)
    assert (again.added, again.faces, again.already_present, again.updated) == (0, 0, 2, 0)
    with pytest.raises(DoppelgramError, match="holds all faces of a photograph; leave --faces out"):
        doppelgram.index(people_folder, "faces", copy, faces="largest")
    elsewhere = shutil.copytree(people_folder, tmp_path / "elsewhere")
    table = Catalog.open(copy)
    gone = list(table.entries())
    table.update([type(entry)(**{**vars(entry), "path": "/gone/" + entry.name}) for entry in gone])
    moved = doppelgram.index(elsewhere, "faces", copy)
    assert (moved.updated, moved.already_present) == (3, 2)
    assert {Path(entry.path).parent for entry in table.entries()} == {elsewhere}
    assert {entry.id for entry in table.entries()} == {entry.id for entry in gone}
    assert all(face_box_from(entry.columns) for entry in table.entries())


def test_search_says_which_face_answered(catalog: Path, people_folder: Path, tmp_path: Path) -> None:
    portrait().resize((400, 469)).save(tmp_path / "query.png")
    (found,) = doppelgram.search(catalog, [tmp_path / "query.png"], montage=tmp_path / "montage.png")
    assert found.face
    answers = {(match.name, match.face.number) for match in found.matches if match.face}
    assert answers == {("one.png", 1), ("two.png", 1), ("two.png", 2)}
    # Both faces of a photograph ask, and none of its own faces answers.
    both = doppelgram.search(catalog, [people_folder / "two.png"], face="all")
    assert [answer.face.number for answer in both if answer.face] == [1, 2]
    assert [[match.name for match in answer.matches] for answer in both] == [["one.png"]] * 2
    (second,) = doppelgram.search(catalog, [people_folder / "two.png"], face="2")
    assert second.face == both[1].face
    assert second.matches == both[1].matches
    with pytest.raises(DoppelgramError, match="it has no face 2; 1 found"):
        doppelgram.search(catalog, [tmp_path / "query.png"], face="2")
    with pytest.raises(DoppelgramError, match=r"none\.png' cannot be searched for: no face was found in it"):
        doppelgram.search(catalog, [people_folder / "none.png"])
    drawn = np.asarray(Image.open(tmp_path / "montage.png").convert("RGB")).reshape(-1, 3)
    assert (drawn == (255, 255, 255)).all(axis=1).sum() > 500  # the outlines of boxes


def test_one_query_that_cannot_be_asked_stops_no_other(catalog: Path, people_folder: Path, tmp_path: Path) -> None:
    names = [people_folder / "none.png", people_folder / "two.png", tmp_path / "gone.png"]
    extra = ("--montage", tmp_path / "montage.png", "--show-crops", tmp_path / "cuts.png")
    answer = call("search", catalog, *names, "--json", *extra)
    left_out = {each["query"]: each["problem"] for each in json.loads(answer.stdout) if each["problem"]}
    assert left_out == {str(names[0]): "no face was found in it", str(names[2]): "no such file"}
    assert [each["query"] for each in json.loads(answer.stdout) if each["matches"]] == [str(names[1])]
    said = " ".join(answer.stderr.split())
    assert "no face was found in it; it is left out" in said
    assert "no such file; it is left out" in said
    assert (tmp_path / "montage.png").is_file()
    assert (tmp_path / "cuts.png").is_file()
    lines = call("search", catalog, *names).stdout.splitlines()
    assert {line.split("\t")[0] for line in lines[1:]} == {str(names[1])}
    alone = call("search", catalog, names[0], names[2])
    assert alone.status == 2
    assert "none.png' cannot be searched for: no face was found in it" in alone.stderr


def test_a_folder_without_faces_is_not_called_unreadable(people_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    shutil.copy(people_folder / "none.png", tmp_path / "photos")
    with pytest.raises(DoppelgramError, match=r"In none of the images there is a face.*none\.png"):
        doppelgram.index(tmp_path / "photos", "faces", tmp_path / "catalog")


def test_three_numbers_of_faces_are_refused(people_folder: Path) -> None:
    one = people_folder / "one.png"
    with pytest.raises(DoppelgramError, match="--face is '1,2,3'; verify compares one face of each photograph"):
        doppelgram.verify(one, one, model="faces", face="1,2,3")


def test_on_the_command_line(catalog: Path, people_folder: Path) -> None:
    answer = call("search", catalog, people_folder / "two.png", "--face", "all")
    heading, *lines = answer.stdout.splitlines()
    assert heading.split("\t")[5:] == ["query face", "face", "path"]
    assert [line.split("\t")[5:7] for line in lines] == [["1 of 2", "1 of 1"], ["2 of 2", "1 of 1"]]
    (found,) = json.loads(call("search", catalog, people_folder / "two.png", "--json").stdout)
    assert found["face"]["number"] == 1
    assert len(found["matches"][0]["face"]["box"]) == 4
    one, two = people_folder / "one.png", people_folder / "two.png"
    verdict = json.loads(call("verify", one, two, "--model", "faces", "--face", "1,2", "--json").stdout)
    assert (verdict["same"], verdict["face_b"]["number"]) == (True, 2)


def test_the_largest_face_alone(people_folder: Path, faces_model: Embedder, tmp_path: Path) -> None:
    report = doppelgram.index(people_folder, "faces", tmp_path / "catalog")
    assert (report.added, report.faces, report.faceless) == (2, None, 1)
    ids = [entry.id for entry in Catalog.open(tmp_path / "catalog").entries()]
    assert ids == [file_of(id_) for id_ in ids]


def test_what_was_cut_is_drawn(people_folder: Path, catalog: Path, tmp_path: Path) -> None:
    answer = call(
        "search", catalog, people_folder / "one.png", "--show-crops", tmp_path / "cuts.png", "-k", 1, "--face", "1"
    )
    assert answer.status == 0, answer.stderr
    assert (tmp_path / "cuts.png").stat().st_size > 10_000
    refused = call("search", catalog, people_folder / "one.png", "--crop", "face")
    assert (refused.status, "finds them itself; leave --crop out" in refused.stderr) == (2, True)


def test_faces_go_with_a_model_of_faces(model_folder: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="--faces and --face go with a model of faces"):
        doppelgram.index(photos, model_folder, tmp_path / "catalog", faces="all")
    assert not (tmp_path / "catalog").exists()
