"""Faces cut out on request: index, search, verify and train, as a person calls them."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

import doppelgram
from doppelgram.catalog.findings import FACE_COLUMN
from doppelgram.catalog.store import Catalog
from doppelgram.cli import main
from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower
from doppelgram.reports.crops import chosen_detector, draw_crops
from doppelgram.space.calibration import Calibration
from helpers.face_photo import portrait, turned
from helpers.image_files import photo

pytest.importorskip("cv2")


def save_model(folder: Path, framing: Framing) -> Path:
    torch.manual_seed(0)
    network = EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 8))
    return Model(ImageTower(network, framing), calibration=Calibration(20.0, 2.0, 0.1, 5, 5, "a test")).save(folder)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model", Framing(32, 140))


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A portrait, a scene with the same person in it twice, and no person."""
    folder = tmp_path / "people"
    folder.mkdir()
    portrait().resize((256, 300)).save(folder / "one.png")
    two = Image.new("RGB", (700, 400), (70, 110, 70))
    two.paste(portrait().resize((190, 223)), (10, 90))
    two.paste(portrait().resize((310, 363)), (350, 10))
    two.save(folder / "two.png")
    photo(200, 150).save(folder / "none.png")
    return folder


def listening() -> tuple[Progress, io.StringIO]:
    heard = io.StringIO()
    return TerminalProgress(Console(file=heard, width=1000)), heard


def test_index_cuts_faces_out_and_remembers_it(model: Path, people: Path, tmp_path: Path) -> None:
    progress, heard = listening()
    report = doppelgram.index(people, model, tmp_path / "catalog", crop="face", progress=progress)
    assert (report.added, report.broken) == (3, 0)
    assert "1 image: no face found, the middle was taken: '" in heard.getvalue()
    assert "none.png" in heard.getvalue().split("several")[0]
    assert "1 image: several faces found" in heard.getvalue()
    catalog = Catalog.open(tmp_path / "catalog")
    assert catalog.face == "opencv"
    found = {entry.name: (entry.columns or {})[FACE_COLUMN] for entry in catalog.entries()}
    assert found == {
        "one.png": "one",
        "two.png": "several (2), the largest taken",
        "none.png": "none: the middle was taken",
    }
    loaded = load_model(model)
    cut = replace(loaded.framing, face="opencv")
    rows, vectors = catalog.snapshot(["name"])
    pixels = [cut.apply(Image.open(people / name)) for name in rows["name"]]
    np.testing.assert_allclose(vectors, loaded.embed_pixels(np.stack(pixels)), atol=1e-5)
    # Once more: nothing is forgotten, and nothing is written.
    again = doppelgram.index(people, model, tmp_path / "catalog", crop="face:opencv", progress=progress)
    assert (again.added, again.already_present, again.updated) == (0, 3, 0)
    # The folder moves: rows follow it, and keep what was found.
    shutil.move(people, tmp_path / "elsewhere")
    moved = doppelgram.index(tmp_path / "elsewhere", model, tmp_path / "catalog", crop="face", progress=progress)
    assert moved.updated == 3
    assert {(entry.columns or {})[FACE_COLUMN] for entry in catalog.entries()} == set(found.values())


def test_a_mix_of_cuts_is_refused(model: Path, people: Path, tmp_path: Path) -> None:
    progress, _ = listening()
    doppelgram.index(people, model, tmp_path / "faces", crop="face", progress=progress)
    doppelgram.index(people, model, tmp_path / "plain", progress=progress)
    with pytest.raises(DoppelgramError, match=r"faces: .*by the face detector 'opencv'.*give --crop face:opencv"):
        doppelgram.index(people, model, tmp_path / "faces", progress=progress)
    with pytest.raises(DoppelgramError, match=r"plain: .*as its model asks.*leave --crop out"):
        doppelgram.index(people, model, tmp_path / "plain", crop="face", progress=progress)
    assert Catalog.open(tmp_path / "plain").face == ""
    assert "face" not in json.loads((tmp_path / "plain/catalog.json").read_text())
    facts = json.loads((tmp_path / "faces/catalog.json").read_text())
    (tmp_path / "faces/catalog.json").write_text(json.dumps({**facts, "face": "other"}))
    with pytest.raises(DoppelgramError, match="no face detector 'other'"):
        Catalog.open(tmp_path / "faces")


