"""What a place distance and a pose distance mean together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.calibration import Calibration, sigmoid
from doppelgram.space.checks import exact_keys, finite_number
from doppelgram.space.curve import Curve
from doppelgram.space.exact import Float64

RULES = ("sum", "both")
RANKED_BY = ("joint", "place", "pose")
_CURVES = ("both", "place", "pose")
_NUMBERS = ("place_weight", "pose_weight", "bias", "pose_prior", "threshold")


@dataclass(frozen=True)
class JointSearch:
    """What the distances of a photograph that a search found mean; the prior is that of what searches find.

    The probability of the arrangement was counted on what was found. That of a part follows by the law of total
    probability, ``p_both + (1 - p_both) * p``, with ``p`` counted on what was found and is of another arrangement. So
    no part is ever below both.

    Attributes:
        both: from 1 less the joint probability of two given photographs.
        place: from the place distance, among other arrangements.
        pose: from the pose distance, among other arrangements.
        pose_unknown: share of the same pose among other arrangements where there was none to compare.
    """

    both: Curve
    place: Curve
    pose: Curve
    pose_unknown: float

    def probabilities(
        self, distance: ArrayLike, place_distance: ArrayLike, pose_distance: ArrayLike
    ) -> tuple[Float64, Float64, Float64]:
        """Probability of the same arrangement, place and pose; a pose distance is NaN where there is none."""
        both, place, pose = (
            curve.probability(values)
            for curve, values in ((self.both, distance), (self.place, place_distance), (self.pose, pose_distance))
        )
        pose = np.where(np.isnan(pose), self.pose_unknown, pose)
        place, pose = (np.maximum(both, both + (1 - both) * part) for part in (place, pose))
        return both, place, pose

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"pose_unknown": self.pose_unknown} | {name: getattr(self, name).to_dict() for name in _CURVES}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> JointSearch:
        """Read what `to_dict` wrote; raises DoppelgramError that names what is unusable."""
        values = exact_keys(values, (each.name for each in fields(cls)), "search calibration")
        unknown = finite_number(values["pose_unknown"], "search calibration: 'pose_unknown'")
        return cls(**{name: Curve.from_dict(values[name]) for name in _CURVES}, pose_unknown=unknown)


@dataclass(frozen=True)
class JointCalibration:
    """What a place distance and a pose distance mean together.

    The arrangement is the same if the place *and* the pose is. All three probabilities share one prior: every second
    of the pairs that are asked about shows the same place and, whatever the place, every second the same pose; so
    every fourth shows the same arrangement. With the rule ``both`` the probability of the arrangement is therefore the
    product of the other two, ``p_place * p_pose``, where ``logit p_place = place_weight * (intercept - slope *
    distance)`` and likewise for the pose; a ``bias`` below 0 lowers it further. It never exceeds either of them.
    Where no pose distance is known, because no person was found in one of the two photographs, ``pose_prior`` stands
    in for the pose's log-odds.

    Earlier builds weighed the arrangement against an even chance, by a bias above 0. Such a calibration is read as one
    without, whose threshold lies as much lower: every verdict and every order stay, and the number is the product. The
    first builds had the rule ``sum``, ``logit p = place_weight * logit p_place + pose_weight * logit p_pose + bias``;
    there the arrangement's probability is as it was, and the parts' are never below it (`part_probabilities`).

    Attributes:
        place: place distance to the probability of the same place.
        pose: pose distance to the probability of the same pose.
        place_weight: of the place's log-odds, 0 or more.
        pose_weight: of the pose's log-odds, 0 or more.
        bias: added to the log-odds of the arrangement.
        pose_prior: log-odds of the same pose where there is none to compare.
        threshold: probability from which on two photographs count as the same arrangement.
        rule: ``sum`` or ``both``.
        search: what the distances of photographs that a search found mean, by what ranked them (``joint``, ``place``,
            ``pose``); empty in models of earlier builds, where what is said of two given photographs is said of
            these, too.
    """

    place: Calibration
    pose: Calibration
    place_weight: float
    pose_weight: float
    bias: float
    pose_prior: float
    threshold: float
    rule: str = "sum"
    search: Mapping[str, JointSearch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise DoppelgramError(f"joint calibration: 'rule' is {self.rule!r}; it is one of {', '.join(RULES)}")
        for name in _NUMBERS:
            object.__setattr__(self, name, finite_number(getattr(self, name), f"joint calibration: '{name}'"))
        for name in ("place_weight", "pose_weight"):
            if getattr(self, name) < 0:
                raise DoppelgramError(f"joint calibration: '{name}' is {getattr(self, name):g}; it must be 0 or more")
        if not 0 < self.threshold < 1:
            raise DoppelgramError(f"joint calibration: 'threshold' is {self.threshold:g}; it lies between 0 and 1")
        if self.rule == "both" and self.bias > 0:
            odds = float(np.log(self.threshold) - np.log1p(-self.threshold)) - self.bias
            object.__setattr__(self, "threshold", float(sigmoid(odds)))
            object.__setattr__(self, "bias", 0.0)

    def log_odds(self, place_distance: ArrayLike, pose_distance: ArrayLike) -> Float64:
        """Log-odds of the same arrangement, float64 of the distances' shape.

        Args:
            place_distance: Euclidean distance of place embeddings.
            pose_distance: distance of poses, NaN where there is none to compare.
        """
        return np.asarray(self.combined(self.place.log_odds(place_distance), self.pose_log_odds(pose_distance)))

    def pose_log_odds(self, pose_distance: ArrayLike) -> Float64:
        """Log-odds of the same pose; `pose_prior` where the distance is NaN."""
        pose = self.pose.log_odds(pose_distance)
        return np.where(np.isnan(pose), self.pose_prior, pose)

    def combined(self, place: NDArray[Any], pose: NDArray[Any]) -> NDArray[Any]:
        """Joint log-odds from those of the place and of the pose, of their shape and type.

        Never more than the weighted sum of both and the bias, whatever the rule.
        """
        kind = place.dtype.type
        place, pose = kind(self.place_weight) * place, kind(self.pose_weight) * pose
        if self.rule == "sum":
            return np.asarray(place + pose + kind(self.bias))
        # 1 / (p_place p_pose) - 1 = exp(-place) + exp(-pose) + exp(-place - pose)
        return np.asarray(kind(self.bias) - np.logaddexp(np.logaddexp(-place, -pose), -place - pose))

    def probability(self, place_distance: ArrayLike, pose_distance: ArrayLike) -> Float64:
        """Probability of the same arrangement; arguments as for `log_odds`."""
        return sigmoid(self.log_odds(place_distance, pose_distance))

    def part_probabilities(self, place_distance: ArrayLike, pose_distance: ArrayLike) -> tuple[Float64, Float64]:
        """Probability of the same place and of the same pose, neither below that of the same arrangement.

        Args:
            place_distance: Euclidean distance of place embeddings.
            pose_distance: distance of poses; where it is NaN the probability is that of `pose_prior`.
        """
        both = self.probability(place_distance, pose_distance)
        place = sigmoid(self.place_weight * self.place.log_odds(place_distance))
        pose = sigmoid(self.pose_weight * self.pose_log_odds(pose_distance))
        if self.rule == "sum":
            # The part's own probability holds among pairs of different arrangements; all others share the part.
            place, pose = both + (1 - both) * place, both + (1 - both) * pose
        return np.maximum(place, both), np.maximum(pose, both)  # a product may be off by rounding

    def to_dict(self) -> dict[str, Any]:
        """The calibration as JSON-ready values."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        parts = {name: plain[name].to_dict() for name in ("place", "pose")}
        search = {by: found.to_dict() for by, found in self.search.items()}
        del plain["search"]
        return plain | parts | ({"search": search} if search else {})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> JointCalibration:
        """Read what `to_dict` wrote.

        Raises:
            DoppelgramError: a key is missing, unknown or holds something unusable; the key is named.
        """
        if isinstance(values, dict):
            # At first there was this rule only, and nothing for searches.
            values = {"rule": "sum", "search": {}, **values}
        values = exact_keys(values, (each.name for each in fields(cls)), "joint calibration")
        search = exact_keys({**dict.fromkeys(RANKED_BY), **values["search"]}, RANKED_BY, "joint calibration: 'search'")
        read = {name: Calibration.from_dict(values[name]) for name in ("place", "pose")}
        found = {by: JointSearch.from_dict(search[by]) for by in RANKED_BY if search[by] is not None}
        return cls(**values | read | {"search": found})
