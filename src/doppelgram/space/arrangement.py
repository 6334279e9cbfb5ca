"""The space of arrangements: the same pose before the same place, by two distances and what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.calibration import sigmoid
from doppelgram.space.exact import (
    Bools,
    Float32,
    Float64,
    Ids,
    Int64,
    Named,
    named,
    nearest_columns,
    self_matches,
    vectors,
)
from doppelgram.space.joint import JointCalibration
from doppelgram.space.space import JOINT, Found, PairResult, Part, checked_part

PLACE, POSE = "place", "pose"

# Numbers of one block of comparisons; several arrays of that size are in memory at once, on every core.
_BLOCK_ELEMENTS = 500_000
# How far off a distance by way of a float64 matrix product may be, for vectors of length one: the square root of the
# rounding of its square, about d * 2^-53 (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
_ROUNDING = 2e-6
# Stands for the distance of a pose that cannot be compared: farther than any two vectors of length one.
_UNKNOWN = 4.0
# Pairs that are measured together.
_PAIRS = 256
# The gallery's share of what is subtracted from places, at most, and the number of photographs that halve it.
_GALLERY_SHARE, _FEW = 0.5, 30


class Poses(NamedTuple):
    """Poses of n photographs, as `ArrangementSpace.pose_table` compares them.

    Attributes:
        slots: (n, people, slot).
        known: bool (n, people), which people there are.
    """

    slots: NDArray[Any]
    known: Bools

    def take(self, rows: Any) -> Poses:
        """Only the photographs of these rows."""
        return Poses(self.slots[rows], self.known[rows])


@dataclass(frozen=True)
class ArrangementSpace:
    """How the one vector of a photograph is made up, and how two of them are compared.

    A vector is ``place_dim`` numbers of the place and then, for each of ``people`` people, the most prominent first,
    ``slot`` numbers of the pose. The place and every pose have length one; a pose of zeros means that there is no
    such person. The distance of two photographs is the probability that their arrangements differ. No mean of a class
    is a point of such a space: where nobody is found there is no pose to take the mean of.

    With ``mirror`` a slot holds two embeddings, the pose's and that of the mirrored skeleton, and two people are as far
    apart as the better of both ways to compare them, as they are and with one of them mirrored: the least, over the
    two, of the root mean square of the distances of the embeddings that stand against each other. Where mirroring keeps
    distances, both are equal, so that this is the least distance of a pair and of the pair with one side mirrored.

    With an ``offset`` places are centred: the mean of many other places is subtracted, and what remains, which is what
    is special about a place, is scaled to length one again. Stored vectors are not centred, so that the embedding of a
    photograph never depends on others.

    Attributes:
        place_dim: size of the place embedding.
        pose_dim: size of the pose embedding of one person.
        people: how many people are kept, 1 or 2.
        calibration: what distances mean.
        mirror: whether a pose and its mirror image count as the same.
        offset: mean of the place embeddings of photographs of many places, ``place_dim`` numbers; empty: places are not
            centred.
        shift: what `adapted` adds to the offset; empty before.
    """

    parts: ClassVar[tuple[str, ...]] = (PLACE, POSE)
    has_means: ClassVar[bool] = False
    calibrated: ClassVar[bool] = True

    place_dim: int
    pose_dim: int
    people: int
    calibration: JointCalibration
    mirror: bool = False
    offset: tuple[float, ...] = ()
    shift: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("offset", "shift"):
            numbers = np.asarray(getattr(self, name), dtype=np.float32)
            if numbers.shape not in ((0,), (self.place_dim,)) or not np.isfinite(numbers).all():
                raise DoppelgramError(
                    f"arrangement space: '{name}' has shape {numbers.shape}; it must be {self.place_dim} finite numbers"
                )
            object.__setattr__(self, name, tuple(numbers.tolist()))

    @property
    def slot(self) -> int:
        """How many numbers of a vector belong to one person."""
        return self.pose_dim * (2 if self.mirror else 1)

    @property
    def dim(self) -> int:
        """Size of the whole vector."""
        return self.place_dim + self.people * self.slot

    @property
    def threshold(self) -> float:
        """The distance up to which two photographs count as the same arrangement."""
        return 1 - self.calibration.threshold

    @property
    def even(self) -> float:
        """The same as `threshold`, which was chosen on hard pairs."""
        return self.threshold

    @property
    def fitted_on(self) -> str:
        """Which photographs the calibration was fitted to."""
        return self.calibration.place.fitted_on

    def described(self) -> dict[str, Any]:
        """All but the calibration, JSON-ready, what is at its default left out: fields of an equal space."""
        facts = {"place_dim": self.place_dim, "pose_dim": self.pose_dim, "people": self.people}
        if self.mirror:
            facts["mirror"] = True
        return facts | {name: list(value) for name in ("offset", "shift") if (value := getattr(self, name))}

    def split(self, vectors: NDArray[Any]) -> tuple[Float32, Float32]:
        """Vectors (n, dim) as centred place embeddings (n, place_dim) and poses (n, people, slot)."""
        vectors = np.asarray(vectors, dtype=np.float32)
        place, poses = vectors[:, : self.place_dim], vectors[:, self.place_dim :]
        return self._centred(place), poses.reshape(-1, self.people, self.slot)

    def poses(self, vectors: NDArray[Any], dtype: type[np.floating[Any]] = np.float64) -> Poses:
        """The poses of vectors (n, dim), and which people there are."""
        poses = self.split(vectors)[1]
        return Poses(poses.astype(dtype), np.abs(poses).sum(2) > 0)

    def adapted(self, gallery: NDArray[Any]) -> ArrangementSpace:
        """The space for searches among these photographs: places are centred on their mean, too.

        What is subtracted is the offset, moved towards the mean of the gallery's own place embeddings by a share of
        half the way, times ``n / (n + 30)``, since the mean of few photographs is mostly chance, times ``1 - c``, where
        c is the mean cosine, 0 or more, of two of the gallery's places after the offset is subtracted: where all
        photographs show one place, their mean is that place, and without it nothing would be left to compare.
        A space without an offset stays as it is, and the answer does not depend on an earlier adaptation.

        Args:
            gallery: (n, dim) vectors, one photograph a row.
        """
        if not self.offset or not len(gallery):
            return self
        n, own = len(gallery), replace(self, shift=())
        # The squared length of the mean is the mean cosine of all pairs, those of a photograph with itself among them.
        mean = own.split(gallery)[0].mean(0, dtype=np.float64)
        alike = float(np.clip((n * mean @ mean - 1) / max(n - 1, 1), 0.0, 1.0))
        share = _GALLERY_SHARE * n / (n + _FEW) * (1 - alike)
        raw = np.asarray(gallery, dtype=np.float32)[:, : self.place_dim].mean(0, dtype=np.float64)
        return replace(self, shift=tuple(share * (raw - self.offset)))

    @cached_property
    def centre(self) -> Float64:
        """What is subtracted from a place embedding, (place_dim,); (0,) where places are not centred."""
        return np.asarray(self.offset, dtype=np.float64) + (np.asarray(self.shift) if self.shift else 0.0)

    def _centred(self, place: Float32) -> Float32:
        """Place embeddings (n, place_dim) less the centre, of length one; as they are where there is no offset."""
        if not self.offset:
            return place
        moved = place - self.centre
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        return np.asarray(moved / np.where(length > 0, length, 1.0), dtype=np.float32)

    def people_shown(self, vectors: NDArray[Any]) -> NDArray[np.int64]:
        """Of how many people each vector (n, dim) holds a pose, int64 (n,)."""
        return np.asarray((np.abs(self.split(vectors)[1]).sum(2) > 0).sum(1), dtype=np.int64)

    def part_distances(self, a: NDArray[Any], b: NDArray[Any]) -> tuple[Float64, Float64]:
        """Place and pose distances of the pairs (a[i], b[i]), float64 (m,) each; NaN where there is no pose.

        People are matched to people so that the mean distance is least, as many as both photographs show.
        """
        count = max(len(a), len(b))
        rows, columns = (np.broadcast_to(np.arange(len(side)), count) for side in (a, b))
        return self.split_distances(self.split(a), self.split(b), rows, columns)

    def split_distances(
        self, a: tuple[NDArray[Any], NDArray[Any]], b: tuple[NDArray[Any], NDArray[Any]], rows: Int64, columns: Int64
    ) -> tuple[Float64, Float64]:
        """`part_distances` of the pairs (a[rows[i]], b[columns[i]]) of vectors that were split before, (m,) each.

        Some hundred pairs at a time: what is worked out of them then stays in the processor's own memory.
        """
        place, pose = np.empty(len(rows)), np.empty(len(rows))
        for start in range(0, len(rows), _PAIRS):
            part = slice(start, start + _PAIRS)
            left, right = rows[part], columns[part]
            place[part] = np.linalg.norm(a[0][left].astype(np.float64) - b[0][right], axis=1)
            pose[part] = self._pose_distances(a[1][left], b[1][right])
        return place, pose

    def _pose_distances(self, poses_a: NDArray[Any], poses_b: NDArray[Any]) -> Float64:
        known_a, known_b = (np.abs(poses).sum(2) > 0 for poses in (poses_a, poses_b))
        first, second = poses_a[:, :, None].astype(np.float64), poses_b[:, None]
        each = np.linalg.norm(first - second, axis=3)
        if self.mirror:
            turned = np.linalg.norm(first - np.roll(second, self.pose_dim, axis=3), axis=3)
            each = np.minimum(each, turned) / np.sqrt(2)
        each[~(known_a[:, :, None] & known_b[:, None])] = np.nan
        if self.people == 1:
            return np.asarray(each[:, 0, 0])
        both = known_a.all(1) & known_b.all(1)
        matched = np.minimum(each[:, 0, 0] + each[:, 1, 1], each[:, 0, 1] + each[:, 1, 0]) / 2
        least = np.where(np.isnan(each), np.inf, each).min((1, 2))
        return np.where(both, matched, np.where(np.isinf(least), np.nan, least))

    def pose_table(self, a: Poses, b: Poses) -> NDArray[Any]:
        """Pose distances (q, n) of all pairs by matrix products, as `part_distances` has them, within rounding."""
        people = range(self.people)
        each = [[_distances(a.slots[:, i], b.slots[:, j], self.mirror) for j in people] for i in people]
        for i in people:
            for j in people:
                each[i][j][~(a.known[:, i, None] & b.known[None, :, j])] = np.nan
        if len(people) == 1:
            return np.asarray(each[0][0])
        matched = np.minimum(each[0][0] + each[1][1], each[0][1] + each[1][0]) / 2  # NaN unless both show two people
        least = np.fmin(np.fmin(each[0][0], each[0][1]), np.fmin(each[1][0], each[1][1]))
        return np.asarray(np.where(np.isnan(matched), least, matched))

    def distance(self, a: NDArray[Any], b: NDArray[Any]) -> Float64:
        """Probability (m,) that the arrangements of the pairs (a[i], b[i]) differ."""
        return sigmoid(-self.calibration.log_odds(*self.part_distances(a, b)))

    def probability(self, distance: Any) -> Float64:
        """Probability of the same arrangement at a distance."""
        return 1 - np.asarray(distance, dtype=np.float64)

    def compare(self, a: NDArray[Any], b: NDArray[Any]) -> PairResult:
        """Compare the pairs (a[i], b[i]) of vectors (m, dim), by place, by pose and by both."""
        return self._judged(*self.part_distances(a, b))

    def _judged(self, place: Float64, pose: Float64) -> PairResult:
        odds = self.calibration.log_odds(place, pose)
        place_shown, pose_shown = self.calibration.part_probabilities(place, pose)
        parts = {PLACE: Part(place, place_shown), POSE: Part(pose, pose_shown)}
        return PairResult(sigmoid(-odds), sigmoid(odds), parts)

    def found(self, a: NDArray[Any], b: NDArray[Any], by: str = "") -> PairResult:
        """As `compare`, of queries a and what a search ranked by ``by`` found for them."""
        return self.judged_as_found(*self.part_distances(a, b), by)

    def judged_as_found(self, place: Float64, pose: Float64, by: str = "") -> PairResult:
        """What distances of parts (m,) mean of queries and what a search ranked by ``by`` found for them."""
        compared = self._judged(place, pose)
        search = self.calibration.search.get(by or JOINT)
        if search is None:
            return compared
        both, *shown = search.probabilities(compared.distance, place, pose)
        parts = {
            name: Part(*each) for name, each in zip((PLACE, POSE), zip((place, pose), shown, strict=True), strict=True)
        }
        return PairResult(compared.distance, both, parts)

    def index(self, gallery: Any, ids: Ids | Named | None = None) -> ArrangementIndex:
        """Prepare a gallery (n, dim) for search."""
        return ArrangementIndex(self, gallery, ids)

    def coordinates(self, vectors: NDArray[Any], by: str = "") -> Float32:
        """The whole vectors (n, dim), their centred places (n, place_dim), or their most prominent people's poses.

        Of a pose and its mirror image the one with the greater sum of numbers, later ones counting more, comes first.
        """
        by, (place, poses) = checked_part(self, by), self.split(vectors)
        if self.mirror:
            sums = poses.reshape(*poses.shape[:2], 2, self.pose_dim) @ np.linspace(1, 2, self.pose_dim)
            poses = np.where(sums[..., :1] < sums[..., 1:], np.roll(poses, self.pose_dim, axis=2), poses)
        if by == PLACE:
            return np.ascontiguousarray(place)
        poses = poses[:, 0] if by == POSE else poses.reshape(len(poses), -1)
        return np.ascontiguousarray(poses if by == POSE else np.hstack([place, poses]))

    def only_person(self, vectors: NDArray[Any], person: int) -> Float32:
        """Vectors (n, dim) in which the pose is that of one person alone, 1 for the most prominent.

        Raises:
            DoppelgramError: there is no such person in one of them.
        """
        if (self.people_shown(vectors) < person).any() or person < 1:
            raise DoppelgramError(f"there is no person {person} in this photograph, or no pose of them is known")
        start = self.place_dim + (person - 1) * self.slot
        one = np.array(vectors, dtype=np.float32)
        one[:, self.place_dim :] = 0
        one[:, self.place_dim : self.place_dim + self.slot] = vectors[:, start : start + self.slot]
        return one

    def unknown(self, vectors: NDArray[Any]) -> Mapping[str, Bools]:
        """The pose is missing where nobody was found."""
        return {POSE: self.people_shown(vectors) == 0}


class ArrangementIndex:
    """A gallery of arrangement vectors prepared for exact searches; see `doppelgram.space.space.Index`.

    Images with no pose to compare come last where the pose ranks.

    Raises:
        DoppelgramError: vectors that are no numbers or of another size, or there is not one id a row.
    """

    def __init__(self, space: ArrangementSpace, gallery: Any, ids: Ids | Named | None = None) -> None:
        self._space = space
        self.gallery = vectors(gallery, "gallery", space.dim)
        self._ids = named(ids, len(self.gallery))

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
        """The k nearest gallery images of each query; distances are probabilities that the arrangements differ."""
        ranker = self.ranker(by, mix)
        queries = vectors(queries, "queries", self._space.dim)
        own = self_matches(query_ids, self._ids, len(queries))
        positions, _ = nearest_columns(ranker, queries, k, own, left_out)
        there = positions >= 0
        by = checked_part(self._space, by)
        split = self._space.split(queries), self._sides.split
        distances = self._space.split_distances(*split, np.nonzero(there)[0], positions[there])
        compared = self._space.judged_as_found(*distances, by)
        assert compared.probability is not None

        def laid_out(values: Float64, missing: float) -> Float64:
            table = np.full(positions.shape, missing)
            table[there] = values
            return table

        parts = {
            name: Part(laid_out(part.distance, np.nan), laid_out(part.probability, 0.0))
            for name, part in compared.parts.items()
        }
        return Found(positions, laid_out(compared.distance, np.inf), laid_out(compared.probability, 0.0), parts)

    def ranker(self, by: str = "", mix: float | None = None) -> ArrangementRanker:
        """What orders the gallery for a query: by everything, by one part, or by a mix of both."""
        if mix is not None and not 0 <= mix <= 1:
            raise DoppelgramError(f"mix is {mix:g}; it lies between 0, the pose alone, and 1, the place alone")
        by = checked_part(self._space, by)
        calibration = self._space.calibration
        if mix is not None:
            by = {0.0: POSE, 1.0: PLACE}.get(mix, "")
            calibration = weighed(calibration, mix)
        return ArrangementRanker(self._space, self._sides, by, calibration)

    @cached_property
    def _sides(self) -> _Sides:
        """Made once, for every search."""
        split = self._space.split(self.gallery)
        return _Sides(split, split[0].astype(np.float64), self._space.poses(self.gallery))


class _Sides(NamedTuple):
    """A gallery of n vectors: centred places and poses as they are, both in float64, and who is known of the poses."""

    split: tuple[Float32, Float32]
    place: Float64
    poses: Poses


class ArrangementRanker:
    """Keys are distances of one part, or log-odds of the same arrangement with the sign turned; all in float64."""

    dtype = np.float64

    def __init__(
        self,
        space: ArrangementSpace,
        gallery: _Sides,
        by: str,
        joint: JointCalibration,
    ) -> None:
        self.size = len(gallery.place)
        self._space, self._by, self._joint = space, by, joint
        self._split, self._place, self._poses = gallery
        slopes = joint.place_weight * joint.place.slope + joint.pose_weight * joint.pose.slope
        self._slack = _ROUNDING * (1.0 if by else slopes)

    @property
    def rows(self) -> int:
        """Queries at a time that keep a block of keys small."""
        return max(1, _BLOCK_ELEMENTS // max(self.size, 1))

    def keys(self, queries: Float32, out: NDArray[Any] | None = None) -> tuple[Float64, Float64]:
        """Keys (b, n), and zeros (b,)."""
        scale, place = np.zeros(len(queries)), self._space.split(queries)[0].astype(np.float64)
        if self._by == PLACE:
            return _distances(place, self._place), scale
        pose = self._space.pose_table(self._space.poses(queries), self._poses)
        if self._by == POSE:
            return np.nan_to_num(pose, copy=False, nan=_UNKNOWN), scale
        return -self._joint.log_odds(_distances(place, self._place), pose), scale

    def rounding(self, keys: NDArray[Any], scale: NDArray[Any]) -> Float64:
        """How far off a key may be."""
        return np.full(np.broadcast_shapes(keys.shape, scale.shape), self._slack)

    def limit(self, reach: Float64, scale: NDArray[Any]) -> Float64:
        """The largest key that an image as near as ``reach`` may have."""
        return reach + 2 * self._slack

    def exact(self, queries: Float32, rows: Int64, columns: Int64) -> Float64:
        """The measure (p,) of query rows and gallery columns, from direct differences."""
        place, pose = self._space.split_distances(self._space.split(queries), self._split, rows, columns)
        if self._by == PLACE:
            return place
        if self._by == POSE:
            return np.nan_to_num(pose, nan=_UNKNOWN)
        return -self._joint.log_odds(place, pose)


def weighed(calibration: JointCalibration, mix: float) -> JointCalibration:
    """The calibration for an order in which place and pose count otherwise than they were fitted to.

    In the middle both weights are as fitted. Towards one end the other part's weight falls to 0 in a straight line.
    The numbers of such a calibration are no probabilities; only their order counts.

    Args:
        calibration: as fitted.
        mix: from 0, the pose alone, to 1, the place alone.
    """
    place, pose = min(1.0, 2 * mix), min(1.0, 2 * (1 - mix))
    return replace(
        calibration, place_weight=place * calibration.place_weight, pose_weight=pose * calibration.pose_weight
    )


def _distances(a: NDArray[Any], b: NDArray[Any], mirror: bool = False) -> NDArray[Any]:
    """Euclidean distances (q, n) between rows, by a matrix product.

    With ``mirror`` a row is a slot of two embeddings, and the distances are those of `ArrangementSpace`.
    """
    squares = a @ b.T
    if mirror:
        np.maximum(squares, a @ np.roll(b, b.shape[1] // 2, axis=1).T, out=squares)
    squares *= -2
    squares += np.einsum("ij,ij->i", a, a)[:, None]
    squares += np.einsum("ij,ij->i", b, b)
    if mirror:
        squares /= 2
    return np.asarray(np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares))
