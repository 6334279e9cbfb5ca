"""A model of places and poses: what it makes of photographs, on disk and off."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import read_all
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.arrangement import ArrangementModel, require_arrangement
from doppelgram.models.bundle import load_model
from doppelgram.models.embed_files import embed_files
from doppelgram.models.finder import _check, open_finder
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.model import require_model
from doppelgram.models.networks.fixed_pose import FixedPose
from doppelgram.models.towers import KeypointTower
from doppelgram.pose.cutouts import Person, person_view, persons, without_people
from doppelgram.pose.embedding import DIM
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import MIRROR
from doppelgram.space.arrangement import ArrangementSpace
from helpers.posts_world import random_image_tower, random_model, render_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_world(tmp_path_factory.mktemp("world") / "posts")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model().save(tmp_path_factory.mktemp("models") / "model")


def posts(world: Path, pose: str = "*", most: int = 6) -> list[Path]:
    return [path for path in sorted(world.glob(f"*/{pose}/*.jpg")) if pose == "_zz" or path.parent.name != "_zz"][:most]


def test_vectors_are_of_a_place_and_of_people(world: Path) -> None:
    """Unit parts, zeros where there is nobody, and the people in pixels of the photograph."""
    model = random_model()
    files = [*posts(world), *posts(world, "_zz", 2)]
    seen = model.embed(read_all(files, model.want))
    place, poses = model.space.split(seen.vectors)
    known = json.loads((world / "keypoints.json").read_text())
    assert seen.vectors.dtype == np.float32
    assert seen.vectors.shape == (8, model.dim)
    assert np.linalg.norm(place, axis=1) == pytest.approx(1, abs=1e-5)
    assert [len(people) for people in seen.people] == [1] * 6 + [0] * 2
    assert np.linalg.norm(poses[:6, 0], axis=1) == pytest.approx(1, abs=1e-5)
    assert not poses[6:].any()
    assert not poses[:, 1].any()
    points = np.array(known[files[0].relative_to(world).as_posix()])
    assert np.allclose(seen.people[0].keypoints[0, :, :2], points, atol=0.1)


def test_one_or_many_at_a_time_is_the_same(world: Path) -> None:
    """Vectors do not depend on what else is embedded, nor on the way in."""
    model, files = random_model(), posts(world, most=5)
    together = embed_files(model, [*files, files[0], world / "none.jpg"], keep_duplicates=True)
    assert together.kept.tolist() == [0, 1, 2, 3, 4, 5]
    assert [outcome.status for outcome in together.report.outcomes] == ["ok"] * 5 + ["duplicate", "missing"]
    assert np.array_equal(together.vectors[5], together.vectors[0])
    assert np.allclose(model.embed_images(files), together.vectors[:5], atol=1e-6)


def test_saved_and_loaded_is_the_same(world: Path, tmp_path: Path) -> None:
    """Two files, one fingerprint, the same vectors; recalibrating leaves the fingerprint as it is."""
    model, files = random_model(), posts(world, most=3)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert isinstance(again, ArrangementModel)
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["model.json", "model.safetensors"]
    assert np.array_equal(again.embed_images(files), model.embed_images(files))
    assert (again.space, tuple(again.labels)) == (model.space, model.labels)
    assert again.finder_settings == model.finder_settings
    assert (again.recipe, again.fingerprint) == (model.recipe, model.fingerprint)
    other = random_model(settings=FinderSettings(longest=640))
    other.save(tmp_path / "other")
    assert other.fingerprint != model.fingerprint
    assert require_arrangement(again, "no") is again
    with pytest.raises(DoppelgramError, match="holds places and poses"):
        require_model(again, "m: holds places and poses")


def test_damaged_models_are_refused(saved: Path, tmp_path: Path) -> None:
    """A byte changed in either file, or weights of other towers."""
    for name in ("model.json", "model.safetensors"):
        copy = tmp_path / name
        copy.mkdir()
        for file in saved.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        content = bytearray((copy / name).read_bytes())
        content[-4] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(DoppelgramError, match=r"altered|damaged|does not fit"):
            load_model(copy)


def test_pairs_are_judged(world: Path) -> None:
    """A photograph is its own nearest; with a bare place the pose's prior stands in."""
    model = random_model()
    file, bare = posts(world, most=1)[0], posts(world, "_zz", 1)[0]
    vectors = model.embed_images([file, bare])
    compared = model.space.compare(vectors[[0, 0]], vectors)
    place, pose = compared.parts["place"], compared.parts["pose"]
    assert place.distance[0] == 0
    assert pose.distance[0] == 0
    assert np.isnan(pose.distance[1])
    assert pose.probability[1] == pytest.approx(1 / (1 + np.exp(0.5)))
    assert model.similarity(file, file) == pytest.approx(compared.probability[0])


