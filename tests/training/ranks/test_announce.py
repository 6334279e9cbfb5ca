"""What is said before several processes train."""

from __future__ import annotations

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.training.ranks.announce import announce_ranks
from doppelgram.training.ranks.plan import Ranks
from helpers.progress import RecordingProgress
from helpers.ranks import small_recipe, small_task


def test_several_machines_are_told_where_and_how_long_they_wait() -> None:
    progress = RecordingProgress()
    announce_ranks(Ranks(2, 2, 1, "10.0.0.5", 4711), small_task(small_recipe()), progress)
    told = " ".join(progress.notes)
    assert "10.0.0.5" in told
    assert "4711" in told
    assert "60 minutes" in told


def test_a_batch_too_small_for_all_is_refused() -> None:
    with pytest.raises(DoppelgramError, match="cannot be divided among 20 processes"):
        announce_ranks(Ranks(20), small_task(small_recipe()), RecordingProgress())
