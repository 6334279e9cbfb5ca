"""ViTPose from a transformers folder: 17 keypoints of a person in a box, sharper and slower than MoveNet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.estimator import Estimator, reduced
from doppelgram.pose.people import People, boxes
from doppelgram.pose.skeleton import Keypoints, from_coco_17
from doppelgram.pose.transformers_folder import load_network

# Room round the box of a person's joints, as in ViTPose's own training.
_ROOM = 1.25
# Mean confidence from which on a box counts as showing somebody.
FOUND = 0.3
_BATCH = 16


class VitPose:
    """People by ViTPose, in the boxes that another estimator finds, or in the whole photograph where there is none."""

    name = "vitpose"

    def __init__(self, folder: Path, finder: Estimator | None) -> None:
        """Load the network.

        Args:
            folder: a transformers folder of a `VitPoseForPoseEstimation` with COCO's 17 keypoints.
            finder: says where people are; without one the whole photograph is one person's box.

        Raises:
            DoppelgramError: the folder holds something else.
        """
        import torch

        self._network = load_network(folder, "VitPoseForPoseEstimation", "ViTPose", "vitpose")
        if self._joints() != 17:
            raise DoppelgramError(f"{folder}: this ViTPose has {self._joints()} keypoints; COCO's 17 are needed")
        backbone = self._network.config.backbone_config
        # ViTPose+ has one expert for each data set it learned from; the first is COCO's.
        self._extra = {"dataset_index": torch.zeros(1, dtype=torch.long)} if backbone.num_experts > 1 else {}
        self._height, self._width = (int(side) for side in backbone.image_size)
        self._finder = finder
        self.key = f"vitpose-{self._network.digest}-in-{finder.key if finder else 'whole'}-2"

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[People]:
        """People of upright RGB photographs, uint8 (h, w, 3) each."""
        where = self._finder.estimate(images) if self._finder else [None] * len(images)
        return [self._people(rgb, found) for rgb, found in zip(images, where, strict=True)]

    def _joints(self) -> int:
        head = self._network.model.head
        return int(head.conv.out_channels) if hasattr(head, "conv") else 0

    def _people(self, rgb: NDArray[np.uint8], found: People | None) -> People:
        height, width = rgb.shape[:2]
        image = reduced(rgb)
        if found is None:
            around = np.array([[0.0, 0.0, image.width, image.height]])
        else:
            around = boxes(found.scaled(*image.size).keypoints)
        frames = [frame(box, self._width / self._height) for box in around]
        looked: list[Keypoints] = []
        for start in range(0, len(frames), _BATCH):
            looked += self._look(image, frames[start : start + _BATCH])
        kept = [keypoints for keypoints in looked if float(keypoints[:, 2].mean()) >= FOUND]
        if not kept:
            return People.nobody(width, height)
        keypoints = np.stack(kept)
        return People(keypoints, keypoints[..., 2].mean(-1), *image.size).scaled(width, height)

    def _look(self, image: Image.Image, frames: Sequence[tuple[float, float, float, float]]) -> list[Keypoints]:
        import torch

        pixels = np.stack([self._pixels(image, box) for box in frames])
        with torch.inference_mode():
            extra = {name: value.expand(len(frames)) for name, value in self._extra.items()}
            heatmaps = self._network.model(torch.from_numpy(pixels), **extra).heatmaps.float().numpy()
        found = []
        for (left, top, right, bottom), maps in zip(frames, heatmaps, strict=True):
            points = peaks(maps)
            x = left + points[:, 0] * (right - left)
            y = top + points[:, 1] * (bottom - top)
            found.append(from_coco_17(np.stack([x, y, points[:, 2]], axis=1)))
        return found

    def _pixels(self, image: Image.Image, box: tuple[float, float, float, float]) -> NDArray[np.float32]:
        """What a box shows, float32 (3, height, width); the network's grey beyond the photograph."""
        matrix = ((box[2] - box[0]) / self._width, 0.0, box[0], 0.0, (box[3] - box[1]) / self._height, box[1])
        grey = tuple(round(255 * value) for value in self._network.mean)
        part = image.transform(
            (self._width, self._height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=grey
        )
        return self._network.normalised(np.asarray(part))


def frame(box: NDArray[Any], shape: float) -> tuple[float, float, float, float]:
    """A box (left, top, right, bottom) widened to the network's shape (width / height), with room to err."""
    left, top, right, bottom = (float(edge) for edge in box)
    height = max(bottom - top, (right - left) / shape, 8.0) * _ROOM
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - height * shape / 2, y - height / 2, x + height * shape / 2, y + height / 2


def peaks(heatmaps: NDArray[Any]) -> NDArray[np.float64]:
    """The highest place of each heat map (k, h, w) and its height: (k, 3), x and y as shares of the map.

    The place is moved by a quarter of a cell towards the higher neighbour, which halves the grid's error.
    """
    count, height, width = heatmaps.shape
    flat = heatmaps.reshape(count, -1)
    best = flat.argmax(1)
    y, x = np.divmod(best, width)
    values = flat[np.arange(count), best]
    found = np.empty((count, 3))
    for k in range(count):
        dx = dy = 0.0
        if 0 < x[k] < width - 1:
            dx = 0.25 * float(np.sign(heatmaps[k, y[k], x[k] + 1] - heatmaps[k, y[k], x[k] - 1]))
        if 0 < y[k] < height - 1:
            dy = 0.25 * float(np.sign(heatmaps[k, y[k] + 1, x[k]] - heatmaps[k, y[k] - 1, x[k]]))
        found[k] = ((x[k] + 0.5 + dx) / width, (y[k] + 0.5 + dy) / height, np.clip(values[k], 0.0, 1.0))
    return found
