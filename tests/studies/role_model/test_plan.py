"""The ladder as a plan: rungs, backbones, published figures."""

from __future__ import annotations

import pytest

from doppelgram import DoppelgramError
from doppelgram.studies.role_model.plan import ladder, published_figure
from helpers.small_ladder import RUNGS


def test_the_plan() -> None:
    rungs = ladder(["small"])
    assert [rung.key for rung in rungs] == [*RUNGS, "arrangements", "ours"]
    assert [rung.published for rung in rungs] == [None, None, 0.58, 0.65, 0.65, 0.68, 0.76, 0.76, None, None]
    assert [bool(rung.mask) for rung in rungs] == [False] * 5 + [True] * 3 + [False] * 2
    first = {rung.key: rung.first for rung in rungs if rung.first}
    assert list(first) == ["full_tuned", "full_pose_tuned"]
    for key, stage in first.items():
        assert stage is not None
        assert (stage.model.train, stage.data.size) == ("head", 128)
        assert bool(stage.pairs.mask) == ("pose" in key)
    for rung in rungs[2:8]:
        assert rung.recipe is not None
        assert rung.recipe.model.train == ("full" if "full" in rung.key else "head")
        assert rung.recipe.pairs.batch == (16 if "full" in rung.key else 24)
        assert rung.recipe.model.dropout > 0
        assert rung.recipe.augment.flip
    assert published_figure(0.58).n == 82
    epochs = [rung.recipe.optimiser.epochs for rung in ladder(["small"], overrides=["epochs=7"]) if rung.recipe]
    assert epochs == [7] * len(RUNGS)


def test_each_network_stands_once_for_each_backbone() -> None:
    rungs = ladder(["mobilenet_v2_imagenet", "somewhere/resnet-50"], ours=False)
    assert [rung.key for rung in rungs] == [key + end for key in RUNGS for end in ("", "-resnet-50")]
    by_key = {rung.key: rung for rung in rungs}
    assert by_key["last"].title == "Siamese, last layer + FC, MobileNetV2"
    assert by_key["last-resnet-50"].title == "Siamese, last layer + FC, resnet-50"
    for rung in rungs:
        assert rung.recipe is not None
        own = "somewhere/resnet-50" if "-" in rung.key else "mobilenet_v2_imagenet"
        assert rung.recipe.model.backbone == own
        assert rung.first is None or rung.first.model.backbone == own
    with pytest.raises(DoppelgramError, match="two backbones have one name"):
        ladder(["a/resnet-50", "b/resnet-50"])
