"""What indexing says: of photographs that show nobody, and on Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doppelgram.api import index as searching
from doppelgram.cli import main
from doppelgram.console import SilentProgress
from doppelgram.errors import Interrupted
from doppelgram.scale.index import index_by
from helpers.posts_world import random_model, render_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_world(tmp_path_factory.mktemp("world") / "posts")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model().save(tmp_path_factory.mktemp("models") / "model")


def test_index_says_how_many_show_nobody(world: Path, model: Path, tmp_path: Path) -> None:
    progress = SilentProgress()
    bare = sorted(world.glob("*/_zz/*.jpg"))
    report = searching.index(world, model, tmp_path / "catalog", progress=progress)
    assert sorted(map(Path, report.without_people or [])) == bare
    assert f"Nobody was found in {len(bare)} of those added, so their poses count as unknown." in report.summary()
    assert len(json.loads(report.to_json())["without_people"]) == len(bare)
    again = searching.index(world, model, tmp_path / "catalog", progress=progress)
    assert again.without_people == []
    assert "Nobody" not in again.summary()


def test_an_interrupted_index_goes_on(
    world: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = len(list(world.glob("*/*/*.jpg")))

    def stopped(means, collection, *arguments, **options):  # type: ignore[no-untyped-def]
        index_by(means, collection.take(range(5)), *arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(searching, "index_by", stopped)
        with pytest.raises(Interrupted, match="the same command goes on from here"):
            searching.index(world, model, tmp_path / "catalog", progress=SilentProgress())
        with pytest.raises(SystemExit) as done:
            main(["index", str(world), "--model", str(model), "--catalog", str(tmp_path / "catalog")])
    assert done.value.code == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    report = searching.index(world, model, tmp_path / "catalog", progress=SilentProgress())
    assert (report.added, report.already_present) == (everything - 5, 5)


def test_ctrl_c_is_never_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("doppelgram.api.evaluate.evaluate", stopped)
    with pytest.raises(SystemExit) as done:
        main(["evaluate", "run"])
    assert done.value.code == 130
    assert capsys.readouterr().err == "error: interrupted\n"
