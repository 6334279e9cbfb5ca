"""Probabilities for one collection, from what people answered about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import bootstrap_pairs, percentiles
from doppelgram.numbers import count, number
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import sigmoid
from doppelgram.space.curve import Curve
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float64, Int64
from doppelgram.space.joint import JointSearch
from doppelgram.space.space import JOINT, Space
from doppelgram.teaching.graph import raw_odds
from doppelgram.teaching.learned import Learned, Told, learn
from doppelgram.teaching.reading import found_odds

FEWEST = 10
"""Fewer answers than this change no probability."""

_FOLDS = 5
_POINTS = 33


@dataclass(frozen=True)
class Change:
    """Whether a change of what distances mean is taken over, and why.

    Attributes:
        before: mean log-loss of answers that were kept out, as probabilities are now; NaN where it was not measured.
        after: the same as they would be.
        interval: of ``after - before``, 95 %.
        accepted: whether the interval lies below 0, and the change is in effect.
        sentence: all that in words.
        version: number of the version that is in effect now.
    """

    before: float
    after: float
    interval: tuple[float, float]
    accepted: bool
    sentence: str
    version: int = 0


def weigh(told: Told, photographs: tuple[Int64, Int64], *, seed: int = 0) -> Change:
    """Measure what two numbers fitted to answers are worth on answers that were kept out.

    Every fifth answer is kept out in turn; the two numbers (`learn`) are fitted to the others. The interval of the
    difference comes from drawing photographs again, since answers share photographs (`bootstrap_pairs`).

    What is fitted are the answers to questions, at the log-odds at which they were asked. Questions are chosen by
    log-odds, never by the answer, so that they are no fair sample of pairs, but a fair one of pairs at such log-odds;
    it is assumed that those nobody asked about answer alike at equal log-odds. What follows from answers is left out:
    a yes makes many pairs the same, a no few different, so that among those pairs the same are far too many.

    Args:
        told: m answers.
        photographs: two numbers of photographs for each answer, int64 (m,) each.
        seed: of the bootstrap.
    """
    m = len(told.odds)
    if m < FEWEST:
        return Change(
            np.nan, np.nan, (np.nan, np.nan), False, f"Too few answers to change a probability: {m} of {FEWEST}."
        )
    after = np.empty(m)
    for fold in range(_FOLDS):
        out = np.arange(m) % _FOLDS == fold
        after[out] = _losses(told.take(out), learn(told.take(~out)))
    before = _losses(told, Learned())
    difference = after - before

    def mean(weights: Float64) -> Float64:
        total = np.maximum(weights.sum(axis=1), 1e-12)
        return np.asarray((weights @ difference / total)[:, None])

    drawn = bootstrap_pairs(mean, *photographs, seed=seed)[:, 0]
    low, high = percentiles(drawn, float(difference.mean()))
    accepted = high < 0
    figures = (
        f"log-loss of {count(m, 'answer')} that were kept out in turn {number(float(before.mean()), 3)} before, "
        f"{number(float(after.mean()), 3)} after (difference {number(low, 3)} to {number(high, 3)})"
    )
    what = "Probabilities are fitted to this collection" if accepted else "Probabilities stay as they are"
    why = "" if accepted else "; more answers may tell"
    return Change(float(before.mean()), float(after.mean()), (low, high), accepted, f"{what}: {figures}{why}.")


def _losses(told: Told, learned: Learned) -> Float64:
    odds = learned.odds(told.odds) * told.strengths
    return np.asarray(np.logaddexp(0.0, odds) - told.degrees * odds)


def recalibrated(space: Space, learned: Learned, distances: Float64, yes: int, no: int) -> dict[str, Any]:
    """The calibration of a space in which what a search found means what answers have taught; JSON-ready.

    What is said of two given photographs stays: it holds where same and different are equally likely beforehand, of
    which answers to chosen questions say nothing.

    Args:
        space: calibrated.
        learned: of the log-odds of what was found.
        distances: float64 (m,), of neighbours in the collection.
        yes: answers that said the same.
        no: answers that said different.

    Raises:
        DoppelgramError: the space has no calibration of searches to change, and none can be made.
    """
    reach = np.unique(np.quantile(distances, np.linspace(0, 1, _POINTS)))
    if isinstance(space, ArrangementSpace):
        search = space.calibration.search.get(JOINT)
        if search is None:
            raise DoppelgramError("this model was never calibrated for searches; use doppelgram calibrate --labelled")
        curve = _curve(space, learned, reach, search.both, yes, no, search.both.slope)
        changed: JointSearch = replace(search, both=curve)
        return replace(space.calibration, search={**space.calibration.search, JOINT: changed}).to_dict()
    assert isinstance(space, EuclideanSpace)
    fitted = space.calibration
    assert fitted is not None
    before = fitted.search or fitted.pairs
    curve = _curve(space, learned, reach, before, yes, no, fitted.slope)
    if before is None:
        curve = replace(curve, n_right=curve.n_right + fitted.n_same, n_wrong=curve.n_wrong + fitted.n_different)
    return replace(fitted, search=curve).to_dict()


def _curve(
    space: Space, learned: Learned, reach: Float64, before: Curve | None, yes: int, no: int, slope: float
) -> Curve:
    p = np.clip(sigmoid(learned.odds(found_odds(space, raw_odds(space, reach)))), 1e-9, 1 - 1e-9)
    p = np.minimum.accumulate(p)
    n_right, n_wrong = (before.n_right, before.n_wrong) if before else (0, 0)
    about = f"{count(yes + no, 'answer')} about this collection"
    about = f"{before.about}, then {about}" if before else about
    return Curve(tuple(reach), tuple(p), learned.slope * slope, n_right + yes, n_wrong + no, about)
