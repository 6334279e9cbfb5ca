"""The study's own way of dividing: pairs are split, so that photographs stand on both sides; to show what that does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from doppelgram.evaluation.verification import balanced_share
from doppelgram.studies.role_model.pair_plan import PairPlan
from doppelgram.studies.role_model.plan import Rung
from doppelgram.studies.role_model.rungs import RungResult, StudyData, fit_rung, read_rung, write_rung
from doppelgram.training.task import Index

VALIDATION_SHARE = 0.2
_EPOCHS_OF_PAIRS = 2
LEAKY_FOLDER = "leaky"


@dataclass(frozen=True)
class FixedPlan:
    """The same pairs (m, 3) every epoch, in another order."""

    pairs: Index
    batch: int
    seed: int

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return -(-len(self.pairs) // self.batch)

    def epoch_batches(self, epoch: int) -> list[Index]:
        """Batches of an epoch."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.pairs))
        return np.array_split(self.pairs[order], len(self))


def split_pairs(pairs: Index, seed: int) -> tuple[Index, Index]:
    """Pairs (m, 3) as the study divided them: distinct ones, a fifth of each kind at random to validate on."""
    ends = np.sort(pairs[:, :2], axis=1)
    _, first = np.unique(ends, axis=0, return_index=True)
    distinct = pairs[np.sort(first)]
    rng = np.random.default_rng(seed)
    kinds = [rng.permutation(np.flatnonzero(distinct[:, 2] == kind)) for kind in (0, 1)]
    size = min(len(rows) for rows in kinds)
    cut = max(1, round(VALIDATION_SHARE * size))
    validation = np.sort(np.concatenate([rows[:cut] for rows in kinds]))
    training = np.sort(np.concatenate([rows[cut:size] for rows in kinds]))
    return distinct[training], distinct[validation]


def measure_leaky(data: StudyData, rung: Rung) -> RungResult:
    """Train a rung of cached features on pairs that are split as pairs, and take its validation accuracy, as the study.

    Pairs are of all posts and of the study's kind: the same arrangement, or the same place in another pose. A pair
    counts as the same from a probability of one half on.

    Raises:
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    folder = data.out / LEAKY_FOLDER / rung.key
    done = read_rung(folder, rung)
    if done is not None:
        return done
    if rung.recipe is None or not rung.frozen:
        raise ValueError("only pair networks on cached features are trained here")
    posts, batch = data.posts, rung.recipe.pairs.batch
    every = PairPlan(posts.place, posts.pose, np.arange(len(posts.collection)), batch, data.seed)
    training, validation = split_pairs(every.fixed(_EPOCHS_OF_PAIRS), data.seed)
    fitted = fit_rung(data, rung, folder, FixedPlan(training, batch, data.seed), validation)
    same = validation[:, 2] == 1
    correct = (fitted.log_odds(validation) > 0) == same
    metrics = {"accuracy": balanced_share(correct, same, validation[:, 0], validation[:, 1], seed=data.seed)}
    seen = np.isin(validation[:, :2], training[:, :2])
    facts: dict[str, Any] = {
        "training_pairs": len(training),
        "both_seen": round(float(seen.all(1).mean()), 4),
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
    }
    write_rung(folder, metrics, facts)
    return RungResult(rung, metrics, facts)
