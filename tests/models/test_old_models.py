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
    assert (tmp_path / "model.safetensors").read_bytes() == (OLD / kind / "model.safetensors").read_bytes()
    # The arrangement's probability has another prior than it had: its calibration is written as it is read.
    changing = {"calibration", "checksum"} if kind == "posts" else set()
    old, new = (json.loads((folder / "model.json").read_text()) for folder in (OLD / kind, tmp_path))
    assert {key: old[key] for key in old.keys() - changing} == {key: new[key] for key in new.keys() - changing}
