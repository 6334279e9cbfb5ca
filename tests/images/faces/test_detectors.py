"""The detectors, on a photograph that comes with Matplotlib."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.detectors import DETECTORS, face_detector
from doppelgram.images.faces.face import cut_of, largest
from doppelgram.images.framing import Framing
from helpers.face_photo import CENTRE, SIDE, portrait, turned
from helpers.image_files import photo


@pytest.fixture(params=DETECTORS)
def name(request: pytest.FixtureRequest) -> str:
    pytest.importorskip({"opencv": "cv2"}.get(request.param, request.param))
    return str(request.param)


def found(name: str, image: Image.Image):
    return face_detector(name).detect(np.asarray(image))


def test_a_face_is_found_where_it_is(name: str) -> None:
    faces = found(name, portrait())
    assert len(faces) == 1
    assert math.dist(faces[0].centre, CENTRE) < 0.2 * SIDE
    assert faces[0].side == pytest.approx(SIDE, rel=0.2)
    assert all(type(number) is float for number in (*faces[0].box, faces[0].score))


@pytest.mark.parametrize("degrees", [20, -20])
def test_a_tilted_face_is_cut_upright(name: str, degrees: int) -> None:
    face = largest(found(name, turned(degrees)))
    assert face is not None
    detector = face_detector(name)
    assert cut_of(face, detector.widening, detector.offset).turn == pytest.approx(degrees, abs=8)


@pytest.mark.parametrize("degrees", [90, 180])
def test_a_photograph_that_lies_on_its_side(degrees: int) -> None:
    pytest.importorskip("cv2")
    face = largest(found("opencv", portrait().rotate(-degrees, expand=True)))
    assert face is not None
    assert abs((face.turn - degrees + 180) % 360 - 180) < 1


def test_the_cut_does_not_depend_on_resolution() -> None:
    pytest.importorskip("cv2")
    large = largest(found("opencv", portrait().resize((2048, 2400), Image.Resampling.BICUBIC)))
    small = largest(found("opencv", portrait()))
    assert large is not None
    assert small is not None
    assert math.dist(large.centre, [4 * value for value in small.centre]) < 0.05 * large.side
    assert large.side == pytest.approx(4 * small.side, rel=0.05)


def test_two_faces_and_none(name: str) -> None:
    scene = Image.new("RGB", (900, 500), (70, 110, 70))
    scene.paste(portrait().resize((256, 300)), (40, 100))
    scene.paste(portrait().resize((410, 480)), (440, 10))
    faces = found(name, scene)
    assert len(faces) == 2
    big = largest(faces)
    assert big is not None
    assert math.dist(big.centre, (440 + 0.8 * CENTRE[0], 10 + 0.8 * CENTRE[1])) < 0.2 * 0.8 * SIDE
    assert found(name, photo(300, 200)) == []
    assert found(name, Image.new("RGB", (1, 1))) == []
    assert found(name, Image.new("RGB", (2000, 3))) == []


def test_a_small_face_in_a_large_photograph() -> None:
    pytest.importorskip("cv2")
    scene = photo(2400, 1800)
    assert found("opencv", scene) == []
    scene.paste(portrait().resize((256, 300), Image.Resampling.BICUBIC), (1900, 1300))
    (face,) = found("opencv", scene)
    assert face.side < 2400 / 12
    assert math.dist(face.centre, (1900 + CENTRE[0] / 2, 1300 + CENTRE[1] / 2)) < 0.1 * SIDE


def test_threads_find_the_same_as_one_after_the_other(name: str) -> None:
    images = [portrait().resize((128 + 16 * n, 150 + 19 * n)) for n in range(4)]
    alone = [found(name, image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda image: found(name, image), images * 2)) == alone * 2


def test_threads_may_be_the_first_to_ask(name: str) -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from PIL import Image; from doppelgram.images.framing import Framing\n"
        f"framing = Framing(8, face={name!r}); image = Image.new('RGB', (60, 60))\n"
        "with ThreadPoolExecutor(8) as pool: print(sum(a.size for a in pool.map(framing.apply, [image] * 16)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(16 * 8 * 8 * 3), done.stderr


def test_an_unknown_detector_is_named() -> None:
    with pytest.raises(DoppelgramError, match=r"'dlib'.*opencv, mediapipe"):
        face_detector("dlib")


@pytest.mark.parametrize(
    ("name", "package", "extra"), [("opencv", "cv2", "face"), ("mediapipe", "mediapipe", "mediapipe")]
)
def test_without_the_package_it_says_what_to_install(name: str, package: str, extra: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from PIL import Image; from doppelgram.images.framing import Framing\n"
        "from doppelgram.errors import DoppelgramError\n"
        f"try: Framing(32, face={name!r}).apply(Image.new('RGB', (50, 50)))\n"
        "except DoppelgramError as problem: print(problem)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"pip install 'doppelgram[{extra}]'" in done.stdout


def test_no_detector_is_imported_for_ordinary_framing() -> None:
    code = (
        "import sys; from PIL import Image; from doppelgram.images.framing import Framing\n"
        "Framing(8).apply(Image.new('RGB', (9, 9))); print({'cv2', 'mediapipe'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_the_largest_face_of_a_scene_fills_the_frame() -> None:
    pytest.importorskip("cv2")
    close = Framing(64, 140, face="opencv").frame(portrait())
    scene = photo(1600, 1200)
    scene.paste(portrait().resize((307, 360)), (1100, 700))
    far = Framing(64, 140, face="opencv").frame(scene)
    assert (close.faces, far.faces) == (1, 1)
    assert np.corrcoef(close.pixels.ravel(), far.pixels.ravel())[0, 1] > 0.55
    middle = Framing(64).apply(scene)
    assert np.corrcoef(close.pixels.ravel(), middle.ravel())[0, 1] < 0.3
    assert len(far.region) == 4
    assert math.dist(np.mean(far.region, axis=0), (1100 + 0.6 * CENTRE[0], 700 + 0.6 * CENTRE[1])) < 30
