from __future__ import annotations

from pathlib import Path

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.training.recipes.files import read_recipe, recipe_names, write_recipe
from doppelgram.training.recipes.schema import ArrangementRecipe, MetricRecipe, make_recipe


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_are_whole_and_survive_writing(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.about
    write_recipe(recipe, tmp_path / "r.toml")
    assert read_recipe(tmp_path / "r.toml") == recipe


def test_the_promised_recipes_ship() -> None:
    assert {"signs", "faces", "siamese", "triplet", "posts"} <= set(recipe_names())


def test_overrides() -> None:
    recipe = read_recipe(
        "signs",
        [
            "optimiser.epochs=3",
            "dim=32",
            "label=place+pose",
            "loss.name=triplet",  # which draws groups of a class: sampler.min_per_class has no effect and goes
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
        ("epochs=0", "optimiser.epochs is 0; the minimum is 1"),
        ("dim=4096", "model.dim is 4096; the maximum is 2048"),
        ("dim=true", "whole number"),
        ("train=some", "it is one of full, last, head"),
        ("model.train=some", "it is one of full, last, head"),
        ("augment.hue=2", "hue"),
        ("val=0.9", "leave nothing to train on"),
        ("name=x", "unknown key 'name'"),
        ("towers.place.epochs=3", "arrangements"),
        ("momentum=0.5", r"optimiser\.momentum has no effect here.*did you mean"),
        ("augment.copies=3", r"augment\.copies has no effect here"),
        ("min_delta=0.1", r"stopping\.min_delta has no effect here"),
        ("task=pears", "recipe file"),
        ("loss.memory=50", r"did you mean 'loss\.cross_batch'"),
        ("least=50", r"did you mean 'sampler\.min_per_class'"),
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
        ('task = "pears"\n', "task is 'pears'; it is one of metric, pairs, arrangements"),
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
    assert make_recipe({}) == MetricRecipe()


def test_a_key_that_a_change_leaves_without_effect_goes_and_one_that_is_given_is_refused(tmp_path: Path) -> None:
    groups = tmp_path / "groups.toml"
    groups.write_text('task = "metric"\n[sampler]\nper_class = 8\n')
    assert read_recipe(groups).sampler.per_class == 8
    assert read_recipe(groups, ["loss=cosface"]).sampler.per_class == MetricRecipe().sampler.per_class
    assert read_recipe("signs", ["optimiser.name=sgd", "momentum=0.5"]).optimiser.momentum == 0.5
    head = read_recipe("triplet", ["train=head"])
    assert "brightness" not in head.to_dict()["augment"], "of a frozen backbone plain features are kept"
    write_recipe(head, tmp_path / "r.toml")
    assert read_recipe(tmp_path / "r.toml") == head
    file = tmp_path / "mine.toml"
    file.write_text('task = "metric"\n[model]\ntrain = "head"\nfrozen_layers = 3\n')
    with pytest.raises(DoppelgramError, match=r"mine\.toml: model\.frozen_layers has no effect.*train=head"):
        read_recipe(file)


def test_towers_are_changed_by_name_all_together_and_left_out() -> None:
    recipe = read_recipe(
        "posts", ["towers.place.epochs=5", "towers.*.backbone=small", "towers.person=off", "scale=0.1"]
    )
    assert isinstance(recipe, ArrangementRecipe)
    towers = {tower.name: tower for tower in recipe.towers}
    assert set(towers) == {"place", "scene", "keypoints", "embedding", "generic"}
    assert (towers["place"].optimiser.epochs, towers["scene"].optimiser.epochs) == (5, 18)
    assert {tower.backbone for tower in recipe.towers if tower.task != "keypoints"} == {"small"}
    assert towers["scene"].augment.scale == 0.1
    assert towers["scene"].sees == "photograph"
    assert {tower.optimiser.epochs for tower in read_recipe("posts", ["epochs=2"]).towers[:5]} == {2}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("loss.name=triplet", r"loss\.name.*metric"),
        ("optimiser.epochs=3", r"did you mean 'towers\.\w+\.optimiser\.epochs'"),
        ("towers.place.epoch=3", r"did you mean 'towers\.place\.optimiser\.epochs'"),
        ("towers.places.epochs=3", r"did you mean 'towers\.place\.optimiser\.epochs'"),
        ("towers.place.size=4", r"towers\.place\.size is 4; the minimum is 8"),
        ("towers.place.weight=heavy", r"towers\.place\.weight is 'heavy'"),
        ("towers.keypoints.loss_margin=0.1", r"towers\.keypoints\.loss_margin has no effect here"),
        ("towers.keypoints.size=64", r"unknown key 'towers\.keypoints\.size'"),
        ("towers.place.augment.hue=2", "hue"),
        ("arrangement.people=3", r"arrangement\.people is 3; the maximum is 2"),
        ("arrangement.estimator=openpose", r"arrangement\.estimator is 'openpose'"),
        ("towers.place.task=metric", r"towers\.place\.task is metric; it is one of classes, keypoints, untrained"),
    ],
)
def test_bad_overrides_of_towers_name_tower_and_key(override: str, words: str) -> None:
    with pytest.raises(DoppelgramError, match=words):
        read_recipe("posts", [override])


def test_a_recipe_needs_a_tower_of_the_place_and_one_of_the_pose() -> None:
    off = [f"towers.{name}=off" for name in ("person", "keypoints", "embedding")]
    with pytest.raises(DoppelgramError, match="no tower of the pose"):
        read_recipe("posts", off)


def test_recipes_of_the_version_before_are_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    file.write_text(
        'name = "mine"\n[model]\nviews = 3\n[loss]\nname = "contrastive"\nmemory = 50\nparams = {}\n'
        '[sampler]\nleast = 0\n[optimiser]\nname = "adamw"\nmomentum = 0.9\nschedule = "onecycle"\n'
        '[augment]\nviews = 1\n[stopping]\nmin_delta = 0.0\n[arrangement]\nestimator = ""\npeople = 1\n'
    )
    recipe = read_recipe(file)
    assert (recipe.model.test_time_copies, recipe.loss.cross_batch) == (3, 50)
    assert recipe.optimiser.schedule == "cosine"
    file.write_text("[optimiser]\nmomentum = 0.5\n")
    with pytest.raises(DoppelgramError, match="momentum has no effect"):
        read_recipe(file)
    file.write_text('[arrangement]\nestimator = "movenet"\n')
    with pytest.raises(DoppelgramError, match="start from the shipped recipe 'posts'"):
        read_recipe(file)
    file.write_text('[loss]\nname = "pairs"\n')
    with pytest.raises(DoppelgramError, match='task = "pairs"'):
        read_recipe(file)


def test_a_tower_may_be_like_an_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text('task = "arrangements"\n[[towers]]\nname = "a"\nlike = "b"\n')
    with pytest.raises(DoppelgramError, match=r"towers\.a\.like is 'b'"):
        read_recipe(file)
    file.write_text('task = "arrangements"\n[[towers]]\nname = "a"\nsize = 64\n')
    with pytest.raises(DoppelgramError, match=r"towers\.a\.task is missing; it is one of classes"):
        read_recipe(file)


@pytest.mark.parametrize(
    ("recipe", "change", "words"),
    [
        ("posts", "loss.name=triplet", ("loss.name", "metric", "arrangements")),
        ("signs", "towers.place.epochs=3", ("towers.place.epochs", "arrangements", "metric")),
        ("signs", "arrangement.people=2", ("arrangement.people", "arrangements")),
        ("signs", "task=pairs", ("task", "recipe file")),
        ("posts", "task=metric", ("task", "recipe file")),
    ],
)
def test_a_key_of_another_task_is_said_to_be_one(recipe: str, change: str, words: tuple[str, ...]) -> None:
    with pytest.raises(DoppelgramError) as problem:
        read_recipe(recipe, [change])
    assert all(word in str(problem.value) for word in words)
    assert "did you mean" not in str(problem.value)
