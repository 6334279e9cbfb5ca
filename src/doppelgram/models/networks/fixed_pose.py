"""A pose network that was never trained: `doppelgram.pose.embedding` where models expect a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from doppelgram.pose.embedding import CAP, CONFIDENCE_POWER, DIM, LIMB_WEIGHT, pose_vectors


class FixedPose(nn.Module):
    """Normalised keypoints (b, 18, 3) to the unit vectors (b, dim) of `pose_vectors`; it has no weights.

    Unlike a `PoseTower`'s, its answer to a pose is not that to the mirror image: a space that is to hold both for the
    same takes ``mirror``.

    Args:
        cap, limb_weight, confidence_power: of `pose_vectors`.
    """

    dim = DIM
    posterior = 0.0

    def __init__(
        self, cap: float = CAP, limb_weight: float = LIMB_WEIGHT, confidence_power: float = CONFIDENCE_POWER
    ) -> None:
        super().__init__()
        self.spec: dict[str, Any] = {"cap": cap, "limb_weight": limb_weight, "confidence_power": confidence_power}

    def forward(self, keypoints: Tensor) -> Tensor:
        """Unit vectors (b, dim) of normalised keypoints (b, 18, 3), in which keypoints that are not known are NaN."""
        return torch.from_numpy(pose_vectors(np.asarray(keypoints.cpu()), **self.spec)).to(keypoints.device)
