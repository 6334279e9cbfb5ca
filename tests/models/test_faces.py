"""The model of faces: dlib's numbers, and those of a network in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.face_framing import FaceFraming
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from doppelgram.models.faces import DlibDescriptor, NetworkDescriptor
from doppelgram.weights import find_weights
from helpers.face_photo import portrait, turned
from helpers.image_files import photo
from helpers.tiny_networks import save


def test_the_same_person_lies_near_and_the_numbers_are_dlibs(faces_model: Embedder) -> None:
    import dlib

    small = portrait().resize((256, 300))
    vectors = faces_model.embed_images([portrait(), turned(12), small])
    assert vectors.shape == (3, 128)
    space = faces_model.space
    assert space.threshold is not None
    assert (space.distance(vectors[:1].repeat(2, 0), vectors[1:]) < 0.5 * space.threshold).all()
    assert faces_model.similarity(portrait(), small) > 0.9
    image = np.asarray(portrait())
    box = faces_model.framing.frame(portrait()).face
    assert box is not None
    left, top, width, height = (round(value) for value in np.array(box.box) * [512, 600, 512, 600])
    where = dlib.rectangle(left, top, left + width - 1, top + height - 1)
    shape = dlib.shape_predictor(str(find_weights("dlib_face_landmarks")))(image, where)
    network = dlib.face_recognition_model_v1(str(find_weights("dlib_face_descriptor")))
    numbers = np.array(network.compute_face_descriptor(image, shape))
    mirrored = np.array(
        network.compute_face_descriptor(np.ascontiguousarray(dlib.get_face_chip(image, shape)[:, ::-1]))
    )
    np.testing.assert_allclose(vectors[0], (numbers + mirrored) / 2, atol=1e-5)


def test_it_is_saved_by_name(faces_model: Embedder, tmp_path: Path) -> None:
    again = load_model(faces_model.save(tmp_path / "model"))
    assert again.fingerprint == faces_model.fingerprint
    assert again.space == faces_model.space
    assert again.with_faces("all").fingerprint == faces_model.fingerprint
    with pytest.raises(DoppelgramError, match="finds them itself"):
        again.with_face("opencv")
    with pytest.raises(DoppelgramError, match="no face was found"):
        again.embed_images([photo(300, 200)])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes (1, 3, 112, 112) and gives the means of the upper and of the lower half, colour by colour: (1, 6)."""
    pytest.importorskip("openvino")
    from openvino import opset13 as ops

    entry = ops.parameter([1, 3, 112, 112], np.float32)
    halves = ops.reduce_mean(ops.reshape(entry, [1, 3, 2, 56 * 112], False), [3], False)
    file = tmp_path_factory.mktemp("network") / "faces.xml"
    return save([ops.reshape(halves, [1, 6], False)], [entry], file)


def test_a_network_in_a_file_describes_aligned_faces(network: Path, tmp_path: Path, faces_model: Embedder) -> None:
    model = load_model(network)
    assert (model.dim, model.space.calibrated, model.framing.alignment) == (6, False, "arcface")
    vector = model.embed_images([portrait()])[0]
    shown = FaceFraming(find_weights("dlib_face_landmarks"), "arcface").frame(portrait()).pixels
    means = ((shown.astype(float) - 127.5) / 127.5).reshape(2, 56 * 112, 3).mean(axis=1).T.ravel()
    np.testing.assert_allclose(vector, means / np.linalg.norm(means), atol=1e-5)
    # By its path, and once it has moved, by its name among the weights.
    saved = model.save(tmp_path / "model")
    assert load_model(saved).fingerprint == model.fingerprint != faces_model.fingerprint
    weights = tmp_path / "weights"
    weights.mkdir()
    moved = [network.rename(weights / network.name), network.with_suffix(".bin").rename(weights / "faces.bin")]
    try:
        assert load_model(saved, weights=weights).fingerprint == model.fingerprint
        with pytest.raises(DoppelgramError, match=r"faces\.xml"):
            load_model(saved)
        moved[1].write_bytes(moved[1].read_bytes() + b"\0")
        with pytest.raises(DoppelgramError, match=r"with other weights \(.*faces\.xml\)"):
            load_model(saved, weights=weights)
    finally:
        moved[1].write_bytes(moved[1].read_bytes()[:-1])
        for file in moved:
            file.rename(network.parent / file.name)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    from openvino import opset13 as ops

    entry = ops.parameter([1, 3, 64, 64], np.float32)
    save([ops.reduce_mean(entry, [2, 3], False)], [entry], tmp_path / "small.xml")
    with pytest.raises(DoppelgramError, match=r"takes one image \(1, 3, 112, 112\)"):
        NetworkDescriptor(tmp_path / "small.xml")
    pytest.importorskip("dlib")
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    with pytest.raises(DoppelgramError, match=r"picture\.png: is no network of faces"):
        DlibDescriptor(tmp_path / "picture.png")
