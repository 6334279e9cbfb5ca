from __future__ import annotations

from pathlib import Path

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.training.recipe import Recipe, make_recipe
from doppelgram.training.recipe_file import read_recipe, recipe_names, write_recipe


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_are_whole_and_survive_writing(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.about
    write_recipe(recipe, tmp_path / "r.toml")
    assert read_recipe(tmp_path / "r.toml") == recipe


def test_the_promised_recipes_ship() -> None:
    assert {"signs", "faces", "siamese", "triplet"} <= set(recipe_names())


def test_overrides() -> None:
    recipe = read_recipe(
        "signs",
        [
            "optimiser.epochs=3",
            "dim=32",
            "label=place+pose",
            "loss.name=triplet",
            "loss.params.margin=0.3",
            "normalise=false",
            "lr=1",
        ],
    )
    assert (recipe.optimiser.epochs, recipe.model.dim, recipe.data.label) == (3, 32, "place+pose")
    assert recipe.loss.params == {"margin": 0.3}, "cosface's own parameters must go with it"
    assert recipe.model.normalise is False
    assert recipe.optimiser.lr == 1.0
    assert read_recipe("signs", ["loss=triplet"]).loss.name == "triplet"
    assert read_recipe("signs", ["optimiser.precision=32"]).optimiser.precision == "32"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("optimiser.epoch=3", "did you mean 'optimiser.epochs'"),
        ("optimizer.lr=1", "did you mean 'optimiser.lr'"),
        ("marign=1", "unknown key 'marign'"),
        ("backbon=small", "did you mean 'model.backbone'"),
        ("epochs", "write key=value"),
        ("epochs=many", "optimiser.epochs is 'many'; it has to be a whole number"),
        ("epochs=0", "the least is 1"),
        ("dim=4096", "the most is 2048"),
        ("dim=true", "whole number"),
        ("train=some", "it is one of full, last, head"),
        ("model.train=some", "it is one of full, last, head"),
        ("augment.hue=2", "hue"),
        ("val=0.9", "leave nothing to train on"),
        ("name=x", "unknown key 'name'"),
    ],
)
def test_bad_overrides_name_the_key(override: str, words: str) -> None:
    with pytest.raises(DoppelgramError, match=words):
        read_recipe("signs", [override])


def test_bad_files(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    for text, words in (
        ("[model]\nbackbone = ", "not valid TOML"),
        ("[modle]\ndim = 3\n", "did you mean 'model'"),
        ("model = 3\n", "is a section"),
        ("[model]\ndims = 3\n", "did you mean 'model.dim'"),
    ):
        file.write_text(text)
        with pytest.raises(DoppelgramError, match=words):
            read_recipe(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DoppelgramError, match="not a text file"):
        read_recipe(file)
    with pytest.raises(DoppelgramError, match="no recipe 'cats': give one of faces"):
        read_recipe("cats")


def test_an_empty_recipe_is_the_default() -> None:
    assert make_recipe({}) == Recipe()
