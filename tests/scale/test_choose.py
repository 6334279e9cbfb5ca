import importlib.util

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.scale import choose
from doppelgram.scale.choose import MANY, chosen_means
from doppelgram.scale.cluster import Cluster
from doppelgram.scale.processes import Processes


def test_few_images_are_embedded_here_and_many_by_all_processors(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(choose, "processors", lambda: 8)
    assert chosen_means(MANY - 1) is None
    assert chosen_means(MANY, workers=1) is None
    means = chosen_means(MANY)
    assert means is not None
    assert isinstance(means.engine, Processes)
    assert (means.engine.workers, means.threads) == (8, 1)
    means = chosen_means(1, workers=3)
    assert means is not None
    assert (means.engine.workers, means.threads) == (3, 2)  # type: ignore[attr-defined]
    monkeypatch.setattr(choose, "processors", lambda: 1)
    assert chosen_means(MANY) is None


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_an_address_means_ray():
    means = chosen_means(1, address="auto", workers=5, weights="w")
    assert means is not None
    assert isinstance(means.engine, Cluster)
    assert (means.engine.workers, means.engine.address, means.threads) == (5, "auto", 1)
    assert str(means.weights).endswith("/w")


def test_what_does_not_go_together_is_refused():
    for settings, complaint in (
        ({"engine": "spark"}, "local or ray"),
        ({"engine": "local", "address": "auto"}, "--address goes with --engine ray"),
        ({"workers": -1}, "1 or more"),
    ):
        with pytest.raises(DoppelgramError, match=complaint):
            chosen_means(5, **settings)  # type: ignore[arg-type]
