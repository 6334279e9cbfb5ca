from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.errors import DoppelgramError
from doppelgram.pose.matching import AREA, match_people, pose_similarity
from doppelgram.pose.normalise import SHORTEST_TRUNK, normalised
from doppelgram.pose.people import People
from doppelgram.pose.similarity import areas, coverage, limb_cosine, oks, pck
from doppelgram.pose.skeleton import (
    L_ANKLE,
    L_HIP,
    L_SHOULDER,
    L_WRIST,
    LIMBS,
    R_HIP,
    R_SHOULDER,
    R_WRIST,
    SIGMAS,
    mirrored,
)
from helpers.tiny_networks import standing


def some_people(count: int, seed: int, missing: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    keypoints = np.stack([standing(*rng.uniform(50, 200, 2), rng.uniform(40, 160)) for _ in range(count)])
    keypoints[..., :2] += rng.normal(0, 12, (count, 18, 2)).astype(np.float32)
    keypoints[..., 2] = rng.uniform(0.1, 1, (count, 18))
    keypoints[rng.random((count, 18)) < missing] = (np.nan, np.nan, 0)
    return keypoints


def naive_oks(a: np.ndarray, b: np.ndarray, area: float) -> float:
    terms = []
    for joint in range(18):
        if a[joint, 2] > 0 and b[joint, 2] > 0:
            squared = (a[joint, 0] - b[joint, 0]) ** 2 + (a[joint, 1] - b[joint, 1]) ** 2
            terms.append(math.exp(-squared / (2 * area * (2 * SIGMAS[joint]) ** 2)))
    return sum(terms) / len(terms) if terms else math.nan


def naive_pck(a: np.ndarray, b: np.ndarray, alpha: float) -> float:
    known = [joint for joint in range(18) if b[joint, 2] > 0]
    size = max(max(b[j, axis] for j in known) - min(b[j, axis] for j in known) for axis in (0, 1))
    both = [joint for joint in known if a[joint, 2] > 0]
    near = [joint for joint in both if math.dist(a[joint, :2], b[joint, :2]) <= alpha * size]
    return len(near) / len(both) if both else math.nan


def naive_cosine(a: np.ndarray, b: np.ndarray) -> float:
    cosines = []
    for start, end in LIMBS:
        if min(a[start, 2], a[end, 2], b[start, 2], b[end, 2]) > 0:
            first = math.atan2(a[end, 1] - a[start, 1], a[end, 0] - a[start, 0])
            second = math.atan2(b[end, 1] - b[start, 1], b[end, 0] - b[start, 0])
            cosines.append(math.cos(first - second))
    return sum(cosines) / len(cosines) if cosines else math.nan


@pytest.mark.parametrize("seed", range(3))
def test_against_loops_over_every_pair_and_joint(seed: int) -> None:
    first, second = some_people(6, seed), some_people(5, seed + 100)
    first[0] = (np.nan, np.nan, 0)  # nothing in common with anybody
    a, b = first[:, None], second[None]
    found = oks(a, b), oks(a, b, 900.0), pck(a, b, 0.15), limb_cosine(a, b)
    assert all(table.shape == (6, 5) for table in found)
    for i, j in np.ndindex(6, 5):
        one, other = first[i].astype(float), second[j].astype(float)
        area = math.sqrt(areas(first)[i] * areas(second)[j])
        wanted = naive_oks(one, other, area), naive_oks(one, other, 900), naive_pck(one, other, 0.15)
        for table, value in zip(found, (*wanted, naive_cosine(one, other)), strict=True):
            assert table[i, j] == pytest.approx(value, nan_ok=True)
    common = [[sum(x[2] > 0 and y[2] > 0 for x, y in zip(p, q, strict=True)) for q in second] for p in first]
    assert coverage(a, b).tolist() == common


def test_bounds_and_identity() -> None:
    people = some_people(4, 1)
    np.testing.assert_allclose(oks(people, people), 1)
    np.testing.assert_allclose(pck(people, people), 1)
    np.testing.assert_allclose(limb_cosine(people, people), 1)
    opposite = people.copy()
    opposite[..., :2] *= -1
    np.testing.assert_allclose(limb_cosine(people, opposite), -1)


def test_a_lying_line_still_has_an_area() -> None:
    lying = standing(0, 0, 100)
    lying[:, 1] = 0
    lying[:, 0] = np.linspace(0, 100, 18)
    assert areas(lying) == pytest.approx(0.53 * 100 * 30)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_normalised_poses_do_not_depend_on_place_and_size(seed: int, scale: float, x: float, y: float) -> None:
    people = some_people(3, seed)
    moved = people.copy()
    moved[..., :2] = people[..., :2] * np.float32(scale) + np.array([x, y], np.float32)
    np.testing.assert_allclose(normalised(moved), normalised(people), rtol=1e-2, atol=5e-3)


def frame_of(person: np.ndarray) -> tuple[np.ndarray, float]:
    """Origin and unit of a person (18, 3), in pixels, as two joints and where they come to lie tell them."""
    found = normalised(person).astype(np.float64)
    first, second = np.flatnonzero(np.isfinite(person[:, 0]))[[0, -1]]
    unit = float(np.hypot(*(person[first] - person[second])[:2]) / np.hypot(*(found[first] - found[second])[:2]))
    return person[first, :2] - unit * found[first, :2], unit


def test_the_middle_of_the_hips_is_the_origin_and_the_trunk_is_one_long() -> None:
    keypoints = normalised(standing(300, 200, 100))
    np.testing.assert_allclose((keypoints[R_HIP] + keypoints[L_HIP])[:2] / 2, 0, atol=1e-6)
    shoulders = (keypoints[R_SHOULDER] + keypoints[L_SHOULDER])[:2] / 2
    assert np.hypot(*shoulders) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(keypoints).all()
    assert frame_of(standing(300, 200, 100))[1] == pytest.approx(32, abs=1e-3)


def test_hips_are_weighted_by_confidence() -> None:
    person = standing(0, 0, 100)
    person[R_HIP, 2], person[L_HIP, 2] = 0.9, 0.3
    wanted = (0.9 * person[R_HIP, :2] + 0.3 * person[L_HIP, :2]) / 1.2
    np.testing.assert_allclose(frame_of(person)[0], wanted, rtol=1e-4, atol=1e-3)
    person[L_HIP] = (np.nan, np.nan, 0)
    np.testing.assert_allclose(frame_of(person)[0], person[R_HIP, :2], rtol=1e-4, atol=1e-3)


def test_without_hips_or_shoulders() -> None:
    person = standing(50, 70, 100)
    person[[R_HIP, L_HIP]] = (np.nan, np.nan, 0)
    origin, unit = frame_of(person)
    known = np.isfinite(person[:, 0])
    np.testing.assert_allclose(origin, person[known, :2].mean(0), rtol=1e-4)
    box = np.ptp(person[known, :2], axis=0)
    assert unit == pytest.approx(SHORTEST_TRUNK * np.hypot(*box), rel=1e-4)
    person = standing(50, 70, 100)
    person[[R_SHOULDER, L_SHOULDER]] = (np.nan, np.nan, 0)
    box = np.ptp(person[np.isfinite(person[:, 0]), :2], axis=0)
    assert frame_of(person)[1] == pytest.approx(SHORTEST_TRUNK * np.hypot(*box), rel=1e-4)
    assert np.isfinite(normalised(person)[L_WRIST]).all()


def test_a_trunk_that_points_at_the_camera_does_not_blow_up_the_rest() -> None:
    person = standing(0, 0, 100)
    person[[R_SHOULDER, L_SHOULDER], 1] = person[[R_HIP, L_HIP], 1]
    assert np.nanmax(np.abs(normalised(person)[:, :2])) < 1 / SHORTEST_TRUNK


def test_nothing_and_a_single_joint_are_no_error() -> None:
    nothing = np.full((18, 3), np.nan)
    found = normalised(np.stack([nothing, nothing]))
    assert np.isnan(found[..., :2]).all()
    assert (found[..., 2] == 0).all()
    one = nothing.copy()
    one[L_WRIST] = (5, 5, 0.7)
    np.testing.assert_allclose(normalised(one)[L_WRIST], (0, 0, 0.7), rtol=1e-6)


def test_a_raised_arm_matters_and_a_mirror_image_may_not() -> None:
    calm = standing(0, 0, 100)
    waving = calm.copy()
    waving[R_WRIST, 1] -= 60
    assert pose_similarity(calm, waving) < 0.97 < pose_similarity(calm, calm + np.array([40, 9, 0]))
    other_arm = mirrored(waving, 300)
    for measure in ("oks", "pck", "limbs"):
        straight, turned = (pose_similarity(waving, other_arm, measure, mirror=mirror) for mirror in (False, True))  # type: ignore[arg-type]
        assert straight < turned
        assert turned == pytest.approx(1, abs=1e-4)
    with pytest.raises(DoppelgramError, match="no pose measure 'iou'"):
        pose_similarity(calm, calm, "iou")  # type: ignore[arg-type]


def test_oks_of_normalised_poses_uses_one_area_for_all() -> None:
    a, b = some_people(1, 5)[0], some_people(1, 6)[0]
    wanted = naive_oks(normalised(a).astype(float), normalised(b).astype(float), AREA)
    assert pose_similarity(a, b) == pytest.approx(wanted)


def waver(x: float, y: float, height: float) -> np.ndarray:
    person = standing(x, y, height)
    person[R_WRIST, 1] -= 0.7 * height
    return person


def kicker(x: float, y: float, height: float) -> np.ndarray:
    person = standing(x, y, height)
    person[L_ANKLE, 0] += 0.5 * height
    return person


def photograph(*people: np.ndarray) -> People:
    return People(np.stack(people), np.full(len(people), 0.9), 600, 400) if people else People.nobody(600, 400)


def test_two_people_are_matched_to_two_whatever_their_order() -> None:
    first = photograph(waver(150, 200, 210), kicker(400, 200, 200))
    second = photograph(kicker(200, 200, 310), waver(450, 200, 290))
    match = match_people(first, second)
    assert match.similarity == pytest.approx(1, abs=1e-4)
    assert set(match.pairs) == {(0, 1), (1, 0)}
    assert (match.joints, match.unmatched, match.mirrored) == ((18, 18), 0, False)


def test_two_against_one_leaves_one_over() -> None:
    match = match_people(photograph(waver(150, 200, 210), kicker(400, 200, 200)), photograph(kicker(300, 200, 250)))
    assert match.pairs == ((1, 0),)
    assert match.unmatched == 1
    assert match.similarity == pytest.approx(1, abs=1e-4)


def test_both_are_mirrored_together() -> None:
    first = photograph(waver(150, 200, 210), kicker(400, 200, 200))
    second = People(mirrored(first.keypoints, 600), first.score, 600, 400)
    match = match_people(first, second, mirror=True)
    assert match.mirrored
    assert match.similarity == pytest.approx(1, abs=1e-4)
    assert match_people(first, first, mirror=True).mirrored is False


def test_nobody_matches_nobody() -> None:
    match = match_people(photograph(), photograph(waver(150, 200, 210)), mirror=True)
    assert math.isnan(match.similarity)
    assert (match.pairs, match.unmatched) == ((), 1)
    legs, arms = (np.full((18, 3), np.nan, np.float32) for _ in range(2))
    legs[8:14], arms[2:8] = standing(0, 0, 90)[8:14], standing(0, 0, 90)[2:8]
    match = match_people(photograph(legs), photograph(arms))
    assert math.isnan(match.similarity)
    assert match.unmatched == 2
