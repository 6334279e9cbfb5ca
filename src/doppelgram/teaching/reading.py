"""What raw log-odds mean in a search, as the model's calibration says at present: a probability, and where to cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import sigmoid
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import Float64
from doppelgram.space.space import JOINT, Space
from doppelgram.teaching.graph import raw_odds
from doppelgram.teaching.learned import Learned

EVEN = 0.5
"""Groups are joined where they are likelier the same than not: then answers of both kinds are worth asking for."""

NOTHING = Learned()
_GRID = np.linspace(-40.0, 40.0, 8001)


def found_probability(space: Space, odds: ArrayLike) -> Float64:
    """Probability that a neighbour at some raw log-odds is the same, of their shape.

    It is that of a search where the calibration was fitted to searches, else that of any two photographs.

    Raises:
        DoppelgramError: the space is not calibrated.
    """
    raw = np.asarray(odds, dtype=np.float64)
    if isinstance(space, ArrangementSpace):
        search = space.calibration.search.get(JOINT)
        return search.both.probability(sigmoid(-raw)) if search else sigmoid(raw)
    if isinstance(space, EuclideanSpace) and (fitted := space.calibration) is not None:
        return fitted.search_probability(np.maximum((fitted.intercept - raw) / fitted.slope, 0.0))
    return raw_odds(space, raw)  # raises


def found_odds(space: Space, odds: ArrayLike) -> Float64:
    """The same as log-odds."""
    p = np.clip(found_probability(space, odds), 1e-12, 1 - 1e-12)
    return np.asarray(np.log(p) - np.log1p(-p))


def cut_of(space: Space, learned: Learned = NOTHING, probability: float = EVEN) -> float:
    """The lowest raw log-odds at which a neighbour is the same with this probability, or the highest there is.

    Args:
        space: calibrated.
        learned: what answers have taught of log-odds.
        probability: wanted.
    """
    p = sigmoid(learned.odds(found_odds(space, _GRID)))
    return float(_GRID[int(np.argmax(p >= min(probability, float(p.max()) - 1e-9)))])
