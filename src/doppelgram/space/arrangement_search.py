"""Exact nearest neighbours by place, by pose, or by both: for vectors of places and poses side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.space.arrangement import ArrangementSpace, log_odds
from doppelgram.space.exact import Float32, Float64, Ids, Int64, smallest_columns, vectors

BY = ("joint", "place", "pose")

# Numbers of one block of comparisons; several arrays of that size are in memory at once.
_BLOCK_ELEMENTS = 2_000_000
# Candidates beyond k that are measured by direct difference.
_SPARE = 8
# How far off a distance by way of a float64 matrix product may be, for vectors of length one: the square root of the
# rounding of its square, about d * 2^-53 (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
_ROUNDING = 2e-6


class Found(NamedTuple):
    """What was found for q queries, nearest first; where fewer than k images remain, positions are -1.

    Attributes:
        positions: gallery rows, int64 (q, k).
        log_odds: of the same arrangement, float64 (q, k); -inf where there is no image.
        place: place distances, float64 (q, k).
        pose: pose distances, float64 (q, k); NaN where there is none to compare.
    """

    positions: Int64
    log_odds: Float64
    place: Float64
    pose: Float64


@dataclass(frozen=True)
class _Prepared:
    place: Float64
    poses: Float64
    known: NDArray[np.bool_]


class JointSearch:
    """A gallery of arrangement vectors prepared for repeated exact searches.

    Args:
        space: how the vectors are made up and what distances mean.
        gallery: (n, dim) float32.
        ids: n names of the images; needed to leave self-matches out.

    Raises:
        DoppelgramError: vectors that are no numbers or of another size, or as many ids are not given as rows.
    """

    def __init__(self, space: ArrangementSpace, gallery: Any, ids: Ids | None = None) -> None:
        self.space = space
        self.gallery = _checked(space, gallery, "gallery")
        self.ids = None if ids is None else list(ids)
        if self.ids is not None and len(self.ids) != len(self.gallery):
            raise DoppelgramError(f"gallery: there are {len(self.gallery)} vectors but {len(self.ids)} ids")
        self._rows = _prepared(space, self.gallery)

    def nearest(self, queries: Any, k: int, *, query_ids: Ids | None = None, by: str = "joint") -> Found:
        """The k nearest gallery images of each query, exactly; equal ones in gallery order.

        A block of queries is compared with the whole gallery by matrix products in float64, and what rounding leaves
        open is measured again by direct difference. Memory is O(block x n).

        Args:
            queries: (q, dim) float32.
            k: neighbours wanted; may exceed n.
            query_ids: q names; gallery images with the query's own id are never returned.
            by: ``joint`` ranks by the log-odds of the same arrangement; ``place`` and ``pose`` by that distance alone,
                images with no pose to compare last.

        Raises:
            DoppelgramError: unusable vectors, ids for one side only, k below 1, or another word for ``by``.
        """
        if by not in BY:
            raise DoppelgramError(f"--by is '{by}'; it is one of {', '.join(BY)}")
        if k < 1:
            raise DoppelgramError(f"k is {k}; ask for 1 neighbour or more")
        queries = _checked(self.space, queries, "queries")
        count, n = len(queries), len(self.gallery)
        found = Found(
            np.full((count, k), -1, dtype=np.int64), np.full((count, k), -np.inf),
            np.full((count, k), np.inf), np.full((count, k), np.nan),
        )  # fmt: skip
        if not count or not n:
            return found
        left_out = self._self_matches(count, query_ids)
        step = max(1, _BLOCK_ELEMENTS // n)
        for start in range(0, count, step):
            part = queries[start : start + step]
            keys = self._keys(part, by)
            for row in range(len(part)):
                keys[row, left_out.get(start + row, [])] = np.nan
            for row in range(len(part)):
                self._settle(part[row], keys[row], min(k, n), by, start + row, found)
        return found

    def keys(self, queries: Any, by: str = "joint") -> Float64:
        """What is ranked by, smaller being nearer, of all gallery images for some queries: float64 (q, n).

        Log-odds with the sign turned, or distances, within rounding; infinite where ``by`` is ``pose`` and there is
        none to compare. The caller sees to it that q x n fits into memory.
        """
        return self._keys(_checked(self.space, queries, "queries"), by)

    def _keys(self, queries: Float32, by: str) -> Float64:
        rows = _prepared(self.space, queries)
        if by == "place":
            return _distances(rows.place, self._rows.place)
        pose = self._pose_distances(rows)
        if by == "pose":
            pose[np.isnan(pose)] = np.inf
            return pose
        return -self.space.calibration.log_odds(_distances(rows.place, self._rows.place), pose)

    def _pose_distances(self, rows: _Prepared) -> Float64:
        """Distances of poses (q, n), people matched to people; NaN where there is none."""
        people = self.space.people
        each = [
            [_distances(rows.poses[:, i], self._rows.poses[:, j]) for j in range(people)] for i in range(people)
        ]  # fmt: skip
        for i in range(people):
            for j in range(people):
                each[i][j][~(rows.known[:, i, None] & self._rows.known[None, :, j])] = np.nan
        if people == 1:
            return each[0][0]
        matched = np.minimum(each[0][0] + each[1][1], each[0][1] + each[1][0]) / 2  # NaN unless both show two people
        least = np.fmin(np.fmin(each[0][0], each[0][1]), np.fmin(each[1][0], each[1][1]))
        return np.where(np.isnan(matched), least, matched)

    def _settle(self, query: Float32, keys: Float64, k: int, by: str, row: int, found: Found) -> None:
        """Measure the candidates of one query by direct difference and write down the k nearest."""
        allowed = np.flatnonzero(~np.isnan(keys))
        if not len(allowed):
            return
        keys = keys[allowed]
        few = min(len(keys), k + _SPARE)
        columns = smallest_columns(keys[None], few)[0]
        if few < len(keys):
            edge = keys[columns[min(k, few) - 1]]
            slack = _slack(self.space, by)
            if keys[columns[-1]] <= edge + slack:  # more are within rounding of the k-th than were looked at
                columns = np.flatnonzero(keys <= edge + slack)
        columns = allowed[np.sort(columns)]
        others = self.gallery[columns]
        place, pose = self.space.distances(np.repeat(query[None], len(columns), axis=0), others)
        odds = self.space.calibration.log_odds(place, pose)
        exact = {"joint": -odds, "place": place, "pose": np.where(np.isnan(pose), np.inf, pose)}[by]
        order = np.argsort(exact, kind="stable")[:k]
        size = len(order)
        found.positions[row, :size] = columns[order]
        found.log_odds[row, :size] = odds[order]
        found.place[row, :size] = place[order]
        found.pose[row, :size] = pose[order]

    def _self_matches(self, count: int, query_ids: Ids | None) -> dict[int, list[int]]:
        if query_ids is None:
            return {}
        if self.ids is None:
            raise DoppelgramError("query_ids are given but no gallery_ids; give both, or neither")
        names = list(query_ids)
        if len(names) != count:
            raise DoppelgramError(f"queries: there are {count} vectors but {len(names)} ids; give one id an image")
        rows: dict[Any, list[int]] = {name: [] for name in names}
        for row, name in enumerate(self.ids):
            if name in rows:
                rows[name].append(row)
        return {query: rows[name] for query, name in enumerate(names) if rows[name]}


def pose_log_odds(space: ArrangementSpace, distance: Any) -> Float64:
    """Log-odds of the same pose at a distance, the prior's where it is NaN."""
    odds = log_odds(space.calibration.pose, distance)
    return np.where(np.isnan(odds), space.calibration.pose_prior, odds)


def _checked(space: ArrangementSpace, values: Any, name: str) -> Float32:
    array = vectors(values, name) if len(values) else np.empty((0, space.dim), dtype=np.float32)
    if array.shape[1] != space.dim:
        raise DoppelgramError(
            f"the {name} have {array.shape[1]} dimensions, not {space.dim}; embed both with the same model"
        )
    return array


def _prepared(space: ArrangementSpace, array: Float32) -> _Prepared:
    place, poses = space.split(array)
    return _Prepared(place.astype(np.float64), poses.astype(np.float64), np.abs(poses).sum(2) > 0)


def _distances(a: Float64, b: Float64) -> Float64:
    """Euclidean distances (q, n) between rows, by a matrix product."""
    squares = -2.0 * (a @ b.T)
    squares += np.einsum("ij,ij->i", a, a)[:, None]
    squares += np.einsum("ij,ij->i", b, b)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares))


def _slack(space: ArrangementSpace, by: str) -> float:
    """How far keys may be off."""
    if by != "joint":
        return 2 * _ROUNDING
    joint = space.calibration
    return 2 * _ROUNDING * (joint.place_weight * joint.place.slope + joint.pose_weight * joint.pose.slope)
