"""A model's calibration, fitted anew to images or pairs of somebody's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.calibration import fit_calibration, pair_weights
from doppelgram.evaluation.collection import EmbeddedCollection
from doppelgram.evaluation.curve_fit import fit_curve
from doppelgram.evaluation.joint_fit import fit_joint, fit_joint_search, near_duplicates, pair_kinds
from doppelgram.evaluation.space_fit import calibrate_embedding
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.models.embedder import Embedder
from doppelgram.space.arrangement import PLACE, POSE, ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration
from doppelgram.space.space import Space


def recalibrate_by_labels(model: Embedder, found: EmbeddedCollection, *, fitted_on: str, seed: int = 0) -> None:
    """Fit a model's calibration to labelled images; those of one ``group`` are never compared.

    Raises:
        DoppelgramError: there are too few images or labels, or distances say nothing.
    """
    table = found.collection.table
    groups = found.collection.column("group") if "group" in table.columns else found.hashes
    if model.space.parts:
        missing = [name for name in model.space.parts if name not in table.columns]
        if missing:
            raise DoppelgramError(f"{fitted_on}: has no column '{missing[0]}'; this model needs place and pose")
        place, pose = (found.collection.column(name) for name in (PLACE, POSE))
        model.calibrate(_joint(model.space, found.vectors, place, pose, groups, fitted_on, seed).to_dict())
        return
    images = EmbeddedSet(found.vectors, found.collection.labels, groups)
    model.calibrate(calibrate_embedding(images, fitted_on=fitted_on, seed=seed).to_dict())


def recalibrate_by_pairs(
    model: Embedder, a: NDArray[Any], b: NDArray[Any], same: NDArray[np.bool_], *, fitted_on: str
) -> None:
    """Fit a model's calibration to pairs of vectors (m, dim); what it says of searches stays.

    Raises:
        DoppelgramError: a kind of pair is missing, or distances say nothing.
    """
    if model.space.parts:
        raise DoppelgramError("a model of places and poses is calibrated by photographs with both labels: --labelled")
    distances = model.space.distance(a, b)
    before: Calibration | None = getattr(model.space, "calibration", None)
    fitted = fit_calibration(distances, same, fitted_on=fitted_on)
    pairs = fit_curve(distances, same, weights=pair_weights(same), about=f"the pairs of {fitted_on}")
    model.calibrate(replace(fitted, pairs=pairs, search=before.search if before else None).to_dict())


def _joint(
    space: Space,
    vectors: NDArray[Any],
    place: NDArray[Any],
    pose: NDArray[Any],
    groups: NDArray[Any],
    fitted_on: str,
    seed: int,
) -> JointCalibration:
    assert isinstance(space, ArrangementSpace)
    shown = space.people_shown(vectors) > 0
    vectors, place, pose, groups = (values[(pose != "") & shown] for values in (vectors, place, pose, groups))
    of_place, of_pose = space.split(vectors)
    apart = ~(near_duplicates(of_place, place) | near_duplicates(of_pose[:, 0], pose))
    apart &= groups[:, None] != groups[None]
    joint = fit_joint(space, vectors, pair_kinds(place, pose, apart, seed), fitted_on)
    return replace(joint, search=fit_joint_search(replace(space, calibration=joint), vectors, place, pose, apart))
