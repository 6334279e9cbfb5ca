"""MoveNet with four times the looks: for learning poses, where every joint counts more than seconds do."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from doppelgram.pose.estimators.movenet import FOUND, MoveNet, _distinct, _score, around, merged
from doppelgram.pose.estimators.regions import regions
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import Keypoints
from doppelgram.pose.squares import Square

# Two skeletons that agree more than this (OKS) are of one person.
_SAME = 0.4
# How many people are looked at closely.
_MOST = 4
# Side of the middle tile as a share of the photograph's longer side.
_MIDDLE = 0.62


class ThoroughMoveNet(MoveNet):
    """People by MoveNet, every photograph searched whole, in all tiles and in its middle.

    Up to four of those who were seen are looked at in a square round each of them, and once more mirrored, whether or
    not they were plain to see; the three answers are averaged by confidence. That takes two to four times as long,
    and is for learning poses, where every wrong joint costs.
    """

    name = "movenet-thorough"
    _version = 2

    def _found(self, image: Image.Image) -> People:
        middle = Square(image.width / 2, image.height / 2, _MIDDLE * max(image.size))
        seen = np.stack([self._look(image, region) for region in (*regions(*image.size), middle)])
        found: list[Keypoints] = []
        for first in _distinct(seen[_score(seen) >= FOUND / 2], image.size, _SAME)[:_MOST]:
            closer = self._look(image, around(first))
            better = closer if _score(closer) >= _score(first) else first
            again = self._look(image, around(better), mirrored=True)
            found.append(merged([look for look in (first, closer, again) if _score(look) >= FOUND / 2]))
        kept: list[Any] = [keypoints for keypoints in found if _score(keypoints) >= FOUND]
        if not kept:
            return People.nobody(*image.size)
        people = np.stack(_distinct(np.stack(kept), image.size, _SAME))
        return People(people, _score(people), *image.size)
