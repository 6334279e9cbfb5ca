from __future__ import annotations

from pathlib import Path

import pytest

from doppelgram.api import demo as signs
from doppelgram.api import demo_pictures as pictures
from doppelgram.api import demo_posts as posts
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.training.recipes.files import read_recipe


def test_what_the_demo_changes_are_keys_of_the_recipes() -> None:
    assert read_recipe("signs", signs.CHANGES).sampler.batch == 64
    recipe = read_recipe("posts", posts.CHANGES)
    assert recipe.arrangement.estimator == "keypoints"
    # the demo needs no file that does not come with it
    assert not any(tower.pretrained for tower in recipe.towers if tower.task != "keypoints")
    assert not recipe.arrangement.segmenter


def test_the_demo_replaces_nothing_that_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(DoppelgramError, match="holds something that is not an earlier demo"):
        signs.demo(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "x"


@pytest.mark.slow
def test_pictures_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CLASSES", 2)
    monkeypatch.setattr(pictures, "PER_CLASS", 4)
    for name, value in {"LEARNT": 6, "TRACED": 5, "PLACES": 2, "POSES": 2}.items():
        monkeypatch.setattr(posts, name, value)
    found = signs.demo(tmp_path / "world", only_pictures=True, progress=SilentProgress())
    assert sorted(found) == ["images", "posts", "posts_recipe", "posts_to_learn_from"]
    assert len(list(found["images"].rglob("*.png"))) == 8
    assert len(list(found["posts"].rglob("*.jpg"))) == 5 + 2 * 6
    assert read_recipe(found["posts_recipe"]) == read_recipe("posts", posts.CHANGES)
    # What was drawn is the demo's own, and may be drawn again.
    assert signs.demo(tmp_path / "world", only_pictures=True, progress=SilentProgress()) == found
