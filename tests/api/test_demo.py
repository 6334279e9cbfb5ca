from __future__ import annotations

from pathlib import Path

import pytest

from doppelgram.api import demo as signs
from doppelgram.api import demo_posts as posts
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
