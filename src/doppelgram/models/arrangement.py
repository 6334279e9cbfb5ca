"""The model of recipe `posts`: a photograph becomes one vector of its place and of its people's poses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Photograph, Want
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.embedder import Embedded, Embedder
from doppelgram.models.finder import PeopleFinder, open_finder, people_in
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.fusion import fused, fused_dim
from doppelgram.models.place_tower import MaskedTower, rebuilt_masked_tower
from doppelgram.models.runtime import Runtime
from doppelgram.models.towers import KEYPOINTS, Embeddings, ImageTower, Tower, rebuilt_tower
from doppelgram.pose.cutouts import persons
from doppelgram.pose.people import People
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.joint import JointCalibration

KIND = "arrangement"
_SIDES = ("place", "pose")


@dataclass
class ArrangementModel(Embedder):
    """Towers for place and pose, in a space of arrangements; see `doppelgram.models.embedder.Embedder`.

    Attributes:
        place: towers whose fused embeddings make the place's; they see the photograph or the place alone.
        pose: towers whose fused embeddings make a person's pose; they see the keypoints or the person cut out.
        space: layout of the vectors, and calibration.
        finder_settings: how people are found.
        weights: folder in which the weights of estimator and segmenter are looked up first.
        keypoints: file of ready-made keypoints, for a model that takes those; by default the ``keypoints.json`` in
            the photograph's folder or one of the folders above it.
    """

    place: Sequence[Tower]
    pose: Sequence[Tower]
    space: ArrangementSpace
    finder_settings: FinderSettings = field(default_factory=FinderSettings)
    labels: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    weights: Path | None = None
    keypoints: Path | None = None
    origin: dict[str, Any] | None = field(default=None, repr=False)
    _finder: PeopleFinder | None = field(default=None, repr=False, compare=False)

    at_once: ClassVar[int] = 32  # whole photographs, each of which takes up to 5 MB
    takes_cuts: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for side in _SIDES:
            given, wanted = fused_dim(getattr(self, side)), getattr(self.space, f"{side}_dim")
            if given != wanted:
                raise DoppelgramError(
                    f"arrangement model: the {side} towers give {given} numbers, but its space has {wanted} for them"
                )
        if any(tower.sees not in ("photograph", "place") for tower in self.place):
            raise DoppelgramError("arrangement model: a place tower sees the photograph or the place, not a person")
        if any(tower.sees not in ("person", KEYPOINTS) for tower in self.pose):
            raise DoppelgramError("arrangement model: a pose tower sees keypoints or a person, nothing else")

    @property
    def calibration(self) -> JointCalibration:
        """What place and pose distances mean together."""
        return self.space.calibration

    @property
    def image_towers(self) -> Sequence[Tower]:
        """The place towers; see `Embedder.image_towers`."""
        return self.place

    @property
    def framing(self) -> WholePhotograph:
        """How a photograph is read before anything looks at it."""
        return self.finder_settings.framing

    @property
    def want(self) -> Want:
        """Whole photographs, and the people in them."""
        return Want(self.framing, extras=self.finder.extras)

    @property
    def finder(self) -> PeopleFinder:
        """What finds people; opened when it is first needed.

        Raises:
            DoppelgramError: weights are missing or other ones than the model was trained with.
        """
        if self._finder is None:
            self._finder = open_finder(self.finder_settings, self.weights, self.keypoints)
        return self._finder

    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Embed photographs that were read as `want` says, and say who was found in them."""
        towers = (*self.place, *self.pose)
        found: list[People] = []
        counts: list[int] = []
        inputs: list[list[NDArray[Any]]] = [[] for _ in towers]
        for photograph in photographs:
            people, mask = people_in(photograph)
            pixels = np.asarray(photograph.pixels)
            found.append(people.most_prominent(self.space.people))
            shown = persons(people, mask, self.space.people)
            counts.append(len(shown))
            for pieces, tower in zip(inputs, towers, strict=True):
                pieces.append(tower.inputs(pixels, shown, mask))
        vectors = np.zeros((len(found), self.dim), dtype=np.float32)
        if found:
            vectors[:, : self.space.place_dim] = self.place_vectors(
                [np.concatenate(pieces) for pieces in inputs[: len(self.place)]]
            )
        if sum(counts):
            rows = np.repeat(np.arange(len(found)), counts)
            nth = np.concatenate([np.arange(count) for count in counts])
            slots = np.zeros((len(found), self.space.people, self.space.slot), dtype=np.float32)
            slots[rows, nth] = self.pose_slots([np.concatenate(pieces) for pieces in inputs[len(self.place) :]])
            vectors[:, self.space.place_dim :] = slots.reshape(len(found), -1)
        return Embedded(vectors, found)

    def place_vectors(self, inputs: Sequence[NDArray[Any]]) -> Embeddings:
        """Place embeddings (n, space.place_dim), not centred, of what each place tower is shown of n photographs."""
        return _fused(self.place, inputs)

    def pose_slots(self, inputs: Sequence[NDArray[Any]]) -> Embeddings:
        """Poses (n, space.slot) of what each pose tower is shown of n people, as `ArrangementSpace` keeps them."""
        own = _fused(self.pose, inputs)
        if not self.space.mirror:
            return own
        turned = [tower.mirrored(piece) for tower, piece in zip(self.pose, inputs, strict=True)]
        return np.hstack([own, _fused(self.pose, turned)])

    @property
    def runtime(self) -> Runtime | None:
        """What runs its networks; see `Embedder.runtime`. Keypoint networks are small and always run by torch."""
        towers = (*self.place, *self.pose)
        return next((tower.runtime for tower in towers if isinstance(tower, ImageTower | MaskedTower)), None)

    def with_runtime(self, runtime: Runtime) -> ArrangementModel:
        """The same model run by something else; see `Embedder.with_runtime`."""
        sides = ([tower.with_runtime(runtime) for tower in side] for side in (self.place, self.pose))
        place, pose = sides
        return replace(self, place=place, pose=pose)

    def calibrate(self, values: dict[str, Any]) -> None:
        """Take another calibration; see `Embedder.calibrate`."""
        self.space = replace(self.space, calibration=JointCalibration.from_dict(values))

    def with_face(self, face: str) -> ArrangementModel:
        """The model itself, for no face; see `Embedder.with_face`."""
        if face:
            raise DoppelgramError("--crop goes with models of whole images, not of places and poses")
        return self

    def require_named(self, paths: Sequence[Path], *, every: bool) -> None:
        """See that what finds people is there, and that ready-made keypoints are of these photographs."""
        self.finder.require_named(paths, every=every)

    def described(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All of it, as JSON-ready values and tensors."""
        space = self.space
        sides: dict[str, Sequence[Tower]] = {side: getattr(self, side) for side in _SIDES}
        architecture: dict[str, Any] = {side: [tower.described() for tower in sides[side]] for side in _SIDES}
        architecture["space"] = space.described()
        description = {
            "kind": KIND,
            "architecture": architecture,
            "preprocessing": self.finder_settings.to_dict(),
            "calibration": space.calibration.to_dict(),
            "labels": list(self.labels),
            "recipe": dict(self.recipe),
        }
        tensors = {
            f"{side}.{number}.{name}": tensor
            for side, towers in sides.items()
            for number, tower in enumerate(towers)
            for name, tensor in tower.network.state_dict().items()
        }
        return description, tensors


def assemble_arrangement(
    description: dict[str, Any],
    tensors: dict[str, Tensor],
    *,
    weights: Path | None = None,
    keypoints: Path | None = None,
) -> ArrangementModel:
    """The model that a checked description and its tensors hold.

    Args:
        description: what was read.
        tensors: of all towers.
        weights, keypoints: of `ArrangementModel`.

    Raises:
        KeyError, TypeError, RuntimeError: something is missing in the description, or the tensors do not fit it.
    """
    architecture = description["architecture"]
    towers: dict[str, list[Tower]] = {side: [] for side in _SIDES}
    for side in _SIDES:
        for number, spec in enumerate(architecture[side]):
            prefix = f"{side}.{number}."
            own = {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}
            rebuilt = rebuilt_masked_tower if spec["network"].get("pooling") == "masked" else rebuilt_tower
            towers[side].append(rebuilt(spec, own))
    calibration = JointCalibration.from_dict(description["calibration"])
    return ArrangementModel(
        towers["place"],
        towers["pose"],
        ArrangementSpace(**architecture["space"], calibration=calibration),
        FinderSettings.from_dict(description["preprocessing"]),
        tuple(description["labels"]),
        description["recipe"],
        description["fingerprint"],
        weights,
        keypoints,
    )


def require_arrangement(model: Embedder, otherwise: str) -> ArrangementModel:
    """The model, if it knows places and poses.

    Raises:
        DoppelgramError: it does not; the sentence is ``otherwise``.
    """
    if not isinstance(model, ArrangementModel):
        raise DoppelgramError(otherwise)
    return model


def _fused(towers: Sequence[Tower], inputs: Sequence[NDArray[Any]]) -> Embeddings:
    """Fused embeddings by several towers of what each of them is shown."""
    return fused([tower.embed(each) for tower, each in zip(towers, inputs, strict=True)], towers)
