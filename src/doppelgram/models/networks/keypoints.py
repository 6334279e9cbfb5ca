"""The pose tower: normalised keypoints of one person to a point, or to what pose classes they may be of."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.pose.skeleton import KEYPOINT_NAMES, LIMBS, MIRROR

# Pairs of keypoints besides the limbs whose direction and length tell poses apart: hand and foot, hand and hand.
_SPANS = (
    ("r_wrist", "r_ankle"),
    ("l_wrist", "l_ankle"),
    ("r_wrist", "r_hip"),
    ("l_wrist", "l_hip"),
    ("r_wrist", "l_wrist"),
    ("r_ankle", "l_ankle"),
    ("nose", "r_wrist"),
    ("nose", "l_wrist"),
    ("nose", "r_ankle"),
    ("nose", "l_ankle"),
    ("r_shoulder", "r_hip"),
    ("l_shoulder", "l_hip"),
)
_FAR = 6.0  # trunk lengths; a keypoint further away than that is an error of the estimator
_LONG = 4.0  # trunk lengths at which a limb's length stops to count


class PoseTower(nn.Module):
    """Normalised keypoints (b, 18, 3) to unit vectors (b, dim), the same for a pose and its mirror image.

    The network sees every keypoint's position, weighted by the root of its confidence, and direction and length of
    every limb. It is a perceptron of two hidden layers, applied to the keypoints and to their mirror image; both
    outputs are added.

    Args:
        dim: size of the output, 2 to 2,048.
        hidden: width of the two hidden layers.
        dropout: share of hidden units dropped in training.
        posterior: temperature, above 0, at which the output is the square roots of ``dim`` class probabilities, as for
            `doppelgram.models.networks.embedding.EmbeddingHead`; 0: the output is an embedding.
    """

    first: Tensor
    second: Tensor
    mirror: Tensor

    def __init__(self, dim: int = 64, hidden: int = 256, dropout: float = 0.2, posterior: float = 0.0) -> None:
        super().__init__()
        if not 2 <= dim <= 2048:
            raise DoppelgramError(f"pose tower: dim is {dim}; an embedding has 2 to 2048 numbers")
        self.spec: dict[str, Any] = {"dim": dim, "hidden": hidden, "dropout": dropout, "posterior": posterior}
        self.dim = dim
        self.posterior = posterior
        pairs = [*LIMBS, *((KEYPOINT_NAMES.index(a), KEYPOINT_NAMES.index(b)) for a, b in _SPANS)]
        self.register_buffer("first", torch.tensor([a for a, _ in pairs]), persistent=False)
        self.register_buffer("second", torch.tensor([b for _, b in pairs]), persistent=False)
        self.register_buffer("mirror", torch.as_tensor(MIRROR, dtype=torch.int64).clone(), persistent=False)
        sizes = [3 * len(KEYPOINT_NAMES) + 3 * len(pairs), hidden, hidden]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.GELU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, dim))

    def described(self, keypoints: Tensor) -> Tensor:
        """What the perceptron sees of normalised keypoints (b, 18, 3), float (b, features)."""
        known = torch.isfinite(keypoints[..., 0])
        confidence = torch.nan_to_num(keypoints[..., 2]).clamp(0, 1) * known
        # no square root at 0: nothing is trained through it, but its slope is not finite
        weight = (confidence + 1e-6).sqrt() * known
        xy = torch.nan_to_num(keypoints[..., :2]).clamp(-_FAR, _FAR)
        vector = xy[:, self.second] - xy[:, self.first]
        length = vector.norm(dim=-1, keepdim=True)
        sure = (weight[:, self.first] * weight[:, self.second])[..., None]
        parts = [
            (0.5 * xy * weight[..., None]).flatten(1),
            weight,
            (sure * vector / (length + 0.1)).flatten(1),
            (0.3 * sure * length.clamp(max=_LONG)).flatten(1),
        ]
        return torch.cat(parts, dim=1)

    def mirrored(self, keypoints: Tensor) -> Tensor:
        """The mirror image of normalised keypoints (b, 18, 3)."""
        turned = keypoints[:, self.mirror]
        return torch.cat([-turned[..., :1], turned[..., 1:]], dim=-1)

    def logits(self, keypoints: Tensor) -> Tensor:
        """The sum over both mirror images of the last layer's output, (b, dim)."""
        both = self.described(torch.cat([keypoints, self.mirrored(keypoints)]))
        found: Tensor = self.layers(both).unflatten(0, (2, len(keypoints))).sum(0)
        return found

    def forward(self, keypoints: Tensor) -> Tensor:
        """Unit vectors (b, dim) of normalised keypoints (b, 18, 3), in which keypoints that are not known are NaN."""
        found = self.logits(keypoints).float()
        if self.posterior:
            return (0.5 * (found / self.posterior).log_softmax(1)).exp()
        return nn.functional.normalize(found, dim=1)