def test_a_search_frames_queries_as_its_catalog_was_unless_asked(model: Path, people: Path, tmp_path: Path) -> None:
    progress, heard = listening()
    doppelgram.index(people, model, tmp_path / "faces", crop="face", progress=progress)
    doppelgram.index(people, model, tmp_path / "plain", progress=progress)
    query = tmp_path / "tilted.png"
    turned(20).save(query)

    def nearest(catalog: str, **asked: str) -> tuple[str, float, int | None]:
        (answer,) = doppelgram.search(tmp_path / catalog, [query], 3, progress=progress, **asked)
        return answer.matches[0].name, answer.matches[0].distance, answer.faces

    assert nearest("faces")[0] in ("one.png", "two.png")
    assert nearest("faces") == nearest("faces", crop="face")
    assert nearest("faces")[2] == 1
    assert nearest("plain")[2] is None
    assert nearest("plain", crop="face")[2] == 1
    assert nearest("plain", crop="face")[1] != nearest("plain")[1]
    heard.truncate(0)
    doppelgram.search(tmp_path / "faces", [people / "none.png", people / "two.png"], progress=progress)
    assert "none.png" in heard.getvalue()
    assert "two.png' (2)" in heard.getvalue()


def test_verify_compares_what_was_cut_out(model: Path, people: Path, tmp_path: Path) -> None:
    progress, heard = listening()
    cut = doppelgram.verify(people / "one.png", people / "two.png", model=model, crop="face", progress=progress)
    plain = doppelgram.verify(people / "one.png", people / "two.png", model=model, progress=progress)
    assert (cut.faces_a, cut.faces_b, plain.faces_a) == (1, 2, None)
    assert "several faces" in heard.getvalue()
    loaded = load_model(model)
    for answer, used in ((plain, loaded), (cut, loaded.with_face("opencv"))):
        vectors = used.embed_images([people / "one.png", people / "two.png"])
        assert answer.distance == pytest.approx(np.linalg.norm(vectors[0] - vectors[1]), abs=1e-6)
    assert cut.distance != pytest.approx(plain.distance, abs=1e-6)


def test_a_model_that_was_trained_on_faces_needs_no_option(people: Path, tmp_path: Path) -> None:
    progress, _ = listening()
    folder = save_model(tmp_path / "faces model", Framing(32, None, "squash", "opencv"))
    plain = save_model(tmp_path / "plain model", Framing(32))
    assert load_model(folder).fingerprint != load_model(plain).fingerprint
    doppelgram.index(people, folder, tmp_path / "catalog", progress=progress)
    doppelgram.index(people, folder, tmp_path / "catalog", crop="face", progress=progress)
    catalog = Catalog.open(tmp_path / "catalog")
    assert catalog.face == ""
    assert {(entry.columns or {})[FACE_COLUMN][:4] for entry in catalog.entries()} == {"one", "seve", "none"}
    verdict = doppelgram.verify(people / "one.png", people / "two.png", model=folder, progress=progress)
    assert (verdict.faces_a, verdict.faces_b) == (1, 2)
    cut = load_model(folder).framing.apply(portrait())
    expected = load_model(folder).embed_pixels(cut[None])
    np.testing.assert_allclose(load_model(folder).embed_images([portrait()]), expected, atol=1e-6)


