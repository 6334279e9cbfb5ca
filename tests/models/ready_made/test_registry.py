"""Ready-made models: by name, saved without tensors, refused where their parts are other ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from doppelgram.api.calibrate import calibrate
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model
from doppelgram.models.ready_made.description import digest
from doppelgram.models.ready_made.registry import READY_MADE, open_ready_made, ready_made


@pytest.fixture(scope="module")
def things() -> Model:
    model = open_ready_made("things")
    assert isinstance(model, Model)
    return model


def test_a_name_is_a_model_and_a_path_a_folder(
    things: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save_model: Callable[..., Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "things")
    assert load_model("things").fingerprint == things.fingerprint
    for folder in ("./things", Path("things"), tmp_path / "things"):
        assert load_model(folder).fingerprint != things.fingerprint
        assert not ready_made(folder)
    with pytest.raises(
        DoppelgramError,
        match="thingz: there is no such run or model; ready-made models are faces, arr",
    ):
        load_model("thingz")
    with pytest.raises(DoppelgramError, match="no ready-made model 'thingz'; there are faces, arrangements, things"):
        open_ready_made("thingz")
    with pytest.raises(DoppelgramError, match="--keypoints does not go with the ready-made model 'things'"):
        load_model("things", keypoints="poses.json")


def test_what_is_missing_is_said_with_the_command_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(
        DoppelgramError, match="needs dinov2_small, which is not here; bring it with: doppelgram weights"
    ):
        load_model("things-dinov2")
    with pytest.raises(DoppelgramError, match="no such folder of weights"):
        load_model("things", weights=tmp_path / "none")
    assert READY_MADE["things-dinov2"].missing() == ["dinov2_small"]
    assert READY_MADE["things"].missing() == []


def test_it_is_saved_by_name_and_found_again(things: Model, tmp_path: Path) -> None:
    fingerprint = things.fingerprint
    folder = things.save(tmp_path / "model")
    assert things.fingerprint == fingerprint
    assert sum(file.stat().st_size for file in folder.iterdir()) < 10_000
    description = json.loads((folder / "model.json").read_text())
    assert (description["kind"], description["calibration"]) == ("ready-made", None)
    found = load_model(folder)
    assert (found.fingerprint, found.name, found.space) == (fingerprint, "things", things.space)


def test_a_calibration_of_ones_own_is_kept(tmp_path: Path) -> None:
    model = open_ready_made("things")
    own = {"slope": 3.0, "intercept": 1.0, "threshold": 0.3, "n_same": 1, "n_different": 1, "fitted_on": "mine"}
    model.calibrate(replace(model.space.calibration, **own).to_dict())  # type: ignore[attr-defined]
    fingerprint = model.fingerprint
    found = load_model(model.save(tmp_path / "model"))
    assert (found.fingerprint, found.space.fitted_on, found.space.threshold) == (fingerprint, "mine", 0.3)
    assert load_model(found.save(tmp_path / "again")).space == found.space


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": {"efficientnet_lite2": "0" * 64}}, r"other weights \(efficientnet_lite2\) than is here"),
        ({"version": 0}, "another version of it than is here"),
        ({"ready_made": "gone"}, "no ready-made model 'gone' in this version of the program"),
    ],
)
def test_other_parts_are_refused(change: dict[str, object], said: str, tmp_path: Path) -> None:
    model = open_ready_made("things")
    assert model.origin is not None
    model.origin["architecture"] |= change
    with pytest.raises(DoppelgramError, match=said):
        load_model(model.save(tmp_path / "model"))


def test_digests_of_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    before = digest(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing that is loaded")
    assert digest(tmp_path) == before
    (tmp_path / "model.safetensors").write_bytes(b"1")
    assert digest(tmp_path) != before
    assert digest(tmp_path / "a.json") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.slow
def test_things_embeds_alike_whether_compiled_or_not(things: Model) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (3, 320, 320, 3), dtype=np.uint8)
    vectors = things.embed_images(list(pixels))
    assert vectors.shape == (3, 1280)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(vectors, things.embed_pixels(pixels), atol=2e-3)
    assert 0 <= things.similarity(pixels[0], pixels[1]) <= 1
    assert things.similarity(pixels[0], pixels[0]) > 0.5


def test_arrangements_with_the_places_of_a_run_fill_a_catalog(tmp_path: Path, save_model: Callable[..., Path]) -> None:
    places = load_model(save_model(tmp_path / "run"))
    assert isinstance(places, Model)
    dim = places.tower.network.backbone.dim
    replace(places, mean=tuple(np.full(dim, 0.01).tolist())).save(tmp_path / "run")
    name = f"arrangements:{tmp_path / 'run'}"
    model = load_model(name)
    assert model.dim > dim
    catalog = Catalog.open_or_create(tmp_path / "catalog", model, name)
    again = catalog.load_model()
    assert again.fingerprint == model.fingerprint == load_model(name).fingerprint == catalog.fingerprint
    Catalog.open_or_create(tmp_path / "catalog", load_model(name), name)
    with pytest.raises(DoppelgramError, match="is a ready-made model; give the folder to save it in"):
        calibrate(name, labelled=tmp_path)
