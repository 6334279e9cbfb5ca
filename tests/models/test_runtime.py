"""What runs a network is chosen by the machine, and every choice gives the same vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.models import runtime as machine
from doppelgram.models.runtime import Runtime, bf16_is_fast, has_openvino, immediate, in_bulk
from helpers.small_models import PIXELS, small_model


@pytest.mark.parametrize(
    "settings", [{}, {"mirror": True}, {"normalise": False}, {"copies": 3}, {"copies": 2, "normalise": False}]
)
def test_every_runtime_gives_the_same_vectors(settings: dict[str, object]) -> None:
    model = small_model(**settings)  # type: ignore[arg-type]
    expected = model.embed_pixels(PIXELS)
    for chosen in (in_bulk("torch"), *([in_bulk("openvino"), immediate()] if has_openvino() else [])):
        found = model.with_runtime(replace(chosen, device="cpu")).tower.run(PIXELS)
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_vector_does_not_depend_on_what_else_was_asked() -> None:
    tower = small_model().with_runtime(in_bulk()).tower
    together = tower.run(PIXELS)
    alone = np.concatenate([tower.run(PIXELS[row : row + 1]) for row in reversed(range(len(PIXELS)))])[::-1]
    np.testing.assert_array_equal(together, alone)
    assert tower.run(PIXELS[:0]).shape == (0, 8)
    np.testing.assert_array_equal(tower.run(PIXELS[:, :, ::-1]), tower.run(PIXELS[:, :, ::-1].copy()))


def test_a_choice_leaves_the_model_as_it_was() -> None:
    model = small_model()
    chosen = model.with_runtime(in_bulk())
    assert model.runtime is None
    assert chosen.runtime == in_bulk()
    assert chosen.tower.network is model.tower.network


def test_bf16_is_near_where_the_machine_has_it() -> None:
    exact = in_bulk()
    if not bf16_is_fast(exact):
        with pytest.raises(DoppelgramError, match="bf16"):
            in_bulk(precision="bf16")
        return
    found = small_model().with_runtime(in_bulk(precision="bf16")).tower.run(PIXELS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, small_model().embed_pixels(PIXELS), atol=0.05)


def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DoppelgramError, match="--runtime is 'tensorrt'"):
        in_bulk("tensorrt")
    with pytest.raises(DoppelgramError, match="--precision is 'int8'"):
        in_bulk(precision="int8")
    monkeypatch.setattr(machine, "has_openvino", lambda: False)
    monkeypatch.setattr(machine, "_device", lambda: "cpu")
    with pytest.raises(DoppelgramError, match=r"doppelgram\[pose\]"):
        in_bulk("openvino")
    assert in_bulk() == Runtime("torch", bulk=True)
    assert "torch, fp32" in str(in_bulk())
