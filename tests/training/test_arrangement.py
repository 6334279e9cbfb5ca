"""Recipe `posts` on the rendered world: trained, kept, resumed, refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.images.report import LoadReport
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.bundle import load_model
from doppelgram.samples.posts import render_posts
from doppelgram.training.arrangement import _Fitting
from doppelgram.training.arrangement_towers import Towers, tower_vectors
from doppelgram.training.recipe_file import read_recipe
from doppelgram.training.tower_inputs import TowerInputs
from doppelgram.training.train import train

QUIET = Console(quiet=True)
SMALL = (
    'model.backbone="small"', "model.frozen_layers=0", "data.size=32", "arrangement.person_size=32",
    'arrangement.estimator="keypoints"', 'arrangement.segmenter=""', "optimiser.epochs=6", "backbone_lr=0.3",
    "arrangement.keypoint_epochs=30", "augment.views=2", "arrangement.people=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_posts(tmp_path_factory.mktemp("posts") / "world", posts=96, places=3, poses=3, size=64, seed=2)


@pytest.fixture(scope="module")
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train(world, "posts", out, overrides=SMALL, console=QUIET)
    return out


def test_a_trained_model_judges_posts(world: Path, trained: Path) -> None:
    model = load_model(trained / "model")
    assert isinstance(model, ArrangementModel)
    assert [tower.sees for tower in model.place] == ["photograph", "photograph"]
    assert len(model.pose) == 3
    assert model.labels[:3] == tuple(sorted(folder.name for folder in world.iterdir() if folder.is_dir()))
    posts = sorted(world.glob("*/[a-z]*/*.jpg"))[::4]
    vectors = model.embed_images(posts)
    assert vectors.shape == (len(posts), model.dim)
    pose = np.array([post.parent.name for post in posts])
    a, b = np.triu_indices(len(posts), 1)
    said = model.space.compare(vectors[a], vectors[b]).parts["pose"].probability
    assert said[pose[a] == pose[b]].mean() > said[pose[a] != pose[b]].mean() + 0.2


def test_the_run_says_what_it_did(trained: Path) -> None:
    from doppelgram.training.run import open_run

    run = open_run(trained)
    assert run.finished
    assert 0 <= run.facts["best"]["val_pair_accuracy"] <= 1
    assert run.facts["best"]["val_pairs"] > 10
    assert sum(run.facts["images"].values()) == 96 + 3 * 6


def test_the_seed_decides_and_an_interrupted_run_goes_on(
    world: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = _Fitting._keypoints

    def interrupted(self: _Fitting, *arguments: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "run"
    monkeypatch.setattr(_Fitting, "_keypoints", interrupted)
    with pytest.raises(Interrupted, match="--resume"):
        train(world, "posts", out, overrides=SMALL, console=QUIET)
    kept = {file.name: file.stat().st_mtime_ns for file in (out / "checkpoints").iterdir()}
    assert sorted(kept) == ["person.safetensors", "place.safetensors"]
    monkeypatch.setattr(_Fitting, "_keypoints", real)
    run = train(world, "posts", out, overrides=SMALL, resume=True, console=QUIET)
    assert all((out / "checkpoints" / name).stat().st_mtime_ns == time for name, time in kept.items())
    assert run.facts["fingerprint"] == load_model(trained / "model").fingerprint


def test_what_cannot_be_trained_is_refused_before_a_folder_is_made(world: Path, tmp_path: Path) -> None:
    def refused(words: str, data: Path = world, *more: str) -> None:
        with pytest.raises(DoppelgramError, match=words):
            train(data, "posts", tmp_path / "run", overrides=(*SMALL, *more), console=QUIET)
        assert not (tmp_path / "run").exists()

    refused("movenet_lightning", world, 'arrangement.estimator="movenet"')
    one_place = tmp_path / "one"
    (first,) = sorted(folder for folder in world.iterdir() if folder.is_dir())[:1]
    shutil.copytree(first, one_place / first.name)
    shutil.copy(world / "keypoints.json", one_place)
    refused("the training part has 1 place in all", one_place)
    refused("no column 'place'", first)


def test_with_a_segmenter_the_place_is_seen_with_and_without_people() -> None:
    settings = [*SMALL, 'arrangement.segmenter="deeplab"']
    towers = Towers(read_recipe("posts", settings), None, 3, 4, 0)
    assert [tower.sees for tower in towers.place] == ["place", "photograph", "place"]
    assert [tower.weight for tower in towers.tuned] == [0.5, 0.5]
    assert [tower.dim for tower in towers.tuned] == [3, 3]
    alone = Towers(read_recipe("posts", [*settings, "arrangement.uncovered=false"]), None, 3, 4, 0)
    assert [(tower.sees, tower.weight) for tower in alone.tuned] == [("place", 1.0)]

    rng = np.random.default_rng(0)
    covered, bare = (rng.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8) for _ in range(2))
    rows, nobody = np.array([1, 3]), np.zeros(5, dtype=np.int64)
    poses = [np.zeros((0, 32, 32, 3), np.uint8), *2 * [np.zeros((0, 18, 3), np.float32)]]
    nothing = Collection(Path(), pd.DataFrame({"path": []}))
    inputs = TowerInputs(nothing, [covered, bare], poses, nobody[:0], nobody, LoadReport())
    found = tower_vectors(towers, inputs, rows)
    for vectors, tower, shown in zip(found.place, towers.place, (covered, bare, covered), strict=True):
        assert np.allclose(vectors, tower.embed(shown[rows]), atol=1e-5)


def test_recipe_keys_are_checked() -> None:
    with pytest.raises(DoppelgramError, match=r"arrangement\.people is 3; the most is 2"):
        read_recipe("posts", ["arrangement.people=3"])
    with pytest.raises(DoppelgramError, match=r"arrangement\.estimator is 'openpose'"):
        read_recipe("posts", ['arrangement.estimator="openpose"'])
