"""Maps of whole models, in pictures of which it is known what they share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.images.read import read_all
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from doppelgram.models.faces import FaceModel
from doppelgram.models.finder import people_in
from doppelgram.models.fusion import fused
from doppelgram.models.model import Model
from doppelgram.pose.cutouts import persons
from doppelgram.pose.extras import MASK, PEOPLE
from doppelgram.pose.people import People
from doppelgram.pose.segmenter import PersonMask
from doppelgram.reports.drawing import Sheet
from doppelgram.reports.saliency import draw_saliency, saliency_height
from doppelgram.saliency.arrangement import Side, arrangement_saliency
from doppelgram.saliency.maps import PairSaliency
from doppelgram.saliency.pair import pair_saliency
from helpers.face_photo import portrait
from helpers.posts_world import random_model, render_world
from helpers.progress import RecordingProgress
from helpers.small_models import small_model

SIDE = 320


def maps_of(model: Embedder, files: list[Path], method: str = "") -> PairSaliency:
    return pair_saliency((model, model), files, method=method, progress=SilentProgress())


@pytest.fixture(scope="module")
def things() -> Embedder:
    try:
        return load_model("things")
    except DoppelgramError as problem:
        pytest.skip(f"NOT TESTED: {problem}")


@pytest.fixture(scope="module")
def sharing_a_quarter(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A person in the upper right quarter of noise, and in the lower left one of smooth colours."""
    folder = tmp_path_factory.mktemp("shared")
    person = portrait().resize((SIDE // 2, SIDE // 2))
    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    smooth = Image.fromarray(rng.integers(60, 196, (3, 3, 3), dtype=np.uint8)).resize((SIDE, SIDE))
    rough.paste(person, (SIDE // 2, 0))
    smooth.paste(person, (0, SIDE // 2))
    rough.save(folder / "a.png")
    smooth.save(folder / "b.png")
    return [folder / "a.png", folder / "b.png"]


def share(values: NDArray[np.float32], rows: slice, columns: slice) -> float:
    """How much of what is above 0 lies there."""
    kept = np.maximum(values, 0)
    return float(kept[rows, columns].sum() / kept.sum())


@pytest.mark.slow
def test_the_quarter_that_both_share_is_found(things: Embedder, sharing_a_quarter: list[Path]) -> None:
    """By a real network; occlusion by it takes too long here, `benchmarks/saliency.py` has it."""
    first, last = slice(0, SIDE // 2), slice(SIDE // 2, SIDE)
    found = maps_of(things, sharing_a_quarter)
    assert found.method == "grad-cam"
    assert share(found.a.values, first, last) > 0.55  # by chance a quarter
    assert share(found.b.values, last, first) > 0.55
    assert found.similarity is not None
    assert found.a.values.mean() == pytest.approx(found.similarity, abs=0.02)


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_a_photograph_with_itself_has_the_same_map_twice(method: str, tmp_path: Path) -> None:
    model = small_model()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    found = maps_of(model, [tmp_path / "a.png"] * 2, method)
    np.testing.assert_allclose(found.a.values, found.b.values, atol=1e-5)
    assert found.a.values.shape == (60, 90)
    assert found.a.values.max() > 0


def test_bars_and_cuts_lie_where_the_model_is_shown_them(tmp_path: Path) -> None:
    """A letterbox's bars are no part of the photograph; outside a cut there is nothing."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 90, 3), dtype=np.uint8)).save(tmp_path / "wide.png")
    Image.new("RGB", (90, 30), (40, 90, 200)).save(tmp_path / "blue.png")
    files = [tmp_path / "wide.png", tmp_path / "blue.png"]
    model = small_model()
    for framing, empty in ((Framing(32, resize="letterbox"), None), (Framing(32, resize="cover"), slice(0, 29))):
        cut = Model(type(model.tower)(model.tower.network, framing))
        found = maps_of(cut, files)
        assert found.a.values.shape == (30, 90)
        if empty is None:
            assert found.a.shown == ()
            assert np.abs(found.a.values).min(axis=0).max() > 0
        else:
            assert len(found.a.shown) == 4
            assert not found.a.values[:, empty].any()
            assert found.a.values[:, 31:59].any()


def test_methods_that_there_are(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    with pytest.raises(DoppelgramError, match="grad-cam, occlusion"):
        maps_of(small_model(), [tmp_path / "a.png"] * 2, "gazing")


class Nose:
    """Describes an aligned face by the colours of its middle ninth, and by nothing else."""

    alignment, dim = "dlib", 3

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        return faces[:, 50:100, 50:100].reshape(len(faces), -1, 3).std(1).astype(np.float32) / 255

    def described(self) -> dict[str, str]:
        return {}


@pytest.mark.slow
def test_faces_are_covered_patch_by_patch(faces_model: Embedder, tmp_path: Path) -> None:
    """A network that is no torch network: what it looks at is found within the frame of the face."""
    assert isinstance(faces_model, FaceModel)
    model = FaceModel(faces_model.finding, Nose())
    portrait().save(tmp_path / "a.png")
    portrait().rotate(8).save(tmp_path / "b.png")
    progress = RecordingProgress()
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    found = pair_saliency((model, model), files, progress=progress)
    assert (found.method, found.similarity) == ("occlusion", None)
    assert progress.bars == [("covering parts of both photographs", 162, 162)]
    rows, columns = np.nonzero(np.abs(found.a.values) >= 0.5 * np.abs(found.a.values).max())
    corners = np.array(found.a.shown)
    side = np.hypot(*(corners[1] - corners[0]))
    away = np.hypot(*(np.stack([columns, rows], 1) - corners.mean(0)).T)
    assert away.max() < 0.45 * side
    assert not found.a.values[:20].any()
    with pytest.raises(DoppelgramError, match="no map of features"):
        maps_of(model, files, "grad-cam")
    Image.new("RGB", (300, 200), (90, 90, 90)).save(tmp_path / "none.png")
    with pytest.raises(DoppelgramError, match=r"none\.png: no face"):
        maps_of(model, [files[0], tmp_path / "none.png"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_world(tmp_path_factory.mktemp("world") / "posts")


def test_places_and_poses(world: Path) -> None:
    """Grad-CAM of the place, joints of the pose; without people no joints. Occlusion sees the place only, too."""
    model = random_model()
    tree, bare = (sorted(world.glob(f"*/{pose}/*.jpg"))[0] for pose in ("tree", "_zz"))
    found = maps_of(model, [tree, tree])
    assert (found.method, found.part, found.pose_pictures) == ("grad-cam", "place", True)
    assert found.a.joints is not None
    assert found.a.people is not None
    assert found.a.joints.shape == (len(found.a.people), 18)
    # Nothing can bring a pose nearer to itself.
    assert np.nanmin(found.a.joints) >= -1e-6
    assert np.nanmax(found.a.joints) > 0
    np.testing.assert_allclose(found.a.joints, found.b.joints, atol=1e-6)
    np.testing.assert_allclose(found.a.values, found.b.values, atol=1e-5)
    vectors = model.embed_images([tree, bare])
    place = model.space.split(vectors)[0].astype(np.float64)
    other = maps_of(model, [tree, bare])
    assert other.similarity == pytest.approx(float(place[0] @ place[1]), abs=1e-4)
    assert (other.a.joints, other.b.joints) == (None, None)
    covered = maps_of(model, [tree, bare], "occlusion")
    assert (covered.method, covered.similarity, covered.part) == ("occlusion", None, "place")
    assert covered.a.values.shape == covered.a.pixels.shape[:2]


def test_somebody_of_whom_only_the_outline_was_found_has_no_joints(world: Path) -> None:
    model = random_model()
    (seen,) = read_all(sorted(world.glob("*/tree/*.jpg"))[:1], model.want)
    height, width = np.asarray(seen.pixels).shape[:2]
    outline = np.zeros((height, width), dtype=bool)
    outline[height // 4 : -height // 4, width // 3 : -width // 3] = True
    extras = {PEOPLE: People.nobody(width, height), MASK: PersonMask.of(outline, width, height)}
    photographs = [seen, replace(seen, extras=extras)]
    vectors = model.embed(photographs).vectors
    sides = [
        Side(np.asarray(one.pixels), *people_in(one), vector) for one, vector in zip(photographs, vectors, strict=True)
    ]
    found = arrangement_saliency(model, (sides[0], sides[1]), progress=SilentProgress())
    assert found.a.joints is not None
    assert found.b.joints is not None
    assert found.b.people is not None
    assert np.nanmax(np.abs(found.a.joints)) > 0
    assert len(found.b.joints) == len(found.b.people) == 0
    sheet = Sheet(900, saliency_height(found, 900))
    draw_saliency(sheet, found, (0, 0), 900)


def test_a_joint_beside_the_distance_worked_out_again(world: Path) -> None:
    """The growth for one joint of the first photograph, by hand through the model's own networks."""
    model = random_model(people=1)
    a, b = (sorted(world.glob(f"*/{pose}/*.jpg"))[0] for pose in ("tree", "arms_up"))
    found = maps_of(model, [a, b])
    assert found.a.joints is not None
    vectors = model.embed_images([a, b])
    before = model.space.part_distances(vectors[:1], vectors[1:])[1][0]
    (photograph,) = read_all([a], model.want)
    people, mask = people_in(photograph)
    (person,) = persons(people, mask, 1)
    inputs = [tower.inputs(np.asarray(photograph.pixels), [person], mask) for tower in model.pose]
    for joint in (0, 4, 13):
        hidden = inputs[0].copy()
        hidden[0, joint] = (np.nan, np.nan, 0)
        with torch.inference_mode():
            parts = [model.pose[0].embed(hidden), model.pose[1].embed(inputs[1])]
        vector = vectors[:1].copy()
        vector[0, model.space.place_dim :] = fused(parts, model.pose)[0]
        after = model.space.part_distances(vector, vectors[1:])[1][0]
        assert found.a.joints[0, joint] == pytest.approx(after - before, abs=1e-6)
