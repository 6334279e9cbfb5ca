"""Whether two photographs show the same, as a model judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from doppelgram.images.faces.face import FaceBox


@dataclass(frozen=True)
class Verdict:
    """Whether two photographs show the same.

    Attributes:
        distance: between their embeddings, as the model's space measures it.
        probability: that they are the same, were both equally likely beforehand; None without calibration.
        threshold: the distance up to which they count as the same; None without calibration.
        same: the verdict; None without calibration.
        faces_a: how many faces were found in the first photograph; None where none were looked for.
        faces_b: in the second.
        parts: probability that each part of the space, such as the place, is the same.
        unknown_a: parts of which the first photograph says nothing, such as the pose where nobody was found.
        unknown_b: of which the second says nothing. An unknown part's probability is that of any pair.
        face_a: which face of the first photograph was compared, by models of faces.
        face_b: of the second.
        picture: path of the picture that was drawn, as given; None without one.
    """

    image_a: str
    image_b: str
    distance: float
    probability: float | None
    threshold: float | None
    same: bool | None
    faces_a: int | None = None
    faces_b: int | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    unknown_a: tuple[str, ...] = ()
    unknown_b: tuple[str, ...] = ()
    face_a: FaceBox | None = None
    face_b: FaceBox | None = None
    picture: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return asdict(self)
