"""bf16 is used where it finds the same, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from doppelgram.images.framing import Framing
from doppelgram.images.read import Want
from doppelgram.models import precision as trying
from doppelgram.models.model import Model
from doppelgram.models.precision import Agreement, agreement, for_many
from doppelgram.models.runtime import bf16_is_fast, in_bulk
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace
from helpers.small_models import small_model

RNG = np.random.default_rng(1)


def points(count: int) -> np.ndarray:
    return RNG.standard_normal((count, 8)).astype(np.float32)


def test_agreement_counts_neighbours_as_a_loop_does() -> None:
    exact = points(60)
    quick = exact + 0.3 * points(60)
    same = 0
    for row in range(60):
        nearest = []
        for gallery in (exact, quick):
            distance = np.linalg.norm(gallery.astype(float) - exact[row], axis=1)
            distance[row] = np.inf
            nearest.append(distance.argmin())
        same += nearest[0] == nearest[1]
    found = agreement(EuclideanSpace(8), exact, quick)
    assert found == Agreement(60, same / 60, 0.0)
    assert 0 < same < 60


def test_verdicts_count_where_there_is_a_calibration() -> None:
    exact = np.zeros((2, 2), dtype=np.float32)
    exact[1, 0] = 1.0
    space = EuclideanSpace(2, Calibration(2.0, 2.0, 1.0, 5, 5, "nothing"))
    assert space.even == pytest.approx(1.0)
    assert agreement(space, exact, exact).other_verdict == 0
    assert agreement(space, exact, exact * 1.1).other_verdict == 1


def test_few_photographs_say_nothing() -> None:
    exact = points(30)
    assert not agreement(EuclideanSpace(8), exact, exact).good
    assert agreement(EuclideanSpace(8), points(0), points(0)).photographs == 0
    exact = points(100)
    assert agreement(EuclideanSpace(8), exact, exact).good


@pytest.mark.parametrize("agrees", [True, False])
def test_many_photographs_are_tried_first(agrees: bool, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not bf16_is_fast(in_bulk()):
        pytest.skip("this machine has no fast bf16")
    model, paths = small_model(), sorted(photos.rglob("*.jpg"))
    assert isinstance(model, Model)
    want = Want(Framing(32))
    chosen, remark = for_many(model, paths, want)
    assert (chosen.runtime, remark) == (in_bulk(), "")  # too few to try

    monkeypatch.setattr(trying, "_WORTH_IT", len(paths))
    monkeypatch.setattr(trying, "_ENOUGH", 2)
    monkeypatch.setattr(trying, "_SAME_NEIGHBOUR", 0.0 if agrees else 1.01)
    chosen, remark = for_many(model, [*paths, Path("gone.jpg")], want)
    assert chosen.runtime is not None
    assert chosen.runtime.precision == ("bf16" if agrees else "fp32")
    assert bool(remark) != agrees
    assert for_many(model, paths, want, precision="fp32") == (model.with_runtime(in_bulk()), "")
