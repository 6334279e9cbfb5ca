"""An exported network gives what the model gives, in another program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from doppelgram.api.export import export
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import open_image
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.bundle import load_model
from doppelgram.models.export import files
from doppelgram.models.export.parts import exportable
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower
from helpers.catalogs import CALIBRATION
from helpers.posts_world import random_model

QUIET = SilentProgress()
pytest.importorskip("onnxscript")


@pytest.mark.slow
def test_onnx_runtime_gives_what_the_model_gives(model_folder: Path, photos: Path, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    done = export(model_folder, tmp_path / "out", progress=QUIET)
    (part,) = done.parts
    assert part.difference < 1e-4
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["model.json", "model.onnx"]
    facts = json.loads(part.description.read_text(encoding="utf-8"))
    model = load_model(model_folder)
    assert isinstance(model, Model)
    assert facts["preprocessing"]["size"] == model.framing.size
    assert facts["preprocessing"]["mean"] == list(model.tower.network.backbone.mean)
    assert facts["fingerprint"] == model.fingerprint

    paths = sorted(photos.rglob("*.jpg"))[:3]
    session = onnxruntime.InferenceSession(part.file, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == [facts["input"]["name"]]
    pixels = np.stack([model.framing.apply(open_image(path)) for path in paths])
    (found,) = session.run([facts["output"]["name"]], {facts["input"]["name"]: pixels})
    np.testing.assert_allclose(found, model.embed_images(paths), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("crop", [None, 49, 1000])
def test_the_example_of_the_documentation_gives_what_the_model_gives(
    crop: int | None, draw_picture: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    backbone = SmallNet(width=4)
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 8))
    model = Model(ImageTower(network, Framing(33, crop=crop)), CALIBRATION)
    export(model.save(tmp_path / "model"), tmp_path / "exported", progress=QUIET)
    sizes = [(101, 77), (3, 5), (200, 1), (1, 1), (49, 50)]
    paths = [draw_picture(tmp_path / f"{number}.png", number, size) for number, size in enumerate(sizes)]
    with Image.open(paths[0]) as whole:
        sheer = whole.convert("RGBA")
        sheer.putalpha(Image.linear_gradient("L").resize(whole.size))
        sheer.save(tmp_path / "sheer.png")
        whole.convert("L").save(tmp_path / "grey.png")
        whole.convert("CMYK").save(tmp_path / "print.jpg")
    paths += [tmp_path / name for name in ("sheer.png", "grey.png", "print.jpg")]
    text = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    example: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("\n\none, other")[0], example)
    found = np.stack([example["embed"](path) for path in paths])
    np.testing.assert_allclose(found, model.embed_images(paths), atol=1e-4)


def test_openvino_files_are_written_whole(model_folder: Path, tmp_path: Path) -> None:
    (part,) = export(model_folder, tmp_path / "out", format="openvino", progress=QUIET).parts
    assert part.difference < 1e-4
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["model.bin", "model.json", "model.xml"]


def test_each_network_that_sees_pixels_is_a_part() -> None:
    parts, left_out = exportable(random_model())
    assert "keypoints" in left_out
    assert parts
    assert all(part.facts["sees"] in ("photograph", "place", "person") for part in parts)


def test_what_is_wrong_is_said(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DoppelgramError, match="--format is 'tflite'"):
        export(model_folder, tmp_path / "out", format="tflite", progress=QUIET)
    (tmp_path / "file").touch()
    with pytest.raises(DoppelgramError, match="is a file"):
        export(model_folder, tmp_path / "file", format="openvino", progress=QUIET)
    monkeypatch.setattr(files, "_MOST", -1.0)
    with pytest.raises(DoppelgramError, match="not written"):
        export(model_folder, tmp_path / "out", format="openvino", progress=QUIET)
    assert list((tmp_path / "out").iterdir()) == []
