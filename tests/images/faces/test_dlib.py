"""dlib's faces, on a photograph that comes with Matplotlib."""

import math

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.face_framing import FaceFraming
from doppelgram.images.faces.dlib import DlibFaces
from doppelgram.images.faces.face import Face, NoFace, render
from doppelgram.weights import find_weights
from helpers.face_photo import CENTRE, SIDE, portrait
from helpers.image_files import photo

dlib = pytest.importorskip("dlib", reason="dlib-bin is not installed: its faces are not tested")


@pytest.fixture(scope="module")
def faces() -> DlibFaces:
    return DlibFaces(find_weights("dlib_face_landmarks"))


def test_a_face_is_found_in_a_portrait_a_crop_and_a_large_photograph(faces: DlibFaces) -> None:
    (face,) = faces.detect(portrait())
    assert math.dist(face.centre, CENTRE) < 0.2 * SIDE
    # So tight a crop has to be continued at its edges.
    tight = portrait().crop((165, 120, 360, 315)).resize((64, 64))
    assert math.dist(faces.detect(tight)[0].centre, (32, 32)) < 10
    scene = photo(2400, 1800)
    scene.paste(portrait().resize((205, 240)), (1500, 800))
    (small,) = faces.detect(scene)
    assert math.dist(small.centre, (1500 + 0.4 * CENTRE[0], 800 + 0.4 * CENTRE[1])) < 0.2 * 0.4 * SIDE
    assert faces.detect(photo(300, 200)) == []
    assert faces.detect(Image.new("RGB", (1, 1))) == []


def test_small_faces_beside_a_large_one_only_where_they_are_wanted(faces: DlibFaces) -> None:
    scene = Image.new("RGB", (1600, 1000), (70, 110, 70))
    scene.paste(portrait().resize((820, 960)), (700, 20))
    scene.paste(portrait().resize((205, 240)), (100, 300))
    assert len(faces.detect(scene)) == 1
    large, small = faces.detect(scene, small=True)
    assert large.side > 3 * small.side
    assert large == faces.detect(scene)[0]


def test_of_about_equally_large_faces_the_one_in_the_middle_comes_first(faces: DlibFaces) -> None:
    scene = Image.new("RGB", (900, 400), (70, 110, 70))
    scene.paste(portrait().resize((282, 330)), (0, 20))
    scene.paste(portrait().resize((256, 300)), (310, 40))
    first, second = faces.detect(scene)
    assert (first.centre[0] > 350, second.centre[0] < 300) == (True, True)


def test_the_chip_is_upright_and_its_cut_shows_the_same(faces: DlibFaces) -> None:
    image = portrait().rotate(-15, Image.Resampling.BICUBIC)
    face = faces.detect(image)[0]
    aligned = faces.chip(np.asarray(image), face)
    shape = dlib.shape_predictor(str(faces.landmarks))(np.asarray(image), dlib.rectangle(*corners(face)))
    np.testing.assert_array_equal(aligned.pixels, dlib.get_face_chip(np.asarray(image), shape, 150, 0.25))
    assert aligned.cut.turn == pytest.approx(12, abs=5)
    again = render(image, aligned.cut, 150)
    assert np.abs(again.astype(int) - aligned.pixels).mean() < 8
    eyes = faces.points(np.asarray(image), face)[:4]
    assert all(math.dist(eye, CENTRE) < SIDE for eye in eyes)


def corners(face: Face) -> tuple[int, int, int, int]:
    left, top, width, height = (round(value) for value in face.box)
    return left, top, left + width - 1, top + height - 1


def test_which_face(faces: DlibFaces) -> None:
    scene = Image.new("RGB", (900, 500), (70, 110, 70))
    scene.paste(portrait().resize((256, 300)), (40, 100))
    scene.paste(portrait().resize((410, 480)), (440, 10))
    largest = FaceFraming(faces.landmarks).frame(scene)
    assert largest.faces == 2
    assert not largest.others
    every = FaceFraming(faces.landmarks, which="all").frame(scene)
    assert [one.face.number for one in (every, *every.others) if one.face] == [1, 2]
    np.testing.assert_array_equal(every.pixels, largest.pixels)
    second = FaceFraming(faces.landmarks, which="2").frame(scene)
    np.testing.assert_array_equal(second.pixels, every.others[0].pixels)
    assert second.face
    left, top, width, height = second.face.box
    assert (left < 0.3, top < 0.5, width < 0.25, height < 0.4) == (True,) * 4
    assert FaceFraming(faces.landmarks, "arcface").frame(scene).pixels.shape == (112, 112, 3)
    with pytest.raises(NoFace, match="no face 3; 2 found"):
        FaceFraming(faces.landmarks, which="3").frame(scene)
    with pytest.raises(NoFace, match="no face was found"):
        FaceFraming(faces.landmarks).frame(photo(300, 200))
    with pytest.raises(DoppelgramError, match="largest, all or a number"):
        FaceFraming(faces.landmarks, which="0")


def test_a_file_of_other_content_is_refused(tmp_path) -> None:
    (tmp_path / "landmarks.dat").write_bytes(b"no predictor")
    with pytest.raises(DoppelgramError, match=r"landmarks\.dat: is no file of face landmarks"):
        DlibFaces(tmp_path / "landmarks.dat")
