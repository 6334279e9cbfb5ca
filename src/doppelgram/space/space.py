"""What every embedding space can be asked, and the shape of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.exact import Bools, Float32, Float64, Ids, Int64, Named, Ranker

JOINT = "joint"


class Part(NamedTuple):
    """One part of what is compared, such as the place.

    Attributes:
        distance: float64; NaN where it cannot be compared.
        probability: of the same, float64; that of any pair where it cannot be compared.
    """

    distance: Float64
    probability: Float64


@dataclass(frozen=True)
class PairResult:
    """How far m pairs of images are apart; every array has shape (m,).

    Attributes:
        distance: float64.
        probability: that both show the same, were that as likely as not; None without calibration.
        parts: distance and probability of each part of the space.
    """

    distance: Float64
    probability: Float64 | None
    parts: Mapping[str, Part] = field(default_factory=dict)


class Found(NamedTuple):
    """The k nearest of q queries, nearest first; where fewer images remain, positions are -1 and distances infinite.

    Attributes:
        positions: gallery rows, int64 (q, k).
        distances: (q, k).
        probabilities: that what was found is right, float64 (q, k), None without calibration.
        parts: of each part of the space, arrays (q, k).
    """

    positions: Int64
    distances: NDArray[Any]
    probabilities: Float64 | None
    parts: Mapping[str, Part]


class Index(Protocol):
    """A gallery of n vectors prepared for repeated exact searches."""

    gallery: Float32

    def nearest(
        self,
        queries: Any,
        k: int,
        *,
        query_ids: Ids | None = None,
        by: str = "",
        mix: float | None = None,
        left_out: Sequence[int] | Int64 = (),
    ) -> Found:
        """The k nearest gallery images of each query, exactly; equal ones in gallery order.

        Args:
            queries: (q, dim) float32.
            k: neighbours wanted; may exceed n.
            query_ids: q names of the queries; gallery images with the query's own name are never returned.
            by: one part of the space to rank by; by default everything together.
            mix: of a space of places and poses, what ranks instead of ``by``: from 0, the pose alone, to 1, the place
                alone; 0.5 weighs both as the space does.
            left_out: gallery rows that no query finds.

        Raises:
            DoppelgramError: unusable vectors, ids for one side only, k below 1, or a part that there is not.
        """

    def ranker(self, by: str = "", mix: float | None = None) -> Ranker:
        """What orders the gallery for a query, for those who need the whole order."""


class Space(Protocol):
    """What distances between vectors mean. Pure arrays: no files, no networks."""

    @property
    def dim(self) -> int:
        """Size of a vector."""

    @property
    def calibrated(self) -> bool:
        """Whether distances have probabilities and a threshold."""

    @property
    def threshold(self) -> float | None:
        """The distance that best splits same from different pairs; None without calibration."""

    @property
    def even(self) -> float | None:
        """The distance up to which two given images count as the same; None without calibration."""

    @property
    def fitted_on(self) -> str:
        """Which images the threshold was chosen on; empty without calibration."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What can be compared alone; empty where there is but one distance."""

    @property
    def has_means(self) -> bool:
        """Whether the mean of a class is a point of this space that its images lie around."""

    def distance(self, a: NDArray[Any], b: NDArray[Any]) -> Float64:
        """Distances (m,) of the pairs (a[i], b[i])."""

    def probability(self, distance: Any) -> Float64:
        """Probability of the same at a distance; raises DoppelgramError without calibration."""

    def compare(self, a: NDArray[Any], b: NDArray[Any]) -> PairResult:
        """All that can be said of the pairs (a[i], b[i])."""

    def index(self, gallery: Any, ids: Ids | Named | None = None) -> Index:
        """Prepare a gallery (n, dim); ``ids`` name its images, so that none is found as its own neighbour."""

    def adapted(self, gallery: NDArray[Any]) -> Space:
        """The space in which a gallery (n, dim) is searched; the space itself where that does not depend on it."""

    def coordinates(self, vectors: NDArray[Any], by: str = "") -> Float32:
        """The numbers of vectors (n, dim) that a map of this space, or of one part of it, is drawn from: (n, d)."""

    def only_person(self, vectors: NDArray[Any], person: int) -> Float32:
        """Vectors (n, dim) as if only one person of each photograph were in it, 1 for the most prominent.

        Raises:
            DoppelgramError: there is no such person in one of them, or the space tells no people apart.
        """

    def unknown(self, vectors: NDArray[Any]) -> Mapping[str, Bools]:
        """The parts that can be missing in a vector, and in which of the vectors they are, bool (n,)."""


def checked_part(space: Space, by: str) -> str:
    """The part that ``by`` names; empty for everything together.

    Raises:
        DoppelgramError: the space has no such part.
    """
    if by in ("", JOINT, *space.parts) and (space.parts or not by):
        return "" if by == JOINT else by
    if not space.parts:
        raise DoppelgramError("--by goes with a model of places and poses; this one compares whole images")
    raise DoppelgramError(f"--by is '{by}'; it is one of {', '.join((JOINT, *space.parts))}")


def without_mix(mix: float | None) -> None:
    """Refuse to weigh parts in a space that has none."""
    if mix is not None:
        raise DoppelgramError("a mix of place and pose goes with a model of places and poses")


def unknown_parts(space: Space, vectors: NDArray[Any]) -> list[tuple[str, ...]]:
    """For each vector the parts that are missing in it."""
    missing = space.unknown(vectors)
    return [tuple(name for name in missing if missing[name][row]) for row in range(len(vectors))]


def unknown_notes(image: object, unknown: Iterable[str]) -> list[str]:
    """In words, which parts of a photograph `unknown_parts` names: nobody was found in it."""
    return [f"{image}: nobody was found in it, so its {part} counts as unknown" for part in unknown]
