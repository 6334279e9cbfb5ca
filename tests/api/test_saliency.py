"""Maps from the commands: a picture, its path in the answer, and nothing where nobody asks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.api.compare_images import compare_images
from doppelgram.api.saliency import compute_saliency
from doppelgram.api.verify import verify
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from helpers.commands import call
from helpers.posts_world import random_model, render_world
from helpers.small_models import small_model


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A model of whole images, and two photographs."""
    folder = tmp_path_factory.mktemp("pair")
    small_model().save(folder / "model")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 256, (70, 50, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    return [folder / "model", folder / "a.png", folder / "b.png"]


def test_verify_draws_when_it_is_asked_to(files: list[Path], tmp_path: Path) -> None:
    model, a, b = files
    plain = verify(a, b, model=model, progress=SilentProgress())
    drawn = verify(a, b, model=model, out=tmp_path / "why.png", progress=SilentProgress())
    assert (plain.picture, drawn.picture) == (None, str(tmp_path / "why.png"))
    assert drawn.distance == plain.distance
    with Image.open(tmp_path / "why.png") as picture:
        assert picture.width == 1480
        grey = np.asarray(picture.convert("HSV"))[..., 1]
        assert (grey[200:1200] > 120).any()
    answer = call("verify", a, b, "--model", model, "--json", "--out", tmp_path / "again.png")
    assert answer.status == 0
    assert json.loads(answer.stdout)["picture"] == str(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "why.png").read_bytes()


def test_what_cannot_be_drawn_is_said_before_any_work(files: list[Path], tmp_path: Path) -> None:
    model, a, b = files
    with pytest.raises(DoppelgramError, match=r"why\.jpg: .*PNG"):
        verify(a, b, model=model, out=tmp_path / "why.jpg", progress=SilentProgress())
    with pytest.raises(DoppelgramError, match=r"b\.png"):
        verify(a, b, model=model, out=b, progress=SilentProgress())


def test_from_python(files: list[Path]) -> None:
    model, a, b = files
    found = compute_saliency(a, b, model=model, progress=SilentProgress())
    assert found.a.values.shape == found.a.pixels.shape[:2] == (70, 50)
    strong, _ = found.strengths
    assert 0 <= strong.min() <= strong.max() <= 1
    assert compute_saliency(a, b, model=model, method="occlusion", progress=SilentProgress()).method == "occlusion"


def test_compare_images_adds_them_to_its_picture(tmp_path: Path) -> None:
    world = render_world(tmp_path / "posts")
    model = random_model().save(tmp_path / "model")
    a, b = (sorted(world.glob(f"*/{pose}/*.jpg"))[0] for pose in ("tree", "arms_up"))
    heights = []
    for saliency in (True, False):
        out = tmp_path / f"{saliency}.png"
        answer = compare_images(a, b, model=model, out=out, saliency=saliency, view=False)
        assert json.loads(json.dumps(answer.to_dict()))["picture"] == str(out)
        heights.append(Image.open(out).height)
    assert heights[0] > heights[1] + 300
    told = call("compare-images", a, b, "--model", model, "--no-view", "--no-saliency", "--out", tmp_path / "third.png")
    assert told.status == 0
    assert (tmp_path / "third.png").read_bytes() == (tmp_path / "False.png").read_bytes()
    # Skeletons alone have no maps.
    alone = compare_images(a, b, keypoints=world / "keypoints.json", out=tmp_path / "alone.png", view=False)
    assert alone.picture == str(tmp_path / "alone.png")
    assert compare_images(a, b, model=model, view=False).picture is None
