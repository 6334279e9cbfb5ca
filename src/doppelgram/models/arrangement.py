"""The model of recipe `posts`: a photograph becomes one vector of its place and of its people's poses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Photograph, Want, read_all
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.embedder import Embedded
from doppelgram.models.finder import PeopleFinder, open_finder, people_in
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.model import Embeddings, Picture
from doppelgram.models.towers import ImageTower, KeypointTower, embedded, fused_dim
from doppelgram.pose.cutouts import Person, person_view, persons, without_people
from doppelgram.pose.normalise import normalised
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import KEYPOINT_NAMES
from doppelgram.space.arrangement import ArrangementSpace, JointCalibration, PairJudgement


@dataclass
class ArrangementModel:
    """Towers for place and pose, and what their distances mean.

    Attributes:
        place: towers whose fused embeddings make the place's; they see the photograph or the place alone.
        pose: towers whose fused embeddings make a person's pose; they see the keypoints or the person cut out.
        space: layout of the vectors, and calibration.
        finder_settings: how people are found.
        labels: names of the places and poses that it was trained on.
        recipe: the recipe that it was trained by, for the record.
        fingerprint: identifies architecture, preprocessing and weights; set when the model is saved or loaded.
        weights: folder in which the weights of estimator and segmenter are looked up first.
        keypoints: file of ready-made keypoints, for a model that takes those; by default the ``keypoints.json`` in
            the photograph's folder or one of the folders above it.
    """

    place: Sequence[ImageTower]
    pose: Sequence[ImageTower | KeypointTower]
    space: ArrangementSpace
    finder_settings: FinderSettings = field(default_factory=FinderSettings)
    labels: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    weights: Path | None = None
    keypoints: Path | None = None
    _finder: PeopleFinder | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for what, towers in (("place", self.place), ("pose", self.pose)):
            given, wanted = fused_dim(towers), getattr(self.space, f"{what}_dim")
            if given != wanted:
                raise DoppelgramError(
                    f"arrangement model: the {what} towers give {given} numbers, but its space has {wanted} for them"
                )
        if any(isinstance(tower, ImageTower) and tower.sees == "person" for tower in self.place):
            raise DoppelgramError("arrangement model: a place tower sees the photograph or the place, not a person")
        if any(isinstance(tower, ImageTower) and tower.sees != "person" for tower in self.pose):
            raise DoppelgramError("arrangement model: a pose tower sees keypoints or a person, nothing else")

    @property
    def dim(self) -> int:
        """Size of the vector."""
        return self.space.dim

    @property
    def framing(self) -> WholePhotograph:
        """How a photograph is read before anything looks at it."""
        return self.finder_settings.framing

    @property
    def calibration(self) -> JointCalibration:
        """What place and pose distances mean together."""
        return self.space.calibration

    @property
    def finder(self) -> PeopleFinder:
        """What finds people; begun when it is first needed.

        Raises:
            DoppelgramError: weights are missing or other ones than the model was trained with.
        """
        if self._finder is None:
            self._finder = open_finder(self.finder_settings, self.weights, self.keypoints)
        return self._finder

    @property
    def want(self) -> Want:
        """What `images.read` must deliver: the whole photograph, and the people in it."""
        return Want(self.framing, extras=self.finder.extras)

    def require_named(self, paths: Sequence[Path], *, every: bool) -> None:
        """See `doppelgram.models.finder.PeopleFinder.require_named`."""
        self.finder.require_named(paths, every=every)

    def embed(self, photographs: Sequence[Photograph]) -> Embedded:
        """Embed photographs that were read as `want` says, and say who was found in them."""
        found: list[People] = []
        counts: list[int] = []
        shown: list[list[NDArray[Any]]] = [[] for _ in (*self.place, *self.pose)]
        for photograph in photographs:
            people, mask = people_in(photograph)
            assert photograph.pixels is not None
            found.append(people.most_prominent(self.space.people))
            those = persons(people, mask, self.space.people)
            counts.append(len(those))
            for views, tower in zip(shown, (*self.place, *self.pose), strict=True):
                views.append(views_of(tower, photograph.pixels, those, mask))
        place, poses = shown[: len(self.place)], shown[len(self.place) :]
        vectors = np.zeros((len(found), self.dim), dtype=np.float32)
        if found:
            vectors[:, : self.space.place_dim] = embedded(self.place, place)
        if sum(counts):
            rows = np.repeat(np.arange(len(found)), counts)
            nth = np.concatenate([np.arange(count) for count in counts])
            slots = np.zeros((len(found), self.space.people, self.space.pose_dim), dtype=np.float32)
            slots[rows, nth] = embedded(self.pose, poses)
            vectors[:, self.space.place_dim :] = slots.reshape(len(found), -1)
        return Embedded(vectors, found, self.space.people_shown(vectors))

    def embed_images(self, images: Sequence[Picture]) -> Embeddings:
        """Vectors, float32 (n, dim), of files, upright Pillow images or uint8 RGB arrays (h, w, 3).

        Raises:
            DoppelgramError: an image is missing or cannot be read, or weights are missing.
        """
        self.require_named([Path(image) for image in images if isinstance(image, (str, Path))], every=True)
        vectors = np.zeros((len(images), self.dim), dtype=np.float32)
        for row, image in enumerate(images):  # one at a time: whole photographs take megabytes each
            vectors[row] = self.embed(read_all([image], self.want)).vectors[0]
        return vectors

    def judge(self, a: Sequence[Picture], b: Sequence[Picture]) -> PairJudgement:
        """Compare the pairs (a[i], b[i]) of photographs."""
        return self.space.judge(self.embed_images(a), self.embed_images(b))

    def similarity(self, a: Picture, b: Picture) -> float:
        """Probability that two photographs show the same pose before the same place, were both equally likely."""
        return float(self.judge([a], [b]).probability[0])

    def save(self, folder: Path | str) -> Path:
        """Save to a folder as ``model.safetensors`` and ``model.json``; sets the fingerprint."""
        from doppelgram.models.arrangement_bundle import save_arrangement

        return save_arrangement(self, Path(folder))


def views_of(
    tower: ImageTower | KeypointTower,
    pixels: NDArray[np.uint8],
    those: Sequence[Person],
    mask: NDArray[np.bool_] | None,
) -> NDArray[Any]:
    """What one tower is shown of one photograph: (1, ...) of a place, (people, ...) of poses.

    Args:
        tower: of either kind.
        pixels: upright photograph, uint8 (h, w, 3).
        those: the `persons` in it.
        mask: where people cover it; None where nobody looked.
    """
    if isinstance(tower, KeypointTower):
        keypoints = [person.keypoints for person in those]
        return normalised(np.stack(keypoints)) if keypoints else np.empty((0, len(KEYPOINT_NAMES), 3), dtype=np.float32)
    framing = tower.model.framing
    if tower.sees == "person":
        empty = np.empty((0, framing.size, framing.size, 3), dtype=np.uint8)
        return np.stack([person_view(pixels, person, framing) for person in those]) if those else empty
    covered = pixels if tower.sees == "photograph" or mask is None else without_people(pixels, mask)
    return framing.apply(Image.fromarray(covered))[None]
