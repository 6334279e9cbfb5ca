"""The model of recipe `posts`: a photograph becomes one vector of its place and of its people's poses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import open_image
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.model import Embeddings, Picture
from doppelgram.models.sight import Sight
from doppelgram.models.towers import ImageTower, KeypointTower, embedded, fused_dim
from doppelgram.pose.cutouts import Person, person_view, persons, without_people
from doppelgram.pose.normalise import normalised
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import KEYPOINT_NAMES
from doppelgram.space.arrangement import ArrangementSpace, JointCalibration, PairJudgement

if TYPE_CHECKING:
    from doppelgram.models.finder import PeopleFinder


@dataclass(frozen=True)
class Seen:
    """What an arrangement model made of some photographs.

    Attributes:
        vectors: float32 (n, dim).
        people: of each photograph, those whose skeletons were embedded, the most prominent first, in pixels of what was
            looked at: the upright photograph, made smaller where it was large. Where nobody is in it, the vector may
            still hold a pose, of a person of whom only the outline was found.
    """

    vectors: Embeddings
    people: list[People]


@dataclass
class ArrangementModel:
    """Towers for place and pose, and what their distances mean.

    Attributes:
        place: towers whose fused embeddings make the place's; they see the photograph or the place alone.
        pose: towers whose fused embeddings make a person's pose; they see the keypoints or the person cut out.
        space: layout of the vectors, and calibration.
        sight: how people are found.
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
    sight: Sight = field(default_factory=Sight)
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
        return self.sight.framing

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
            from doppelgram.models.finder import open_finder

            self._finder = open_finder(self.sight, self.weights, self.keypoints)
        return self._finder

    def embed_photographs(
        self, photographs: Sequence[NDArray[np.uint8]], paths: Sequence[Path | None]
    ) -> Seen:  # fmt: skip
        """Embed photographs that are in memory.

        Args:
            photographs: upright, uint8 (h, w, 3), red first, as `framing` gives them.
            paths: where each comes from, None for one that is in memory only.
        """
        found: list[People] = []
        counts: list[int] = []
        shown: list[list[NDArray[Any]]] = [[] for _ in (*self.place, *self.pose)]
        for pixels, (people, mask) in zip(photographs, self.finder.look(photographs, paths), strict=True):
            found.append(people.most_prominent(self.space.people))
            those = persons(people, mask, self.space.people)
            counts.append(len(those))
            for views, tower in zip(shown, (*self.place, *self.pose), strict=True):
                views.append(views_of(tower, pixels, those, mask))
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
        return Seen(vectors, found)

    def see(self, images: Sequence[Picture]) -> Seen:
        """Embed photographs, paths, Pillow images or uint8 RGB arrays (h, w, 3), and say who was found in them.

        Raises:
            DoppelgramError: an image is missing or cannot be read, or weights are missing.
        """
        vectors = np.zeros((len(images), self.dim), dtype=np.float32)
        people: list[People] = []
        for row, image in enumerate(images):  # one at a time: whole photographs take megabytes each
            pixels, path = self._read(image)
            seen = self.embed_photographs([pixels], [path])
            vectors[row] = seen.vectors[0]
            people += seen.people
        return Seen(vectors, people)

    def embed(self, images: Sequence[Picture], *, batch: int = 128) -> Embeddings:
        """Vectors, float32 (n, dim), of photographs as for `see`; ``batch`` is taken as a `Model` takes it."""
        return self.see(images).vectors

    def judge(self, a: Sequence[Picture], b: Sequence[Picture]) -> PairJudgement:
        """Compare the pairs (a[i], b[i]) of photographs."""
        return self.space.judge(self.embed(a), self.embed(b))

    def similarity(self, a: Picture, b: Picture) -> float:
        """Probability that two photographs show the same pose before the same place, were both equally likely."""
        return float(self.judge([a], [b]).probability[0])

    def _read(self, image: Picture) -> tuple[NDArray[np.uint8], Path | None]:
        path = None
        if isinstance(image, (str, Path)):
            path = Path(image)
            image = open_image(path, at_least=self.framing.at_least)
        if isinstance(image, np.ndarray):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise DoppelgramError(
                    f"an image array has shape (h, w, 3) and type uint8; got {image.shape}, {image.dtype}"
                )
            image = Image.fromarray(image)
        return self.framing.frame(image).pixels, path

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