def test_training_by_the_recipe_key(tmp_path: Path) -> None:
    for n in range(8):
        folder = tmp_path / "data" / ("woman" if n < 4 else "noise")
        folder.mkdir(parents=True, exist_ok=True)
        picture = portrait().resize((120 + 4 * n, 140 + 5 * n)) if n < 4 else photo(100 + n, 80)
        picture.save(folder / f"{n}.png")
    progress, heard = listening()
    overrides = ["data.face=opencv", "data.size=24", "epochs=1", "split.test=0", "split.val=0.25"]
    run = doppelgram.train(tmp_path / "data", "signs", tmp_path / "run", overrides=overrides, progress=progress)
    assert load_model(run.folder).framing == Framing(24, None, "squash", "opencv")
    assert "4 images: no face found, the middle was taken" in heard.getvalue()
    with pytest.raises(DoppelgramError, match=r"data\.face is 'dlib'; it is one of empty, opencv, mediapipe"):
        doppelgram.train(
            tmp_path / "data", "signs", tmp_path / "other", overrides=["data.face=dlib"], progress=progress
        )


def test_what_crop_may_be(model: Path) -> None:
    assert load_model(model).framing.face == ""
    assert chosen_detector("", "") == ""
    assert chosen_detector("face", "") == "opencv"
    assert chosen_detector("face:opencv", "") == "opencv"
    for wrong in ("140", "face:", "face:dlib", "middle"):
        with pytest.raises(DoppelgramError, match="it is face, or one of face:opencv, face:mediapipe"):
            chosen_detector(wrong, "")


def test_the_picture_of_the_cuts(people: Path, tmp_path: Path) -> None:
    progress, heard = listening()
    (tmp_path / "bad.png").write_text("hello")
    images = [*sorted(people.iterdir()), tmp_path / "bad.png"]
    framing = Framing(32, 140, face="opencv")
    file = draw_crops(images, framing, tmp_path / "new" / "cuts.png", progress=progress)
    with Image.open(file) as page:
        assert page.format == "PNG"
        drawn = np.asarray(page.convert("RGB"))
    for colour in ((0, 114, 178), (170, 68, 136), (213, 94, 0)):  # one face, several, none
        assert (np.abs(drawn.astype(int) - colour).max(axis=2) < 3).sum() > 50
    assert not heard.getvalue()
    assert [left.name for left in file.parent.iterdir()] == ["cuts.png"]
    draw_crops([images[0]] * 61, Framing(8), file, progress=progress)
    assert "shows the first 60 of 61 images" in heard.getvalue()
    with pytest.raises(DoppelgramError, match=r"\.png"):
        draw_crops(images, framing, tmp_path / "cuts.jpg", progress=progress)
    with pytest.raises(DoppelgramError, match="no photographs"):
        draw_crops([], framing, file, progress=progress)
    (tmp_path / "a file").write_text("")
    with pytest.raises(DoppelgramError, match="cannot be written"):
        draw_crops(images, framing, tmp_path / "a file" / "cuts.png", progress=progress)


def test_the_command_line(
    model: Path, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return (int(ended.value.code or 0), *capsys.readouterr())

    cuts = tmp_path / "cuts.png"
    options = ("--crop", "face", "--show-crops", cuts, "--json")
    status, answer, remarks = run("index", people, "--model", model, "--catalog", tmp_path / "catalog", *options)
    assert status == 0, remarks
    facts = json.loads(answer)
    assert [Path(path).name for path in facts["without_face"]] == ["none.png"]
    assert [Path(path).name for path in facts["several_faces"]] == ["two.png"]
    assert "no face found" in remarks
    assert cuts.is_file()
    cuts.unlink()
    status, answer, remarks = run("search", tmp_path / "catalog", people / "two.png", *options)
    assert json.loads(answer)[0]["faces"] == 2, remarks
    assert "two.png' (2)" in remarks
    assert cuts.is_file()
    status, answer, remarks = run("verify", people / "one.png", people / "none.png", "--model", model, *options)
    assert (json.loads(answer)["faces_a"], json.loads(answer)["faces_b"]) == (1, 0), remarks
    status, answer, remarks = run("verify", people / "one.png", people / "none.png", "--model", model, "--crop", "nose")
    assert (status, answer, remarks.strip().count("\n")) == (2, "", 0)
    assert "--crop is 'nose'" in remarks