def test_photographs_of_all_sizes_and_kinds(world: Path, tmp_path: Path) -> None:
    """Sideways, large, tiny, grey, with half-transparent parts: each gives a vector, and keypoints follow its size."""
    source, points = posts(world, most=1)[0], json.loads((world / "keypoints.json").read_text())
    person = points[source.relative_to(world).as_posix()]
    picture = Image.open(source)
    sideways = Image.Exif()
    sideways[0x0112] = 6
    made = {
        "sideways.jpg": (picture.transpose(Image.Transpose.ROTATE_90), person, {"exif": sideways}),
        "large.png": (picture.resize((1920, 1920)), [[x * 20, y * 20] for x, y in person], {}),
        "tiny.png": (picture.resize((3, 2)), [[x / 32, y / 48] for x, y in person], {}),
        "grey.png": (picture.convert("L"), person, {}),
        "glass.png": (picture.convert("RGBA"), person, {}),
        "cut.png": (picture.crop((0, 0, 96, 60)), person, {}),
        "outside.png": (picture, [[x - 5000, y] for x, y in person], {}),
    }
    for name, (image, _, options) in made.items():
        image.save(tmp_path / name, **options)
    (tmp_path / "keypoints.json").write_text(json.dumps({name: found for name, (_, found, _) in made.items()}))
    model = random_model()
    seen = model.embed(read_all([tmp_path / name for name in made], model.want))
    assert np.isfinite(seen.vectors).all()
    assert [len(people) for people in seen.people] == [1] * len(made)
    assert seen.people[1].width == 1280
    assert np.allclose(seen.people[1].keypoints[0, :, :2], np.array(person) * 1280 / 96, atol=1)
    upright, large = model.embed_images([source])[0], seen.vectors[1]
    assert np.linalg.norm(upright - seen.vectors[0]) < 0.2
    assert np.linalg.norm(upright[10:] - large[10:]) < 0.2


