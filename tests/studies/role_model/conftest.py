"""What the tests of the ladder share: a small world of posts, and a ladder that was climbed on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from doppelgram.samples.posts import render_posts
from helpers.small_ladder import climb


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered posts with known keypoints, persons and photographs."""
    return render_posts(tmp_path_factory.mktemp("ladder") / "posts", posts=160, places=4, poses=3, size=32, seed=3)


@pytest.fixture(scope="session")
def done(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished ladder without our own models."""
    out = tmp_path_factory.mktemp("done") / "out"
    assert climb(world, out) == out / "report.html"
    return out
