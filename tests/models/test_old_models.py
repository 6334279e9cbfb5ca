"""Models saved by an earlier version are read, and embed as they did there."""

import json
from pathlib import Path

import numpy as np
import pytest

from doppelgram.models.bundle import load_model

OLD = Path(__file__).parents[1] / "data" / "old_model"


@pytest.mark.parametrize("kind", ["images", "posts"])
def test_an_old_model_is_what_it_was(kind: str, tmp_path: Path) -> None:
    """The same fingerprint, also when it is saved again, and the same vector of the same photograph."""
    expected = json.loads((OLD / "expected.json").read_text())[kind]
    model = load_model(OLD / kind)
    assert model.fingerprint == expected["fingerprint"]
    vector = model.embed_images([OLD / "photograph.png"])[0]
    assert np.allclose(vector, expected["embedding"], rtol=0, atol=1e-6)
    model.save(tmp_path)
    assert model.fingerprint == expected["fingerprint"]
    for name in ("model.json", "model.safetensors"):
        assert (tmp_path / name).read_bytes() == (OLD / kind / name).read_bytes()