def test_what_finds_people_must_be_there(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lack is one sentence: weights, ready-made keypoints, or files where arrays were given."""
    monkeypatch.delenv("DOPPELGRAM_WEIGHTS", raising=False)
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path / "cache"))
    Image.new("RGB", (40, 40)).save(tmp_path / "lone.png")
    model = random_model()
    with pytest.raises(DoppelgramError, match=r"no keypoints\.json beside it"):
        model.embed_images([tmp_path / "lone.png"])
    with pytest.raises(DoppelgramError, match="give files"):
        model.embed_images([np.zeros((40, 40, 3), np.uint8)])
    with pytest.raises(DoppelgramError, match="movenet"):
        open_finder(FinderSettings("movenet", "movenet-1"))
    with pytest.raises(DoppelgramError, match="--keypoints goes with"):
        open_finder(FinderSettings("movenet"), keypoints=world / "keypoints.json")
    model.keypoints, model._finder = world / "keypoints.json", None
    with pytest.raises(DoppelgramError, match=r"keypoints\.json: does not name the photograph .*lone\.png'; give"):
        model.embed_images([tmp_path / "lone.png"])


def test_towers_must_fit_their_space() -> None:
    """Sizes add up, and a tower speaks of its own side."""
    model = random_model()
    with pytest.raises(DoppelgramError, match="place towers give 6 numbers, but its space has 10"):
        ArrangementModel(model.place[:1], model.pose, model.space)
    with pytest.raises(DoppelgramError, match="not a person"):
        ArrangementModel([*model.place[:1], random_image_tower("person", 4)], model.pose, model.space)
    with pytest.raises(DoppelgramError, match="a tower sees 'sky'"):
        random_image_tower("sky", 4)


def test_people_are_painted_over() -> None:
    """With what lies just round them, in the mean of the rest; not where nothing else would be left."""
    pixels = np.zeros((100, 150, 3), dtype=np.uint8)
    pixels[:, 75:] = 100
    mask = np.zeros((100, 150), dtype=bool)
    mask[40:60, 100:120] = True
    covered = without_people(pixels, mask)
    changed = (covered != pixels).any(axis=2)
    assert changed[38:62, 98:122].all()
    assert not changed[:, :90].any()
    assert not changed[:30].any()
    assert 30 < covered[50, 110, 0] < 60
    assert without_people(pixels, np.ones_like(mask)) is pixels
    assert without_people(pixels, np.zeros_like(mask)) is pixels


def test_a_person_is_cut_out_with_the_outline() -> None:
    """The joints' box grows to the outline that most joints lie on, within reason, and never beyond memory."""
    pixels = np.full((100, 150, 3), 50, dtype=np.uint8)
    points = np.full((18, 3), np.nan, dtype=np.float32)
    points[:, 2] = 0
    points[[0, 3, 6, 9]] = [(60, 40, 1), (80, 40, 1), (60, 60, 1), (80, 60, 1)]
    people = People(points[None], np.ones(1), 150, 100)
    (plain,) = persons(people, None, 2)
    assert (plain.x, plain.y, plain.side) == pytest.approx((70, 50, 1.2 * 20))
    mask = np.zeros((100, 150), dtype=bool)
    mask[38:66, 58:140] = True
    (grown,) = persons(people, mask, 2)
    assert grown.side == pytest.approx(1.2 * (87 - 58), abs=1.3)  # to the left as far as it goes, to the right by 7
    framing = random_image_tower("person", 4).framing
    view = person_view(pixels, Person(points, 150, 50, 60), framing)
    assert view.shape == (32, 32, 3)
    assert (view[16, 2, 0], view[16, 30, 0]) == (50, 128)  # grey beyond the right edge
    assert person_view(pixels, Person(points, 1e9, -1e9, 1e12), framing).shape == (32, 32, 3)


def test_an_outline_without_a_skeleton_is_a_person() -> None:
    """If it is large enough: the keypoint tower is silent, the one that sees the person speaks."""
    nobody = People.nobody(150, 100)
    mask = np.zeros((100, 150), dtype=bool)
    mask[10:14, 10:14] = True
    assert persons(nobody, mask, 2) == []
    mask[40:80, 100:120] = True
    (person,) = persons(nobody, mask, 2)
    assert (person.x, person.y, person.side) == pytest.approx((110, 60, 48), abs=1)
    model = random_model()
    keypoints = model.pose[0].inputs(np.zeros((100, 150, 3), np.uint8), [person], mask)
    assert not model.pose[0].embed(keypoints).any()
    assert model.pose[1].embed(model.pose[1].inputs(np.zeros((100, 150, 3), np.uint8), [person], mask)).any()


def test_a_whole_photograph_is_only_made_smaller() -> None:
    """Neither enlarged nor turned; nonsense sizes are refused."""
    assert WholePhotograph(100).frame(Image.new("RGB", (50, 20))).pixels.shape == (20, 50, 3)
    assert WholePhotograph(100).frame(Image.new("L", (400, 100))).pixels.shape == (25, 100, 3)
    with pytest.raises(DoppelgramError, match="64 to 8192"):
        WholePhotograph(3)


def test_other_weights_are_refused_but_not_a_newer_program() -> None:
    """A key is the name, the hash of the weights, and a number that counts how the program uses them."""
    _check("movenet-abc-3", "movenet-abc-2", "poses")
    _check("movenet-abc-3", "", "poses")
    with pytest.raises(DoppelgramError, match="trained with poses by 'movenet-def-3'"):
        _check("movenet-abc-3", "movenet-def-3", "poses")


def test_a_pose_and_its_mirror_image(world: Path, tmp_path: Path) -> None:
    """With a fixed pose network and a space that holds both, a mirrored photograph shows the same pose."""
    plain = random_model()
    pose = [KeypointTower(FixedPose()), random_image_tower("person", 4)]
    space = ArrangementSpace(
        10, sum(tower.dim for tower in pose), 2, plain.space.calibration, mirror=True, offset=[0.1] * 10
    )
    model = ArrangementModel(plain.place, pose, space, plain.finder_settings)
    files = posts(world)
    known = json.loads((world / "keypoints.json").read_text())
    turned = {}
    for number, file in enumerate(files):
        with Image.open(file) as picture:
            picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / f"{number}.png")
        joints = np.array(known[file.relative_to(world).as_posix()], dtype=float)
        joints[:, 0] = picture.width - joints[:, 0]
        turned[f"{number}.png"] = joints[MIRROR].tolist()
    (tmp_path / "keypoints.json").write_text(json.dumps(turned))
    vectors = model.embed_images(files)
    others = model.embed_images([tmp_path / name for name in turned])
    slots, swapped = (space.split(array)[1][:, 0] for array in (vectors, others))
    assert vectors.shape == (len(files), 10 + 2 * space.slot)
    assert np.linalg.norm(slots[:, : space.pose_dim], axis=1) == pytest.approx(1, abs=1e-5)
    fixed = slice(0, DIM)
    assert np.allclose(slots[:, fixed], swapped[:, space.pose_dim :][:, fixed], atol=1e-3)
    distance = space.part_distances(vectors, others)[1]
    assert (distance < 0.1).all()
    assert (distance < replace(space, mirror=False, pose_dim=space.slot).part_distances(vectors, others)[1]).all()
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert again.space == space
    assert np.array_equal(again.embed_images(files[:2]), vectors[:2])
