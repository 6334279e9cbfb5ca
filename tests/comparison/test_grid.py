"""The grid as a person writes it: names, parameters in brackets, and combinations that are refused beforehand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.comparison.grid import Choice, make_cells, parse_choices, parse_dims, read_base
from doppelgram.errors import DoppelgramError
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.schema import make_recipe


def test_friendly_spellings() -> None:
    assert [c.name for c in parse_choices("semi-hard, batch_hard,Semihard,none", "miner")] == [
        "semihard",
        "batchhard",
        "none",
    ]
    assert [c.name for c in parse_choices("Triplet,proxy-anchor,ContrastiveLoss,contrastive", "loss")] == [
        "triplet",
        "proxy_anchor",
        "ContrastiveLoss",
        "contrastive",
    ]


def test_parameters_in_brackets() -> None:
    found = parse_choices("triplet(margin=0.1, soft=true),contrastive(reduction=all),triplet(margin=1e-1)", "loss")
    assert [c.params for c in found] == [{"margin": 0.1, "soft": True}, {"reduction": "all"}, {"margin": 0.1}]
    assert found[0].label == "triplet(margin=0.1, soft=true)"
    assert parse_choices("triplet(),triplet", "loss") == [Choice("triplet")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("triplet(margin=0.1", "cannot be read from"),
        ("triplet(margin)", "is no parameter"),
        ("triplet(margin=__import__('os'))", "cannot be read from"),
        ("triplet(margin=a b)", "is no parameter"),
        ("triplett", "the nearest is 'triplet'"),
        ("triplet,,contrastive", "cannot be read from"),
    ],
)
def test_what_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(DoppelgramError, match=words.replace("(", r"\(")):
        parse_choices(text, "loss")


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="triplet(),=margin0.1 '\"-_\n", max_size=40))
def test_no_text_does_anything_but_parse_or_refuse(text: str) -> None:
    try:
        found = parse_choices(text, "loss")
    except DoppelgramError:
        return
    assert found


def test_recipes_of_places_and_poses_are_refused() -> None:
    posts = read_recipe("posts", [])
    for recipe in ("posts", posts):
        with pytest.raises(DoppelgramError, match=r"'posts' is of task 'arrangements'.*`doppelgram train`"):
            read_base(recipe, [])
    with pytest.raises(DoppelgramError, match="is a key of task arrangements"):
        read_base("triplet", ["arrangement.estimator=movenet"])


def test_dims() -> None:
    assert parse_dims("2, 16,2") == [2, 16]
    for text in ("", "a", "1", "2,4096", "2.5"):
        with pytest.raises(DoppelgramError, match="--dims"):
            parse_dims(text)


def grid(losses: str, miners: str = "none,semihard", dims: str = "2,8", seeds: int = 2, base: object = None) -> object:
    recipe = base or make_recipe({"loss": {"name": "triplet", "params": {"margin": 0.3}}})
    return make_cells(recipe, parse_choices(losses, "loss"), parse_choices(miners, "miner"), parse_dims(dims), seeds)  # type: ignore[arg-type]


def test_the_grid_is_every_combination_seed_by_seed() -> None:
    cells, remarks = grid("triplet,contrastive")  # type: ignore[misc]
    assert len(cells) == 2 * 2 * 2 * 2
    assert len({cell.folder for cell in cells}) == len(cells)
    assert [cell.seed for cell in cells[:8]] == [0] * 8
    assert cells[0].folder == "triplet-none-2-s0"
    assert not remarks
    params = {cell.setting.loss: cell.recipe.loss.params for cell in cells}
    assert params == {"triplet": {"margin": 0.3}, "contrastive": {}}, "the base recipe's margin is its own loss's"
    assert {cell.recipe.model.dim for cell in cells} == {2, 8}


def test_losses_that_use_no_miner_are_trained_once_and_it_is_said() -> None:
    cells, remarks = grid("cosface,smooth_ap,triplet", dims="8", seeds=1)  # type: ignore[misc]
    alone = [cell for cell in cells if not cell.mines]
    assert [str(cell.setting) for cell in alone] == ["cosface, none, 8 dims", "smooth_ap, none, 8 dims"]
    assert all(cell.recipe.miner.name == "" for cell in alone)
    assert "cosface and smooth_ap use no miner" in remarks[0]


def test_what_does_not_go_together_is_named() -> None:
    with pytest.raises(DoppelgramError, match="loss 'triplet' has no parameter 'colour'; it knows margin"):
        grid("contrastive,triplet(colour=1)")
    with pytest.raises(DoppelgramError, match=r"triplet with semihard\(colour=1\) .*contrastive with .*of --losses"):
        grid("triplet,contrastive", miners="none,semihard(colour=1)")
    with pytest.raises(DoppelgramError, match="with semihard"):
        grid("triplet", miners="none,semihard(margin=-1)")
    with pytest.raises(DoppelgramError, match="--seeds is 0"):
        grid("triplet", seeds=0)


def test_overrides_of_what_the_grid_varies_are_refused() -> None:
    for override, option in (
        ("model.dim=3", "--dims"),
        ("dim=3", "--dims"),
        ("loss=contrastive", "--losses"),
        ("miner.name=none", "--miners"),
    ):
        with pytest.raises(DoppelgramError, match=option):
            read_base("triplet", [override])
    base, for_all = read_base("triplet", ["loss.params.margin=0.4", "epochs=3"])
    assert for_all == {"loss"}
    cells, _ = make_cells(base, parse_choices("triplet,triplet_margin", "loss"), [Choice("none")], [4], 1, for_all)
    assert [cell.recipe.loss.params for cell in cells] == [{"margin": 0.4}] * 2
    base, _ = read_base("triplet", ["loss.cross_batch=64"])
    cells, _ = make_cells(base, parse_choices("triplet,contrastive", "loss"), [Choice("none")], [4], 1)
    assert [cell.recipe.loss.cross_batch for cell in cells] == [64, 64], "what is no parameter of the loss stays"
