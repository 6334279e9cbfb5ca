"""The study's ladder as small as it gets, for tests."""

from __future__ import annotations

from pathlib import Path

from doppelgram.console import SilentProgress
from doppelgram.studies.role_model.reproduce import reproduce_role_model

CHANGES = ("optimiser.epochs=1", "data.size=32", "optimiser.precision=32")
RUNGS = ("cosine", "euclidean", "last", "full", "full_tuned", "last_pose", "full_pose", "full_pose_tuned")


def climb(world: Path, out: Path, **options: object) -> Path:
    """The ladder on a rendered world by the small net, without our own models unless asked for."""
    settings: dict[str, object] = {
        "backbones": ("small",),
        "quick": True,
        "ours": False,
        "overrides": CHANGES,
        "progress": SilentProgress(),
    }
    return reproduce_role_model(world, out, **{**settings, **options})  # type: ignore[arg-type]
