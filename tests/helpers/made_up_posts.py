"""Posts made by hand: a few places and poses as unit vectors, matched without doubt."""

from __future__ import annotations

import numpy as np

from doppelgram.rolemodels.posts import DAY, PostTable
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration

# Distance 0 means the same with log-odds of 6, distance 1.41 means different.
SHARP = Calibration(10.0, 6.0, 0.6, 10, 10, "made up")
SPACE = ArrangementSpace(6, 6, 1, JointCalibration(SHARP, SHARP, 1.0, 1.0, -3.0, 0.0, 0.5))
START = 1_500_000_000.0


def vectors(kinds: list[tuple[int, int | None]], noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """One vector for each (place, pose); a pose of None shows nobody."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((len(kinds), SPACE.dim))
    for row, (place, pose) in enumerate(kinds):
        rows[row, :6] = np.eye(6)[place] + noise * rng.normal(size=6)
        rows[row, :6] /= np.linalg.norm(rows[row, :6])
        if pose is not None:
            rows[row, 6:] = np.eye(6)[pose] + noise * rng.normal(size=6)
            rows[row, 6:] /= np.linalg.norm(rows[row, 6:])
    return rows.astype(np.float32)


def posts(days: list[float], authors: list[str] | None = None, places: list[str] | None = None) -> PostTable:
    """Posts p0, p1, ... on days after a start; by different authors unless named."""
    n = len(days)
    return PostTable(
        path=np.array([f"p{k}" for k in range(n)], dtype=object),
        author=np.array(authors or [f"author{k}" for k in range(n)], dtype=object),
        timestamp=START + DAY * np.array(days, dtype=np.float64),
        place=None if places is None else np.array(places, dtype=object),
    )
