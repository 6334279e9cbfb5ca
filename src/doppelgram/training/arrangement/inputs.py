"""What the towers of an arrangement model are shown of a collection, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import tell_notes, tell_outcomes
from doppelgram.errors import DoppelgramError
from doppelgram.images.ordered import in_order
from doppelgram.images.read import Photograph, Want, read
from doppelgram.images.report import LoadReport
from doppelgram.models.finder import people_in
from doppelgram.models.towers import Tower
from doppelgram.pose.cutouts import persons


@dataclass(frozen=True)
class TowerInputs:
    """What the towers are shown.

    Attributes:
        collection: the readable photographs.
        place: what each place tower is shown of every photograph, uint8 (n, size, size, 3) each.
        pose: what each pose tower is shown of every person, (m, ...) each: squares or normalised keypoints.
        photograph: of each person, the row of its photograph, int64 (m,); in a photograph the most prominent first.
        people: of each photograph, how many persons it has, int64 (n,).
        report: what became of each file.
    """

    collection: Collection
    place: list[NDArray[Any]]
    pose: list[NDArray[Any]]
    photograph: NDArray[np.int64]
    people: NDArray[np.int64]
    report: LoadReport

    @property
    def first(self) -> NDArray[np.int64]:
        """Row in ``pose`` of the most prominent person of each photograph, int64 (n,); -1 where there is nobody."""
        starts = np.concatenate([[0], np.cumsum(self.people)[:-1]]).astype(np.int64)
        return np.where(self.people > 0, starts, -1)


def read_tower_inputs(
    collection: Collection,
    want: Want,
    place: Sequence[Tower],
    pose: Sequence[Tower],
    people: int,
    progress: Progress,
) -> TowerInputs:
    """Read a collection's photographs, each once, and cut out what each tower is shown.

    Args:
        collection: the photographs.
        want: whole photographs, and a finder's extras.
        place: towers of which only what they are shown counts.
        pose: likewise.
        people: how many of a photograph are kept.
        progress: where progress is shown, and which files could not be used.

    Raises:
        DoppelgramError: not one photograph can be read, or nobody is in any.
    """

    def cut_out(photograph: Photograph) -> tuple[Photograph, list[NDArray[Any]], int]:
        if photograph.pixels is None:
            return photograph, [], 0
        found, mask = people_in(photograph)
        shown = persons(found, mask, people)
        inputs = [tower.inputs(photograph.pixels, shown, mask) for tower in (*place, *pose)]
        return photograph, inputs, len(shown)

    tell_notes(collection, progress)
    report = LoadReport()
    kept: list[int] = []
    counts: list[int] = []
    gathered: list[list[NDArray[Any]]] = [[] for _ in (*place, *pose)]
    with (
        progress.bar("finding people", len(collection)) as advance,
        closing(read(collection.paths, want, keep_duplicates=True)) as photographs,
        closing(in_order(cut_out, photographs)) as answers,
    ):
        for row, (photograph, inputs, count) in enumerate(answers):
            advance(1)
            report.outcomes.append(photograph.outcome)
            if photograph.usable:
                kept.append(row)
                counts.append(count)
            for pieces, piece in zip(gathered, inputs, strict=bool(inputs)):
                pieces.append(piece)
    tell_outcomes(report, progress)
    if not sum(counts):
        raise DoppelgramError(
            f"{collection.root}: nobody was found in any photograph, so there is no pose to learn; "
            "try another --set arrangement.estimator"
        )
    stacked = [np.concatenate(pieces) for pieces in gathered]
    return TowerInputs(
        collection.take(kept),
        stacked[: len(place)],
        stacked[len(place) :],
        np.repeat(np.arange(len(kept)), counts),
        np.array(counts, dtype=np.int64),
        report,
    )
