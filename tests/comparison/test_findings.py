"""What the reading says of made-up runs whose answers are known."""

from __future__ import annotations

import pytest

from doppelgram.comparison.findings import read_comparison
from doppelgram.comparison.result import Comparison, RunResult
from doppelgram.console import SilentProgress
from helpers.made_up_runs import made_up


def reading(runs: list[RunResult], topic: str) -> str:
    return " ".join(finding.text for finding in read_comparison(Comparison(runs)) if finding.topic == topic)


def seeds(right: float, miner: str = "none", dim: int = 16, loss: str = "triplet", **more: object) -> list[RunResult]:
    return [made_up(loss, miner, dim, seed, right=right, noise=4, **more) for seed in range(3)]  # type: ignore[arg-type]


def test_a_clear_winner_and_a_draw() -> None:
    clear = reading(seeds(0.9, "semihard") + seeds(0.5), "Best")
    assert clear.startswith("triplet, semihard, 16 dims reaches the highest P@1")
    assert "of 400 queries" in clear
    assert "ahead of every other setting; of the next, triplet, none, 16 dims, by" in clear
    draw = reading(seeds(0.505, "semihard") + seeds(0.5), "Best")
    assert "No other setting can be told from it" in draw
    mixed = reading(seeds(0.9, "semihard") + seeds(0.899) + seeds(0.2, "batchhard"), "Best")
    assert "1 other setting cannot be told from it: triplet, none, 16 dims." in mixed
    assert "The rest are behind" in mixed


@pytest.mark.parametrize(("factor", "topic"), [("loss", "Losses"), ("miner", "Miners")])
def test_levels_that_differ_and_levels_that_do_not(factor: str, topic: str) -> None:
    def two(first: float, second: float) -> str:
        return reading(seeds(first, **{factor: "x"}) + seeds(second, **{factor: "y"}), topic)  # type: ignore[arg-type]

    assert "y is better than x by 29.7 points" in two(0.5, 0.8)
    assert "points (" in two(0.5, 0.8)
    assert "cannot be told apart" in two(0.5, 0.502)
    assert "better" not in two(0.5, 0.502)
    assert reading(seeds(0.5), topic) == ""


@pytest.mark.parametrize(("factor", "topic"), [("loss", "Losses"), ("miner", "Miners")])
def test_many_levels_are_read_beside_the_best(factor: str, topic: str) -> None:
    figures = {"v": 0.2, "w": 0.4, "x": 0.799, "y": 0.8, "z": 0.6}
    runs = [run for name, right in figures.items() for run in seeds(right, **{factor: name})]  # type: ignore[arg-type]
    text = reading(runs, topic)
    best, level = ("x", "y") if text.startswith("x") else ("y", "x")
    assert text.startswith(
        f"{best} is ahead of more of the others than any. It cannot be told from {level}. Behind it: z"
    )
    assert text.index("; w by 39") < text.index("; v by 59")
    assert text.count("points") == 3


def test_sizes() -> None:
    level = reading(
        seeds(0.2, dim=2) + seeds(0.8, dim=16) + seeds(0.801, dim=32) + seeds(0.803, dim=64), "Embedding size"
    )
    assert level.startswith("16 dims are not certainly behind: 64, the best size on average, is ahead by")
    assert "2 dims are behind 64 by 59.4 points" in level
    assert "Beyond 16 dims nothing more was gained for certain: 32 and 64." in level
    rising = reading(seeds(0.2, dim=2) + seeds(0.5, dim=16) + seeds(0.9, dim=64), "Embedding size")
    assert "The largest size tried, 64 dims, is ahead of every smaller one" in rising
    assert "not certainly" not in rising
    falling = reading(seeds(0.2, dim=2) + seeds(0.9, dim=16) + seeds(0.5, dim=64), "Embedding size")
    assert "16 dims are best" in falling
    assert "every smaller size is behind" in falling
    assert "64 dims are behind 16" in falling
    least = reading(seeds(0.9, dim=2) + seeds(0.5, dim=16), "Embedding size")
    assert least.startswith("2 dims, the smallest size tried, are best on average.")


def test_speed_by_epochs_and_by_the_clock() -> None:
    runs = (
        seeds(0.5, "none", accuracy=(0.5, 0.6, 0.7, 0.7))
        + seeds(0.5, "semihard", accuracy=(0.7, 0.97, 1.0, 1.0), seconds=9.0)
        + seeds(0.5, "batchhard", accuracy=(0.6, 0.7, 0.96, 0.97), seconds=2.0)
    )
    said = reading(runs, "Speed")
    assert said.startswith("95.0 % validation P@1, 95 % of the best of all settings,")
    assert "in the fewest epochs by semihard: 2 epochs" in said
    assert "batchhard needed 3" in said
    assert "By the clock the first was batchhard with 6.0 s" in said
    assert "semihard 18 s" in said
    assert "miner none never reached it." in said
    assert "never" not in reading(seeds(0.5, "none", accuracy=(1.0,)), "Speed")


def test_trouble_is_named_and_its_absence_too() -> None:
    calm = reading(seeds(0.5), "Trouble")
    assert calm == "No run collapsed, none stayed at its margin, and none diverged."
    fallen = [*seeds(0.5), made_up(miner="batchhard", collapsed=True), made_up(miner="batchhard", seed=1, stuck=True)]
    said = reading(fallen, "Trouble")
    assert "1 of 5 runs collapsed (all embeddings became nearly equal): triplet, batchhard, 16 dims (1 of 2)." in said
    assert "1 of 5 runs stayed at their margin" in said
    wild = reading([*seeds(0.5), made_up(miner="batchhard", diverged=True)], "Trouble")
    assert "1 of 4 runs diverged (numbers beyond all bounds) and count as wrong: triplet, batchhard, 16 dims" in wild
    silent = reading(seeds(0.5) + seeds(0.5, loss="circle", active=None), "Trouble")
    assert "circle does not count active tuples" in silent


def test_what_one_seed_cannot_show() -> None:
    assert "how much another seed would change is unknown" in reading([made_up()], "Limits")
    assert "unknown" not in reading(seeds(0.5), "Limits")
    assert "3 seeds a setting say little" in reading(seeds(0.5), "Limits")
    assert reading([made_up(seed=seed) for seed in range(6)], "Limits") == ""


def test_the_flags_match_what_is_warned_of_while_training(tmp_path: object) -> None:
    from pathlib import Path

    from doppelgram.comparison.cells import _warned
    from doppelgram.training.recipes.schema import MetricRecipe
    from doppelgram.training.run import Run
    from doppelgram.training.watch import EpochLines, Watch

    watch = Watch(EpochLines(SilentProgress()), Path(str(tmp_path)) / "metrics.csv", margin=0.2)
    said = [sentence for _ in range(4) for sentence in watch.diagnose({"train_loss": 0.2, "val_spread": 0.001})]
    run = Run(Path(), MetricRecipe(), {"warnings": said})
    assert _warned(run, "collapse:")
    assert _warned(run, "the loss is stuck at its margin")
    assert not _warned(Run(Path(), MetricRecipe(), {}), "collapse:")
