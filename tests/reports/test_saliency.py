"""Photographs under their maps: what is coloured, what is said, and that more is darker in every colour vision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from doppelgram.pose.people import People
from doppelgram.reports.drawing import Sheet
from doppelgram.reports.saliency import draw_saliency, saliency_height, saliency_sentences, under_map
from doppelgram.saliency.maps import PairSaliency, SaliencyMap
from helpers.tiny_networks import standing


def one(values: NDArray[np.float32], **more: object) -> SaliencyMap:
    pixels = np.full((*values.shape, 3), 128, np.uint8)
    return SaliencyMap(pixels, values, **more)  # type: ignore[arg-type]


def corner() -> NDArray[np.float32]:
    values = np.zeros((80, 80), np.float32)
    values[:40, :40] = 1
    return values


# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency", 2009:
# linear RGB as who lacks long, middle or short cones sees it.
SEEN = {
    "all": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


@pytest.mark.parametrize("seen", SEEN)
def test_more_is_darker_whoever_looks(seen: str) -> None:
    bar = np.linspace(0, 1, 100, dtype=np.float32)[None].repeat(5, 0)
    shown = np.asarray(under_map(np.full((5, 100, 3), 200, np.uint8), bar, (100, 5)))[2].astype(float) / 255
    away = np.r_[8:40, 60:100]  # beside the line at one half
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4) @ SEEN[seen].T
    light = linear.clip(0, 1) @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(light[away])
    assert (steps <= 0.004).all()
    assert light[8] - light[-1] > 0.3


def test_only_what_counts_is_coloured() -> None:
    shown = np.asarray(under_map(np.full((80, 80, 3), 128, np.uint8), corner(), (80, 80))).astype(int)
    colour = np.ptp(shown, axis=2)
    assert colour[10:30, 10:30].min() > 40
    assert colour[50:, 50:].max() == 0


def test_a_drawing_with_joints_has_their_discs() -> None:
    keypoints = standing(40, 40, 60)[None]
    people = People(keypoints, np.ones(1, np.float32), 80, 80)
    joints = np.full((1, 18), 0.2)
    joints[0, :9] = -0.2
    pair = PairSaliency(
        one(corner(), people=people, joints=joints),
        one(corner(), people=people, joints=joints),
        "grad-cam",
        0.4,
        "place",
    )
    without = replace(pair, a=one(corner()), b=one(corner()))
    drawings = []
    for found in (pair, without):
        sheet = Sheet(900, saliency_height(found, 900))
        draw_saliency(sheet, found, (0, 0), 900)
        drawings.append(np.asarray(sheet.page).astype(int))
    blue = [((each - (0, 114, 178)) ** 2).sum(2) < 300 for each in drawings]
    assert blue[0].sum() > 200
    assert not blue[1].any()


def test_it_says_what_it_shows_and_what_it_does_not() -> None:
    pair = PairSaliency(one(corner()), one(corner()), "grad-cam", 0.417)
    assert any("0.42 in all" in said for said in saliency_sentences(pair))
    blank = one(np.zeros((8, 8), np.float32))
    assert saliency_sentences(PairSaliency(blank, blank, "occlusion"))[0].startswith("Nothing brings")
    place = replace(pair, part="place", pose_pictures=True)
    assert sum("no map" in said or said.startswith("No joints") for said in saliency_sentences(place)) == 2
    cut = one(corner(), shown=((10.0, 10.0), (60.0, 10.0), (60.0, 60.0), (10.0, 60.0)))
    assert any("frame" in said for said in saliency_sentences(replace(pair, b=cut)))
