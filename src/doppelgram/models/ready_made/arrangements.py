"""The ready-made model of arrangements: the place by a pretrained network, the pose by keypoints, neither trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from doppelgram.models.ready_made.description import HERE, ReadyMade

if TYPE_CHECKING:
    from doppelgram.models.arrangement import ArrangementModel
    from doppelgram.models.backbones.backbone import Backbone
    from doppelgram.models.model import Model
    from doppelgram.space.joint import JointCalibration

MEAN, FITTED = "arrangements.npy", "arrangements.json"
PLACES_OF = "arrangements:"
"""Stands before a run of recipe `places` whose network is to see the places."""
SIZE = 320
# Long side to which photographs are made smaller before anything looks at them.
_LONGEST = 640


def untrained_arrangements(
    backbone: Backbone, offset: tuple[float, ...], calibration: JointCalibration, weights: Path | None = None
) -> ArrangementModel:
    """A model of places and poses whose pose part was never trained.

    Args:
        backbone: sees the place; people count as little as they cover of it.
        offset: mean of the place embeddings of photographs of many places; empty: places are not centred.
        calibration: what its distances mean.
        weights: folder to look the weights of what finds people up in first.
    """
    from doppelgram.images.framing import Framing
    from doppelgram.models.arrangement import ArrangementModel
    from doppelgram.models.finder_settings import FinderSettings
    from doppelgram.models.networks.fixed_pose import FixedPose
    from doppelgram.models.networks.masked import MaskedPooling
    from doppelgram.models.place_tower import MaskedTower
    from doppelgram.models.towers import KeypointTower
    from doppelgram.space.arrangement import ArrangementSpace

    place = MaskedTower(MaskedPooling(backbone).eval(), Framing(SIZE))
    pose = KeypointTower(FixedPose())
    space = ArrangementSpace(place.dim, pose.dim, 1, calibration, mirror=True, offset=offset)
    settings = FinderSettings("movenet-thunder", segmenter="deeplab", longest=_LONGEST)
    return ArrangementModel([place], [pose], space, settings, recipe={"data": {"label": "place+pose"}}, weights=weights)


def with_places_of(model: Model, weights: Path | None = None) -> ArrangementModel:
    """The model `arrangements` with the place network of a run of recipe `places`.

    Its probabilities are those of the network as it came until somebody calibrates it.

    Raises:
        DoppelgramError: the run's network was not trained to know places by its features, or weights are missing.
    """
    from doppelgram.errors import DoppelgramError
    from doppelgram.models.format import fingerprint_of

    if not model.mean:
        raise DoppelgramError(
            f"the run of recipe '{model.name}' has no place network for `arrangements`; train one with --recipe places"
        )
    made = untrained_arrangements(model.tower.network.backbone, model.mean, _calibration(), weights)
    made.fingerprint = fingerprint_of(*made.described())
    return made


def _calibration() -> JointCalibration:
    from doppelgram.space.joint import JointCalibration

    return JointCalibration.from_dict(json.loads((HERE / FITTED).read_text(encoding="utf-8")))


def _build(weights: Path | None) -> ArrangementModel:
    import numpy as np

    from doppelgram.models.backbones.registry import make_backbone

    offset = tuple(np.load(HERE / MEAN).tolist())
    return untrained_arrangements(make_backbone("efficientnet_lite2", weights=weights), offset, _calibration(), weights)


ARRANGEMENTS = ReadyMade(
    name="arrangements",
    about="the same body pose before the same place, of people and places never seen",
    weights=("efficientnet_lite2", "movenet_thunder", "deeplab_v3_pascal"),
    licence="Apache-2.0",
    figures=(
        "Posts, nothing trained: unseen places AUC 0.78, unseen poses 0.86 (the half that chose nothing).",
        "Hard pairs of places and poses never seen: 63 % told rightly, AUC 0.68.",
    ),
    build=_build,
    fitted=(MEAN,),
)
