"""The comparison's table, its two-level bootstrap, and the marginal effects, against loops and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doppelgram.comparison.effects import effects
from doppelgram.comparison.result import Comparison, RunResult, Setting
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import wilson
from helpers.made_up_runs import made_up


def scattered(setting: Setting, seed: int, right: np.ndarray) -> RunResult:
    return RunResult(setting, seed, right, right, right.astype(float), [])


def test_values_are_means_over_runs_of_means_over_queries() -> None:
    runs = [made_up(seed=seed, right=right) for seed, right in enumerate((0.2, 0.4, 0.9))]
    row = Comparison(runs).table.iloc[0]
    assert row["p1"] == pytest.approx(0.5)
    assert row["runs"] == 3
    assert row["p1_low"] < 0.5 < row["p1_high"]
    assert row["ncm"] == row["map_at_r"] == pytest.approx(0.5)


def test_one_seed_gives_the_interval_of_a_proportion() -> None:
    row = Comparison([made_up(right=0.3, queries=1000)]).table.iloc[0]
    low, high = wilson(300, 1000)
    assert row["p1_low"] == pytest.approx(low, abs=0.006)
    assert row["p1_high"] == pytest.approx(high, abs=0.006)


def test_seeds_that_differ_widen_the_interval_by_their_variance() -> None:
    shares = (0.3, 0.5, 0.7)
    runs = [made_up(seed=seed, right=right, queries=4000) for seed, right in enumerate(shares)]
    replicates = Comparison(runs).replicates["p1"][:, 0]
    # The standard error of the mean over seeds, as textbooks have it, with S - 1; queries add next to nothing here.
    assert replicates.std() == pytest.approx(np.std(shares, ddof=1) / np.sqrt(3), rel=0.06)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held, trials = 0, 120
    for trial in range(trials):
        ease = rng.normal(0, 1, 200)  # queries are easy or hard for every seed alike
        runs = [
            scattered(Setting("a", "none", 2), seed, ease + rng.normal(0, 0.3) + rng.normal(0, 1, 200) > 0)
            for seed in range(8)
        ]
        interval = Comparison(runs, seed=trial, replicates=400).interval(np.array([1.0]))
        held += interval.low <= 0.5 <= interval.high
    assert 0.88 <= held / trials <= 1.0


def test_differences_are_paired_by_query() -> None:
    easy = np.random.default_rng(1).random(500) < 0.5
    harder = easy.copy()
    harder[np.flatnonzero(easy)[:15]] = False
    a, b = Setting("a", "none", 2), Setting("b", "none", 2)
    comparison = Comparison([scattered(a, 0, easy), scattered(b, 0, harder)])
    difference = comparison.difference(a, b)
    assert difference.value == pytest.approx(0.03)
    assert difference.decided, "each on its own is uncertain by 4 points, but they fail on the same queries"
    assert comparison.table["p1_high"][1] > comparison.table["p1_low"][0]
    assert not comparison.difference(a, a).decided


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_settings_may_come_in_any_order(seed: int) -> None:
    runs = [
        made_up(miner=miner, seed=s, right=0.4 + 0.1 * s + 0.05 * (miner == "all"), queries=40)
        for miner in ("none", "all")
        for s in range(3)
    ]
    order = np.random.default_rng(seed).permutation(len(runs))
    one, other = (Comparison(chosen, replicates=50) for chosen in (runs, [runs[i] for i in order]))
    a, b = Setting("triplet", "all", 16), Setting("triplet", "none", 16)
    assert one.difference(a, b).value == pytest.approx(other.difference(a, b).value)
    assert one.best == other.best == a


def test_epochs_and_seconds_to_95_per_cent_of_its_own_best() -> None:
    runs = [
        made_up(seed=0, accuracy=(0.5, 0.96, 1.0), seconds=2.0),
        made_up(seed=1, accuracy=(0.99, 1.0, 0.2), seconds=3.0),
    ]
    row = Comparison(runs).table.iloc[0]
    assert row["epochs_to_95"] == 1.5
    assert row["seconds_to_95"] == pytest.approx((4 + 3) / 2)
    assert row["seconds"] == pytest.approx((6 + 9) / 2)
    assert np.isnan(Comparison([made_up(accuracy=())]).table["epochs_to_95"][0])


def test_effects_average_over_what_two_levels_share() -> None:
    shares = {("a", "none", 2): 0.5, ("a", "none", 8): 0.6, ("b", "none", 2): 0.3, ("b", "hard", 2): 0.9}
    runs = [made_up(*key, right=right) for key, right in shares.items()]
    (loss,) = effects(Comparison(runs), "loss")
    assert (loss.higher, loss.lower, loss.settings) == ("a", "b", 1)
    assert loss.difference.value == pytest.approx(0.2)
    (miner,) = effects(Comparison(runs), "miner")
    assert (miner.higher, miner.lower) == ("hard", "none")
    assert miner.difference.value == pytest.approx(0.6)


def test_a_loss_without_miners_stands_for_each_of_them() -> None:
    runs = [
        made_up("triplet", "none", right=0.2),
        made_up("triplet", "semihard", right=0.6),
        made_up("cosface", "none", right=0.5, mines=False),
    ]
    comparison = Comparison(runs)
    (loss,) = effects(comparison, "loss")
    assert (loss.higher, loss.settings) == ("cosface", 2)
    assert loss.difference.value == pytest.approx(0.5 - 0.4)
    (miner,) = effects(comparison, "miner")
    assert miner.difference.value == pytest.approx(0.4), "cosface says nothing of miners"
    both = effects(Comparison([*runs, made_up("arcface", "none", right=0.1, mines=False)]), "loss")
    counts = {frozenset((effect.higher, effect.lower)): effect.settings for effect in both}
    assert counts[frozenset(("cosface", "arcface"))] == 1, "the same pair under each miner is one pair"
    assert counts[frozenset(("triplet", "arcface"))] == 2


def test_what_cannot_be_compared_is_refused() -> None:
    for runs, words in (
        ([], "no finished run"),
        ([made_up(queries=10), made_up(seed=1, queries=11)], "different queries"),
        ([made_up(), made_up()], "same seed"),
    ):
        with pytest.raises(DoppelgramError, match=words):
            Comparison(runs)
