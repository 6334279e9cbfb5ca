"""Which pairs a siamese network is shown: as many of the same arrangement as of the same place in another pose."""

from __future__ import annotations

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.training.task import Index

NEGATIVES = ("place", "both")


class PairPlan:
    """Batches of pairs: each photograph once an epoch with one of its arrangement, and once with another.

    That every photograph stands as often in a same pair as in a different one leaves nothing to be told from one
    photograph alone; and as both pairs of an anchor share it, 24 pairs need 36 photographs to be embedded, not 48.

    Args:
        place: (n,) number of each photograph's place.
        pose: (n,) number of its pose.
        rows: which of the n are used.
        batch: most pairs in a batch, 2 or more.
        seed: not negative.
        negatives: ``place``: the different photograph is of the same place in another pose, as in the role-model
            study; ``both``: every second time it is of the same pose at another place.

    Raises:
        DoppelgramError: no photograph has both a partner of its arrangement and one that differs.
    """

    def __init__(
        self, place: Index, pose: Index, rows: Index, batch: int, seed: int, *, negatives: str = "place"
    ) -> None:
        if negatives not in NEGATIVES:
            raise DoppelgramError(f"negatives is '{negatives}'; it is one of {', '.join(NEGATIVES)}")
        self.batch, self.seed = max(2, batch), seed
        places, poses = place[rows], pose[rows]
        # rows by arrangement: with the few places and poses that such a collection has, these lists are short
        self._same: list[Index] = []
        self._other: list[list[Index]] = []
        anchors: list[int] = []
        for row, at, held in zip(rows.tolist(), places.tolist(), poses.tolist(), strict=True):
            here, alike = places == at, poses == held
            same = rows[here & alike & (rows != row)]
            kinds = [rows[here & ~alike], *([rows[~here & alike]] if negatives == "both" else [])]
            other = [kind for kind in kinds if len(kind)]
            if len(same) and other:
                anchors.append(row)
                self._same.append(same)
                self._other.append(other)
        if not anchors:
            raise DoppelgramError(
                "no photograph has another of its place and pose and one of its place in another pose; "
                "pairs cannot be made of these"
            )
        self._anchors = np.array(anchors, dtype=np.int64)

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return -(-2 * len(self._anchors) // (self.batch // 2 * 2))

    def epoch_batches(self, epoch: int) -> list[Index]:
        """Batches (m, 3) of an epoch, which counts from 0: row of one photograph, row of the other, 1 if the same."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self._anchors))
        pairs = np.empty((2 * len(order), 3), dtype=np.int64)
        for position, k in enumerate(order.tolist()):
            same, other = self._same[k], self._other[k]
            different = other[rng.integers(len(other))]
            anchor = self._anchors[k]
            pairs[2 * position] = anchor, same[rng.integers(len(same))], 1
            pairs[2 * position + 1] = anchor, different[rng.integers(len(different))], 0
        return [batch.reshape(-1, 3) for batch in np.array_split(pairs.reshape(-1, 2, 3), len(self))]

    def fixed(self, epochs: int = 2) -> Index:
        """Pairs (m, 3) that are always the same, to validate on: those of the first epochs."""
        return np.concatenate([batch for epoch in range(epochs) for batch in self.epoch_batches(epoch)])
