"""What an estimator raises for values that it cannot use."""

from __future__ import annotations

from doppelgram.errors import DoppelgramError


class UnusableValue(DoppelgramError, ValueError):
    """A parameter or an array that cannot be used.

    Users of scikit-learn expect a ValueError, and everything else in this program a DoppelgramError; this is both.
    """
