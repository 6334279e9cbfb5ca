"""What an estimator is, and what those have in common that look at one photograph at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.images.ordered import in_order
from doppelgram.pose.estimators.regions import DETAIL
from doppelgram.pose.people import People
from doppelgram.pose.similarity import oks
from doppelgram.pose.skeleton import Keypoints


class Estimator(Protocol):
    """What finds people; one object may be used by several threads at a time.

    Attributes:
        name: one of `doppelgram.pose.estimators.registry.ESTIMATORS`.
        key: what decides its answers (name, the weights' hash, version of the settings), fit for a file name. Cached
            answers are kept under it.
    """

    name: str
    key: str

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[People]:
        """People in upright RGB photographs, uint8 (h, w, 3) each, in pixels of these."""
        ...


class EachPhotograph(ABC):
    """Looks at photographs side by side, each in no more detail than is of use.

    Attributes:
        workers: how many photographs are looked at side by side; None: one a processor.
    """

    workers: int | None = None

    def estimate(self, images: Sequence[NDArray[np.uint8]]) -> list[People]:
        """People of upright RGB photographs, uint8 (h, w, 3) each."""
        if len(images) == 1:
            return [self._people(images[0])]
        return list(in_order(self._people, images, self.workers))

    def _people(self, rgb: NDArray[np.uint8]) -> People:
        return self._found(reduced(rgb)).scaled(rgb.shape[1], rgb.shape[0])

    @abstractmethod
    def _found(self, image: Image.Image) -> People:
        """The people in one photograph, in its own pixels."""


def reduced(rgb: NDArray[np.uint8]) -> Image.Image:
    """A photograph, uint8 (h, w, 3), in no more detail than people are searched in."""
    image = Image.fromarray(rgb)
    image.thumbnail((DETAIL, DETAIL), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image


def distinct(keypoints: NDArray[np.float32], weight: NDArray[Any], same: float) -> list[Keypoints]:
    """Non-maximum suppression of people, (p, 18, 3): of those that agree only the one of most weight, most first.

    Args:
        keypoints: who was found, some perhaps several times.
        weight: of each, (p,).
        same: OKS from which on two skeletons are of one person.
    """
    kept: list[Keypoints] = []
    for index in np.argsort(-weight, kind="stable"):
        if not kept or oks(keypoints[index][None], np.stack(kept)).max() < same:
            kept.append(keypoints[index])
    return kept
