"""Every photograph is opened once and decoded once a pass, whatever a command makes of it."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import doppelgram
from doppelgram.api.index import index
from doppelgram.api.pose import estimate_poses
from doppelgram.api.trace import trace
from doppelgram.console import SilentProgress
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.samples.posts import render_posts
from doppelgram.training.recipes.schema import make_recipe
from helpers.posts_world import random_model
from helpers.tiny_networks import draw_people

QUIET = SilentProgress()
ENDINGS = (".png", ".jpg")

# Set while somebody counts: a hook of the interpreter stays for good.
_opened: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None and isinstance(arguments[0], (str, bytes)):
        _opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(_hook)


@contextmanager
def counted(folder: Path, monkeypatch: pytest.MonkeyPatch, decoded: bool = True) -> Iterator[None]:
    """Sees that every photograph below a folder is opened once, by whatever part of the program, and decoded once."""
    global _opened
    photographs = [file for file in sorted(folder.rglob("*")) if file.suffix in ENDINGS]
    names = {hashlib.sha256(file.read_bytes()).hexdigest(): file.name for file in photographs}
    assert len(names) == len(photographs) > 5
    decodes: Counter[str] = Counter()
    genuine = Image.open

    def count(fp: Any, *arguments: Any, **named: Any) -> Image.Image:
        data = fp.getvalue() if hasattr(fp, "getvalue") else Path(fp).read_bytes()
        name = names.get(hashlib.sha256(data).hexdigest())
        if name is not None:
            decodes[name] += 1
        return genuine(fp, *arguments, **named)

    _opened = []
    try:
        with monkeypatch.context() as patched:
            patched.setattr(Image, "open", count)
            yield
        opens = Counter(path for path in _opened if path.endswith(ENDINGS) and Path(path).is_relative_to(folder))
    finally:
        _opened = None
    assert opens == Counter({str(file): 1 for file in photographs})
    assert decodes == (Counter({file.name: 1 for file in photographs}) if decoded else Counter())


@pytest.fixture
def people(tmp_path: Path, movenet_file: Path, deeplab_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Posts of red squares, whom the tiny networks take for people, before three grounds."""
    root, rng = tmp_path / "posts", np.random.default_rng(0)
    rows = ["path,place,pose,author,timestamp"]
    for number in range(12):
        place, pose = f"place{number % 3}", f"pose{number % 2}"
        file = root / place / pose / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = draw_people(200, 160, [(60 + 60 * (number % 2), 80, 60 + number)])
        picture[..., 1 + number % 2] = rng.integers(0, 90, (160, 200))
        Image.fromarray(picture).save(file)
        rows.append(f"{file.relative_to(root)},{place},{pose},author{number},2021-01-{number + 1:02}T12:00:00Z")
    (root / "posts.csv").write_text("\n".join(rows) + "\n")
    monkeypatch.setattr("doppelgram.pose.estimators.registry.find_weights", lambda *_: movenet_file)
    monkeypatch.setattr("doppelgram.pose.segmenter.find_weights", lambda *_: deeplab_file)
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path / "cache"))
    return root


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Towers that were never trained, shown keypoints, persons and places by an estimator and a segmenter."""
    return random_model(settings=FinderSettings("movenet", "", "deeplab", "")).save(tmp_path / "model")


def test_training_and_evaluating_by_classes(
    class_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = class_folder(classes=3, images=6)
    recipe = make_recipe({"model": {"dim": 8}, "data": {"size": 16}, "optimiser": {"epochs": 1, "precision": "32"}})
    with counted(data, monkeypatch):
        run = doppelgram.train(data, recipe, tmp_path / "run", progress=QUIET)
    with counted(data, monkeypatch):
        doppelgram.evaluate(run.folder, gallery=data, progress=QUIET)
    with counted(data, monkeypatch):
        index(data, run.folder, tmp_path / "catalog", progress=QUIET)
    with counted(data, monkeypatch, decoded=False):
        index(data, run.folder, tmp_path / "catalog", progress=QUIET)


def test_training_of_places_and_poses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = render_posts(tmp_path / "world", posts=96, places=3, poses=3, size=64, seed=2)
    small = (
        "arrangement.estimator=keypoints",
        "arrangement.segmenter=",
        "towers.*.backbone=small",
        "frozen_layers=0",
        "size=32",
        "epochs=1",
        "copies=2",
        "towers.keypoints.epochs=2",
        "towers.embedding.epochs=2",
    )
    with counted(world, monkeypatch):
        doppelgram.train(world, "posts", tmp_path / "run", overrides=small, progress=QUIET)


def test_index_and_evaluate_by_place_and_pose(
    people: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted(people, monkeypatch):
        assert index(people, model, tmp_path / "catalog", progress=QUIET).without_people == []
    with counted(people, monkeypatch):
        doppelgram.evaluate(model, gallery=people, progress=QUIET)


@pytest.mark.parametrize("drawn", [False, True])
def test_pose(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: bool) -> None:
    draw = tmp_path / "drawn" if drawn else None
    with counted(people, monkeypatch):
        found = estimate_poses(people, tmp_path / "p.parquet", draw=draw, cache=tmp_path / "kept", progress=QUIET)
    assert all(len(one) for one in found.people.values())
    with counted(people, monkeypatch, decoded=drawn):
        estimate_poses(people, tmp_path / "p.parquet", draw=draw, cache=tmp_path / "kept", progress=QUIET)


def test_trace(people: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whether leading pairs show the very same view is looked at in a second pass, over their photographs alone.
    settings = TraceSettings(draws=19, bootstraps=10)
    with counted(people, monkeypatch):
        trace(people / "posts.csv", model, out=tmp_path / "traced", settings=settings, view=False, progress=QUIET)
    assert "data:image/jpeg" in (tmp_path / "traced" / "report.html").read_text()
    with counted(people, monkeypatch, decoded=False):
        trace(people / "posts.csv", model, out=tmp_path / "traced", settings=settings, view=False, progress=QUIET)
