"""A small rendered world of posts, and a model of places and poses with random weights for it."""

from pathlib import Path

import torch

from doppelgram.images.framing import Framing
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.towers import ImageTower, KeypointTower
from doppelgram.samples.posts import render_posts
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration

PLACE = Calibration(slope=30.0, intercept=3.0, threshold=0.1, n_same=5, n_different=5, fitted_on="random weights")
POSE = Calibration(slope=8.0, intercept=3.0, threshold=0.4, n_same=5, n_different=5, fitted_on="random weights")
JOINT = JointCalibration(PLACE, POSE, 1.0, 1.0, -1.0, -0.5, 0.5, rule="both")


def render_world(folder: Path) -> Path:
    """Forty posts and eighteen bare places, with keypoints.json beside them."""
    return render_posts(folder, posts=40, places=3, poses=3, size=96)


def random_image_tower(sees: str, dim: int) -> ImageTower:
    """An image tower that was never trained."""
    backbone = SmallNet(width=4)
    return ImageTower(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, dim)), Framing(32), sees=sees)


def random_model(*, people: int = 2, settings: FinderSettings | None = None, seed: int = 0) -> ArrangementModel:
    """A model with all kinds of towers and random weights."""
    torch.manual_seed(seed)
    place = [random_image_tower("photograph", 6), random_image_tower("place", 4)]
    pose = [KeypointTower(PoseTower(), 0.8), random_image_tower("person", 4)]
    space = ArrangementSpace(10, sum(tower.dim for tower in pose), people, JOINT)
    recipe = {"name": "test", "data": {"label": "place+pose"}}
    return ArrangementModel(place, pose, space, settings or FinderSettings(), ("arms_up", "tree"), recipe)
