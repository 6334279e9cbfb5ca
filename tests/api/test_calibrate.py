"""A model calibrated on one's own images, and the distances of a folder that nobody has labelled."""

import json

import numpy as np
import pytest

from doppelgram import calibrate, evaluate, index, load_model, search
from doppelgram.errors import DoppelgramError
from helpers.commands import call


@pytest.fixture
def model(save_model, tmp_path):
    return save_model(tmp_path / "model")


def test_labelled_images_change_the_calibration_and_nothing_else(model, draw_folder, tmp_path):
    images = draw_folder(tmp_path / "mine", classes=3, images=8)
    before = load_model(model)
    done = calibrate(model, labelled=images, out=tmp_path / "new")
    after = load_model(tmp_path / "new")
    assert (done.images, done.model) == (24, str(tmp_path / "new"))
    assert after.fingerprint == before.fingerprint
    assert after.space.calibration.fitted_on == str(images)
    assert after.space.calibration.search.n_right + after.space.calibration.search.n_wrong == 24 * 10
    assert before.space.calibration.search is None
    assert load_model(model).space.calibration == before.space.calibration
    held = evaluate(tmp_path / "new", gallery=images).reliability
    assert held["search"].ece < 0.1
    assert held["verify"].n > 24


def test_pairs_leave_what_is_said_of_searches(model, draw_folder, tmp_path):
    images = draw_folder(tmp_path / "mine", classes=2, images=4)
    calibrate(model, labelled=images)
    kept = load_model(model).space.calibration
    rows = ["path_a,path_b,same"]
    for n in range(3):
        rows += [
            f"class 0/picture {n}.jpg,class 0/picture {n + 1}.jpg,1",
            f"class 0/picture {n}.jpg,class 1/picture {n}.jpg,0",
        ]
    (images / "pairs.csv").write_text("\n".join(rows))
    answer = json.loads(call("calibrate", model, "--pairs", images / "pairs.csv", "--json").stdout)
    now = load_model(model).space.calibration
    assert answer["images"] == 7
    assert now.search == kept.search
    assert (now.n_same, now.n_different) == (3, 3)
    assert now.pairs != kept.pairs


def test_without_labels_a_folder_says_how_near_any_two_images_are(model, draw_picture, tmp_path):
    for n in range(12):
        draw_picture(tmp_path / "photos" / f"{n}.jpg", n)
    done = calibrate(model, folder=tmp_path / "photos")
    vectors = load_model(model).embed_images([tmp_path / "photos" / f"{n}.jpg" for n in range(12)])
    every = np.sort([np.linalg.norm(vectors[i] - vectors[j]) for i in range(12) for j in range(i)])
    assert done.nearest[0.1] == pytest.approx(every[5], rel=1e-4)
    assert done.nearest[0.001] is None
    index(tmp_path / "photos", model, tmp_path / "catalog")
    (found,) = search(tmp_path / "catalog", [tmp_path / "photos" / "0.jpg"], 3)
    for match in found.matches:
        # The photograph that asks and those in the catalog may be embedded by different runtimes, equal up to rounding.
        least, most = ((np.sum(every <= match.distance * scale) + 1) / 67 for scale in (1 - 1e-4, 1 + 1e-4))
        assert least <= match.as_near <= most


@pytest.mark.parametrize("given", [{}, {"pairs": "a", "folder": "b"}])
def test_what_to_calibrate_with_is_one_thing(model, given):
    with pytest.raises(DoppelgramError, match="one of --pairs, --labelled and --folder"):
        calibrate(model, **given)


def test_a_ready_made_model_is_saved_elsewhere(tmp_path):
    with pytest.raises(DoppelgramError, match=r"'things' is a ready-made model; .* --out"):
        calibrate("things", labelled=tmp_path)
