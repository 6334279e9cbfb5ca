"""Starting a training from what is in memory, and what a run is good for afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from doppelgram.api.evaluate import evaluate
from doppelgram.api.train import train
from doppelgram.console import SilentProgress
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.samples.signs import render_signs
from doppelgram.training.recipes.schema import make_recipe
from doppelgram.training.run import open_run

QUIET = SilentProgress()
FAST = ("epochs=1", "data.size=24", "sampler.batch=16")


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signs") / "signs"
    render_signs(folder, classes=4, per_class=10, size=24, seed=0)
    return folder


def test_a_collection_trains_as_its_folder_does_and_a_run_stands_for_its_path(signs: Path, tmp_path: Path) -> None:
    collection = read_collection(signs)
    some = replace(collection.take(range(0, len(collection), 2)), notes=())
    run = train(some, "triplet", tmp_path / "run", overrides=FAST, progress=QUIET)
    assert run.data == tmp_path / "run/collection.csv"
    assert len(run.collection()) == len(some)
    assert set(run.split().parts) == set(run.collection().names)
    assert open_run(run).facts == run.facts
    found = evaluate(run, progress=QUIET)
    assert found is not None
    again = train(some, "triplet", tmp_path / "run", overrides=FAST, resume=True, progress=QUIET)
    assert again.facts["fingerprint"] == run.facts["fingerprint"]


def test_a_pair_network_is_trained_by_the_study_alone(signs: Path, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match=r"task 'pairs', which only `doppelgram reproduce rolemodel` trains"):
        train(signs, make_recipe({"task": "pairs"}), tmp_path / "run", progress=QUIET)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_resumed_with_another_recipe(signs: Path, tmp_path: Path) -> None:
    train(signs, "triplet", tmp_path / "run", overrides=FAST, progress=QUIET)
    with pytest.raises(DoppelgramError, match=r"another recipe \(optimiser\.lr\)"):
        train(signs, "triplet", tmp_path / "run", overrides=[*FAST, "lr=0.5"], resume=True, progress=QUIET)


def test_a_run_of_the_version_before_is_opened(signs: Path, tmp_path: Path) -> None:
    run = train(signs, "triplet", tmp_path / "run", overrides=FAST, progress=QUIET)
    old = (run.folder / "recipe.toml").read_text(encoding="utf-8").replace('task = "metric"\n', "")
    old = old.replace("cross_batch", "memory").replace('schedule = "cosine"', 'schedule = "onecycle"\nmomentum = 0.5')
    (run.folder / "recipe.toml").write_text(old, encoding="utf-8")
    assert open_run(run.folder).recipe.to_dict() == run.recipe.to_dict()
