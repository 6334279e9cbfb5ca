"""The sentences on two photographs: nothing is asserted that the numbers beside it deny."""

import pytest

from doppelgram.pose.findings import summary


@pytest.mark.parametrize(
    ("same", "place", "pose", "words"),
    [
        (True, 0.9, 0.8, "Same pose before the same place"),
        (True, 0.42, 0.99, "Perhaps the same, but the place cannot be told surely"),
        (True, 0.4, 0.4, "Perhaps the same, but the place and the pose cannot be told surely"),
        (False, 0.1, 0.9, "Not the same: another place, the same pose"),
        (False, 0.46, 0.1, "Not the same: perhaps another place, another pose"),
        (False, 0.6, 0.55, "Not the same: place and pose are close, but not both close enough"),
        (True, 0.99, None, "The same place; the pose is unknown"),
        (True, 0.34, None, "Perhaps another place; the pose is unknown"),
        (False, 0.04, None, "Another place; the pose is unknown"),
    ],
)
def test_verdicts(same: bool, place: float, pose: float | None, words: str) -> None:
    assert summary(same, place, pose) == words
