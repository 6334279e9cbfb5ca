"""Recipe `posts` on the rendered world: trained, kept, resumed, refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from doppelgram.api.train import train
from doppelgram.console import SilentProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.splits import Split
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.images.report import LoadReport
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.bundle import load_model
from doppelgram.samples.posts import render_posts
from doppelgram.training.arrangement.calibration import of_kind, tower_vectors
from doppelgram.training.arrangement.fit import TrainingPosts
from doppelgram.training.arrangement.inputs import TowerInputs
from doppelgram.training.arrangement.towers import TowerViews, make_towers
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.watch import Watch

QUIET = SilentProgress()
SMALL = (
    "arrangement.estimator=keypoints",
    "arrangement.segmenter=",
    "arrangement.people=2",
    "towers.*.backbone=small",
    "frozen_layers=0",
    "size=32",
    "epochs=6",
    "backbone_lr=0.3",
    "copies=2",
    "towers.keypoints.epochs=15",
    "towers.embedding.epochs=15",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_posts(tmp_path_factory.mktemp("posts") / "world", posts=96, places=3, poses=3, size=64, seed=2)


@pytest.fixture(scope="module")
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train(world, "posts", out, overrides=SMALL, progress=QUIET)
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


def test_every_tower_has_log_and_checkpoints(trained: Path) -> None:
    for tower in ("place", "person", "keypoints", "embedding"):
        assert {file.name for file in (trained / "checkpoints" / tower).iterdir()} == {"best.ckpt", "last.ckpt"}
        lines = (trained / "log" / tower / "metrics.csv").read_text().splitlines()
        assert len(lines) == 1 + (6 if tower in ("place", "person") else 15)
        assert "train_loss" in lines[0]
        assert "val_accuracy" in lines[0]
    assert not (trained / "checkpoints" / "scene").exists(), "which without a segmenter sees what the place tower sees"


def test_the_seed_decides_and_a_run_continues_in_the_middle_of_a_tower(
    world: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = Watch.on_train_epoch_end, [9]

    def interrupted(self: Watch, *arguments: object) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        real(self, *arguments)

    out = tmp_path / "run"
    monkeypatch.setattr(Watch, "on_train_epoch_end", interrupted)
    with pytest.raises(Interrupted, match=r"tower person after 2 of 6 epochs.*--resume"):
        train(world, "posts", out, overrides=SMALL, progress=QUIET)
    kept = out / "checkpoints/place/last.ckpt"
    written = kept.stat().st_mtime_ns
    monkeypatch.setattr(Watch, "on_train_epoch_end", real)
    run = train(world, "posts", out, overrides=SMALL, resume=True, progress=QUIET)
    assert kept.stat().st_mtime_ns == written
    assert run.facts["fingerprint"] == load_model(trained / "model").fingerprint


def test_what_cannot_be_trained_is_refused_before_a_folder_is_made(world: Path, tmp_path: Path) -> None:
    def refused(words: str, data: Path = world, *more: str) -> None:
        with pytest.raises(DoppelgramError, match=words):
            train(data, "posts", tmp_path / "run", overrides=(*SMALL, *more), progress=QUIET)
        assert not (tmp_path / "run").exists()

    refused("movenet_lightning", world, "arrangement.estimator=movenet")
    one_place = tmp_path / "one"
    (first,) = sorted(folder for folder in world.iterdir() if folder.is_dir())[:1]
    shutil.copytree(first, one_place / first.name)
    shutil.copy(world / "keypoints.json", one_place)
    refused("the training part has 1 place in all", one_place)
    refused("no column 'place'", first)


def test_with_a_segmenter_the_place_is_seen_with_and_without_people() -> None:
    settings = [*SMALL, "arrangement.segmenter=deeplab"]
    counts = {"place": 3, "pose": 4}
    towers = make_towers(read_recipe("posts", settings), None, counts, 0)
    place = [each.tower for each in of_kind(towers, "place")]
    assert [tower.sees for tower in place] == ["place", "photograph", "place"]
    assert [tower.weight for tower in place[:2]] == [0.5, 0.5]
    assert [tower.dim for tower in place[:2]] == [3, 3]
    bare = make_towers(read_recipe("posts", [*settings, "arrangement.segmenter="]), None, counts, 0)
    merged = [(each.name, each.tower.sees, each.tower.weight) for each in of_kind(bare, "place")]
    assert merged == [("place", "photograph", 1.0), ("generic", "photograph", 1.0)]

    rng = np.random.default_rng(0)
    covered, whole = (rng.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8) for _ in range(2))
    rows, nobody = np.array([1, 3]), np.zeros(5, dtype=np.int64)
    poses = [np.zeros((0, 32, 32, 3), np.uint8), np.zeros((0, 18, 3), np.float32)]
    table = pd.DataFrame({"path": [f"{n}.jpg" for n in range(5)], "place": "a", "pose": ""})
    inputs = TowerInputs(Collection(Path(), table), [covered, whole], poses, nobody[:0], nobody, LoadReport())
    parts = Split({f"{n}.jpg": "train" for n in range(5)})
    names = {"place": np.array(["a"]), "pose": np.array(["b"])}
    posts = TrainingPosts(inputs, TowerViews(towers), parts, names)
    found = tower_vectors(towers, posts, rows)
    for vectors, tower, shown in zip(found.place, place, (covered, whole, covered), strict=True):
        assert np.allclose(vectors, tower.embed(shown[rows]), atol=1e-5)
