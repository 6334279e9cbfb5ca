from __future__ import annotations

import math

import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.models.networks.keypoints import PoseTower


def keypoints(n: int = 6, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(n, 18, 3, generator=generator)
    points[..., 2] = torch.rand(n, 18, generator=generator)
    points[1, 4] = torch.tensor([math.nan, math.nan, 0.0])
    return points


@pytest.mark.parametrize("posterior", [0.0, 1.0])
def test_vectors_have_length_one_and_mirror_images_are_alike(posterior: float) -> None:
    torch.manual_seed(0)
    tower = PoseTower(dim=7, posterior=posterior).eval()
    points = keypoints()
    with torch.inference_mode():
        vectors = tower(points)
        mirrored = tower(tower.mirrored(points))
    assert vectors.shape == (6, 7)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(6))
    torch.testing.assert_close(vectors, mirrored)
    assert (vectors - vectors[:1]).abs().max() > 1e-3


def test_a_posterior_is_the_roots_of_a_softmax() -> None:
    torch.manual_seed(0)
    tower = PoseTower(dim=4, posterior=2.0).eval()
    with torch.inference_mode():
        torch.testing.assert_close(tower(keypoints()) ** 2, (tower.logits(keypoints()) / 2).softmax(1))


def test_a_missing_joint_has_no_say() -> None:
    tower = PoseTower().eval()
    points = keypoints()
    points[2, 7] = torch.tensor([math.nan, math.nan, 0.0])
    elsewhere = points.clone()
    elsewhere[1, 4] = torch.tensor([math.nan, 5.0, 0.0])
    with torch.inference_mode():
        torch.testing.assert_close(tower(points), tower(elsewhere))
    assert torch.isfinite(tower.described(torch.full((2, 18, 3), math.nan))).all()


def test_training_reaches_every_weight_even_without_joints() -> None:
    tower = PoseTower()
    points = keypoints()
    points[3, :, :2], points[3, :, 2] = math.nan, 0.0
    tower(points).square()[:, 0].sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in tower.parameters())


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(DoppelgramError, match="dim is 1"):
        PoseTower(dim=1)
