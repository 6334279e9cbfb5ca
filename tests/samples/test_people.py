import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.samples.landmarks import LANDMARKS, mesh_of
from doppelgram.samples.light import HOURS, Light
from doppelgram.samples.looks import choose_look
from doppelgram.samples.painter import Camera, outline
from doppelgram.samples.people import draw_person
from doppelgram.samples.photo import choose_view, take
from doppelgram.samples.process import plan
from doppelgram.samples.skeleton import (
    KEYPOINT_NAMES,
    LENGTHS,
    POSES,
    Build,
    body_points,
    flip,
    jitter,
    keypoints,
    mirrored,
)


@pytest.mark.parametrize("name", list(POSES))
def test_limbs_keep_their_length_and_feet_the_ground(name: str) -> None:
    pose = jitter(POSES[name], np.random.default_rng(3), 9.0)
    build = Build(arms=1.1, legs=0.9)
    at = body_points(pose, build)
    for side in "rl":
        for a, b, limb, factor in (
            ("shoulder", "elbow", "upper_arm", 1.1),
            ("elbow", "wrist", "forearm", 1.1),
            ("hip", "knee", "thigh", 0.9),
            ("knee", "ankle", "shin", 0.9),
        ):
            length = np.linalg.norm(at[f"{side}_{a}"] - at[f"{side}_{b}"])
            assert length == pytest.approx(LENGTHS[limb] * factor)
    lowest = min(float(point[1]) for point in at.values())
    assert pose.lift - 0.001 <= lowest <= pose.lift + 0.09


def test_poses_are_told_apart_by_their_keypoints() -> None:
    rng = np.random.default_rng(0)
    shapes, names = [], []
    for name, pose in POSES.items():
        for _ in range(8):
            points = keypoints(body_points(jitter(pose, rng, 5.0), Build()))[:, :2]
            shapes.append((points - points[[8, 11]].mean(axis=0)).ravel())
            names.append(name)
    stack, labels = np.array(shapes), np.array(names)
    distance = np.linalg.norm(stack[:, None] - stack[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (labels[distance.argmin(axis=1)] == labels).mean() > 0.95


def test_a_mirrored_pose_is_the_flipped_picture() -> None:
    pose = jitter(POSES["warrior"], np.random.default_rng(1), 6.0)
    plain = keypoints(body_points(pose, Build()))[:, :2]
    turned = keypoints(body_points(mirrored(pose), Build()))[:, :2]
    np.testing.assert_allclose(flip(plain, 0.0), turned, atol=1e-9)


@given(st.lists(st.floats(-500, 500), min_size=36, max_size=36), st.integers(1, 600))
@settings(max_examples=40, deadline=None)
def test_flipping_twice_changes_nothing(values: list[float], width: int) -> None:
    points = np.array(values).reshape(18, 2)
    once = flip(points, width)
    np.testing.assert_allclose(flip(once, width), points, atol=1e-9)
    left, right = KEYPOINT_NAMES.index("l_wrist"), KEYPOINT_NAMES.index("r_wrist")
    assert once[left, 0] == width - points[right, 0]


@pytest.mark.parametrize("name", ["arms_up", "sit", "dancer"])
def test_keypoints_lie_on_the_drawn_body(name: str) -> None:
    for number in range(6):
        look = choose_look(number, 0)
        figure = draw_person(look, POSES[name], Light.at(HOURS[0], 40.0), 180.0, tilt=4.0)
        mask = np.asarray(figure.mask)
        for x, y in figure.points:
            assert mask[max(0, int(y) - 2) : int(y) + 3, max(0, int(x) - 2) : int(x) + 3].max() == 255
        assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0


def test_people_and_views_repeat_by_number_and_differ_between_numbers() -> None:
    assert choose_look(4, 1) == choose_look(4, 1)
    assert len({str(choose_look(n, 1)) for n in range(40)}) == 40
    assert choose_view(LANDMARKS[0], 1, 0).yaw != choose_view(LANDMARKS[0], 2, 0).yaw


@pytest.mark.parametrize("landmark", LANDMARKS, ids=lambda mark: mark.name)
def test_every_landmark_stands_out_from_its_sky(landmark) -> None:  # type: ignore[no-untyped-def]
    mesh = mesh_of(landmark)
    assert mesh.points[:, 1].min() > -0.1
    assert 0.8 < np.ptp(mesh.points[:, 1]) < 2.6
    np.testing.assert_allclose(np.linalg.norm(mesh.turned(33.0).points, axis=1), np.linalg.norm(mesh.points, axis=1))
    photo = take(choose_view(landmark, 0, 0), 96)
    pixels = np.asarray(photo.picture, dtype=float)
    assert pixels.shape == (96, 96, 3)
    assert pixels.std() > 15
    assert 0.4 * 96 < photo.horizon <= photo.shore <= 96


def test_the_camera_keeps_the_horizon_and_shrinks_with_distance() -> None:
    camera = Camera(focal=100.0, distance=5.0, height=0.3, centre_x=50.0, horizon=60.0)
    far = camera.project(np.array([[0.0, 0.3, -50.0], [0.0, 0.3, 2.0]]))
    np.testing.assert_allclose(far[:, 1], 60.0)
    spans = [float(np.ptp(camera.project(np.array([[-1.0, 0, z], [1.0, 0, z]]))[:, 0])) for z in (2.0, 0.0, -5.0)]
    assert spans == pytest.approx([200 / 3, 40.0, 20.0])


def test_the_outline_spans_the_points() -> None:
    points = np.random.default_rng(0).normal(size=(200, 2))
    found = np.array(outline(points))
    np.testing.assert_allclose(found.max(axis=0), points.max(axis=0))
    np.testing.assert_allclose(found.min(axis=0), points.min(axis=0))
    assert len(found) < 30


def test_a_plan_has_about_as_many_inventions_as_it_should() -> None:
    posts = plan(1200, 6, list(POSES)[:5], seed=2)
    posing = [p for p in posts if p.pose is not None]
    assert len(posing) == 1200
    assert len({p.time for p in posts}) == len(posts)
    assert sorted(p.number for p in posts) == list(range(len(posts)))
    roots = sum(p.parent is None for p in posing) - 30
    assert 0.05 < roots / (1200 - 30) < 0.11
    children = np.bincount([p.parent for p in posing if p.parent is not None])
    assert children.max() > 8  # influence is unequal: some posts are repeated far more than most
