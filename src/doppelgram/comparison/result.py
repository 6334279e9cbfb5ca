"""Many trainings side by side: what each setting reaches, and how certain that and the differences are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import image_weights, percentiles
from doppelgram.space.exact import Float64

REPLICATES = 2000
# Share of the best validation figure whose reaching counts as "having learnt".
NEARLY = 0.95
# Numbers drawn at a time, so that memory does not grow with the number of replicates.
_CHUNK = 2_000_000


class Setting(NamedTuple):
    """One way to train: a cell of the grid, which several seeds may have run."""

    loss: str
    miner: str
    dim: int

    def __str__(self) -> str:
        """As sentences and tables call it."""
        return f"{self.loss}, {self.miner}, {self.dim} dims"


@dataclass(frozen=True)
class RunResult:
    """What one training left behind.

    Attributes:
        setting: loss, miner and embedding size.
        seed: of the training.
        nearest: (q,) whether the nearest image of each query is of its class.
        class_mean: (q,) whether the nearest class mean of each query is its own.
        average_precision: (q,) average precision within the first R; its mean is MAP@R.
        history: figures of each epoch: ``epoch``, ``seconds``, ``train_loss``, ``val_precision_at_1``, and others.
        collapsed: whether all embeddings became equal.
        stuck: whether the loss stayed at its margin.
        diverged: whether training ended in numbers beyond all bounds; nothing is answered rightly then.
        mines: whether the loss looks at what a miner chooses; if not, the setting stands for every miner.
        folder: the run folder, as reports show it.
    """

    setting: Setting
    seed: int
    nearest: NDArray[np.bool_]
    class_mean: NDArray[np.bool_]
    average_precision: Float64
    history: Sequence[Mapping[str, float]]
    collapsed: bool = False
    stuck: bool = False
    diverged: bool = False
    mines: bool = True
    folder: str = ""

    @property
    def accuracy(self) -> Float64:
        """Validation P@1 after each epoch, (epochs,); NaN where it was not measured."""
        return np.array([epoch.get("val_precision_at_1", np.nan) for epoch in self.history], dtype=np.float64)

    @property
    def clock(self) -> Float64:
        """Seconds of training and validation until the end of each epoch, (epochs,)."""
        return np.cumsum([epoch.get("seconds", np.nan) for epoch in self.history], dtype=np.float64)

    def epochs_to(self, target: float) -> int | None:
        """The first epoch, from 1, after which validation P@1 is ``target`` or more; None if none is."""
        reached = np.flatnonzero(self.accuracy >= target)
        return int(reached[0]) + 1 if len(reached) else None

    @property
    def best_accuracy(self) -> float:
        """The highest validation P@1 of any epoch; NaN without one."""
        known = self.accuracy[np.isfinite(self.accuracy)]
        return float(known.max()) if len(known) else float("nan")


class Interval(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Baseline:
    """What a ready-made model reaches on the queries of a comparison, with its intervals."""

    name: str
    p1: Interval
    ncm: Interval
    map_at_r: float


class Comparison:
    """Settings side by side, by runs with the same queries.

    Intervals are percentiles of a two-level bootstrap. Queries are drawn again with replacement, the same for every
    run (Poisson weights, see `image_weights`), and so are the seeds of each setting, the same draw for all settings
    with the same seeds; the two levels are crossed (Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1,
    2007). Because every setting sees the same draws, differences are paired. Of S seeds S - 1 are drawn, which makes
    the variance of a mean over few seeds unbiased instead of too small by the factor (S - 1) / S (Rao and Wu, JASA
    83, 1988). One seed cannot be drawn again: its interval is of the choice of queries alone.

    Args:
        runs: at least one; in the order in which settings are to be listed.
        part: name of the part that the queries are of.
        baselines: ready-made models that were asked the same queries; no setting, and no part of any effect.
        seed: of the bootstrap.
        replicates: draws of the bootstrap.

    Raises:
        DoppelgramError: no runs, runs with different numbers of queries, or a setting with the same seed twice.
    """

    def __init__(
        self,
        runs: Sequence[RunResult],
        *,
        part: str = "val",
        baselines: Sequence[Baseline] = (),
        seed: int = 0,
        replicates: int = REPLICATES,
    ) -> None:
        if not runs:
            raise DoppelgramError("there is no finished run to compare")
        if len({len(run.nearest) for run in runs}) > 1:
            raise DoppelgramError("the runs have different queries, so they cannot be compared")
        if len({(run.setting, run.seed) for run in runs}) < len(runs):
            raise DoppelgramError("a setting has two runs of the same seed; each counts once")
        self.runs = tuple(runs)
        self.part = part
        self.baselines = tuple(baselines)
        self.settings: tuple[Setting, ...] = tuple(dict.fromkeys(run.setting for run in runs))
        self.queries = len(runs[0].nearest)
        metrics = {
            "p1": [run.nearest for run in runs],
            "ncm": [run.class_mean for run in runs],
            "map_at_r": [run.average_precision for run in runs],
        }
        values = {name: np.array(rows, dtype=np.float64).reshape(len(runs), -1) for name, rows in metrics.items()}
        self._rows = [[row for row, run in enumerate(runs) if run.setting == s] for s in self.settings]
        self.values = {name: self._by_setting(rows.mean(axis=1)[None])[0] for name, rows in values.items()}
        drawn = _bootstrap_queries(np.concatenate(list(values.values())), seed, replicates)
        of_runs = dict(zip(values, np.split(drawn, len(values), axis=1), strict=True))
        self._seed_weights = self._draw_seeds(seed, replicates)
        self.replicates = {name: self._by_setting(means, self._seed_weights) for name, means in of_runs.items()}

    def _draw_seeds(self, seed: int, replicates: int) -> list[Float64]:
        """For each setting the weight of each of its runs in each replicate, (replicates, its runs)."""
        drawn: dict[tuple[int, ...], Float64] = {}
        weights = []
        for rows in self._rows:
            seeds = tuple(self.runs[row].seed for row in rows)
            if seeds not in drawn:
                count = len(seeds)
                rng = np.random.default_rng([seed, 1, *seeds])
                chosen = rng.integers(0, count, size=(replicates, max(1, count - 1)))
                drawn[seeds] = (chosen[:, :, None] == np.arange(count)).mean(axis=1)
            weights.append(drawn[seeds])
        return weights

    def _by_setting(self, of_runs: Float64, weights: Sequence[Float64] | None = None) -> Float64:
        """(r, runs) to (r, settings): means over each setting's runs, weighted if weights are given."""
        columns = [
            of_runs[:, rows].mean(axis=1) if weights is None else (of_runs[:, rows] * weights[number]).sum(axis=1)
            for number, rows in enumerate(self._rows)
        ]
        return np.stack(columns, axis=1)

    def runs_of(self, setting: Setting) -> list[RunResult]:
        """The runs of one setting."""
        return [self.runs[row] for row in self._rows[self.settings.index(setting)]]

    def seeds(self) -> list[int]:
        """Every seed that occurs."""
        return sorted({run.seed for run in self.runs})

    def mines(self, setting: Setting) -> bool:
        """Whether the setting's loss uses a miner."""
        return self.runs_of(setting)[0].mines

    def interval(self, weights: Float64, metric: str = "p1") -> Interval:
        """A weighted sum over the settings with its interval.

        Args:
            weights: (settings,); 1 for one setting and -1 for another gives their paired difference.
            metric: ``p1``, ``ncm`` or ``map_at_r``.
        """
        value = float(self.values[metric] @ weights)
        return Interval(value, *percentiles(self.replicates[metric] @ weights, value))

    def difference(self, a: Setting, b: Setting, metric: str = "p1") -> Interval:
        """How much higher ``a`` is than ``b``, paired."""
        weights = np.zeros(len(self.settings))
        weights[self.settings.index(a)] += 1
        weights[self.settings.index(b)] -= 1
        return self.interval(weights, metric)

    @property
    def best(self) -> Setting:
        """The setting with the highest P@1; of equal ones the first."""
        return self.settings[int(np.argmax(self.values["p1"]))]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a setting; shares between 0 and 1, NaN where a figure does not exist.

        ``epochs_to_95`` and ``seconds_to_95`` are those of the runs that did not diverge, as `runs_table` has them.
        """
        rows = []
        for number, setting in enumerate(self.settings):
            runs = self.runs_table.iloc[self._rows[number]]
            trained = runs[~runs["diverged"]]
            row = {**setting._asdict(), "runs": len(runs)}
            for name in ("p1", "ncm"):
                interval = self.interval(np.eye(len(self.settings))[number], name)
                row |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
            row["map_at_r"] = float(self.values["map_at_r"][number])
            row |= {name: trained[name].mean() for name in ("epochs_to_95", "seconds_to_95")}
            row["seconds"] = runs["seconds"].mean()
            rows.append(row | {name: runs[name].sum() for name in ("collapsed", "diverged")})
        return pd.DataFrame(rows)

    @cached_property
    def runs_table(self) -> pd.DataFrame:
        """One row a run; shares between 0 and 1, NaN where a figure does not exist.

        ``epochs_to_95`` and ``seconds_to_95`` say when validation P@1 first was at 95 % of the run's own best.
        """
        rows = []
        for run in self.runs:
            epoch = run.epochs_to(NEARLY * run.best_accuracy)
            row = {**run.setting._asdict(), "seed": run.seed}
            row |= {"p1": _mean(run.nearest), "ncm": _mean(run.class_mean), "map_at_r": _mean(run.average_precision)}
            row |= {"best_val_p1": run.best_accuracy, "epochs": len(run.history)}
            row["epochs_to_95"] = epoch if epoch else np.nan
            row["seconds_to_95"] = run.clock[epoch - 1] if epoch else np.nan
            row["seconds"] = run.clock[-1] if len(run.history) else np.nan
            row |= {"collapsed": run.collapsed, "stuck": run.stuck, "diverged": run.diverged, "run": run.folder}
            rows.append(row)
        return pd.DataFrame(rows)

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """One row an epoch of a run: ``loss, miner, dim, seed, epoch``, the clock in seconds, and the figures.

        ``active`` is the share of all triplets of a batch that violate the margin, for a triplet loss; for another
        loss the share of the tuples chosen that cost anything.
        """
        rows = []
        for run in self.runs:
            for epoch, figures in enumerate(run.history):
                active = figures.get("train_violated", figures.get("train_active", np.nan))
                loss, accuracy = figures.get("train_loss", np.nan), figures.get("val_precision_at_1", np.nan)
                rows.append((*run.setting, run.seed, epoch + 1, float(run.clock[epoch]), loss, active, accuracy))
        columns = ["loss", "miner", "dim", "seed", "epoch", "clock", "train_loss", "active", "accuracy"]
        # The last loss of a training that diverged may be infinite.
        return pd.DataFrame(rows, columns=columns).replace([np.inf, -np.inf], np.nan)


def interval_of(right: NDArray[Any], seed: int = 0) -> Interval:
    """The mean over queries (q,) with the interval of their choice, from the draws that a `Comparison` makes."""
    value = _mean(right)
    drawn = _bootstrap_queries(np.asarray(right, dtype=np.float64)[None], seed, REPLICATES)[:, 0]
    return Interval(value, *percentiles(drawn, value))


def _bootstrap_queries(values: Float64, seed: int, replicates: int) -> Float64:
    """Means of each row of (m, q) over queries that are drawn again, (replicates, m); the same draw for all rows."""
    rows = max(1, _CHUNK // max(1, values.shape[1]))
    chunks = []
    for weights in image_weights(values.shape[1], seed=seed, rows=rows, replicates=replicates):
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):  # a draw without any query, possible with very few, is left out later
            chunks.append(weights @ values.T / total)
    return np.concatenate(chunks)


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
