"""What the towers of an arrangement model are shown of a collection, in memory."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import progress_bar
from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import OUT_OF_MEMORY, BrokenImage, MissingImage, open_image
from doppelgram.images.ordered import in_order
from doppelgram.images.report import FileOutcome, LoadReport
from doppelgram.models.finder import PeopleFinder
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.towers import Tower
from doppelgram.pose.cutouts import persons


@dataclass(frozen=True)
class Sights:
    """What the towers see.

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


def look_at(
    collection: Collection,
    finder: PeopleFinder,
    sight: FinderSettings,
    place: Sequence[Tower],
    pose: Sequence[Tower],
    people: int,
    console: Console,
) -> Sights:
    """Find people in a collection's photographs and cut out what each tower is shown.

    Args:
        collection: the photographs.
        finder: what finds people.
        sight: how photographs are read.
        place, pose: the towers; only their framing counts.
        people: how many of a photograph are kept.
        console: where progress is shown, and which files could not be used.

    Raises:
        DoppelgramError: not one photograph can be read.
    """
    for note in collection.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    with progress_bar(console, "finding people", len(collection)) as advance:
        finder.prefetch(collection.paths, advance)
    framing = sight.framing
    report = LoadReport()
    kept: list[int] = []
    counts: list[int] = []
    shown: list[list[NDArray[Any]]] = [[] for _ in (*place, *pose)]

    def see(path: Path) -> tuple[list[NDArray[Any]], int] | str:
        try:
            pixels = framing.frame(open_image(path, at_least=framing.at_least)).pixels
        except MissingImage:
            return "missing"
        except BrokenImage as error:
            return error.reason
        except MemoryError:
            return OUT_OF_MEMORY
        found, mask = finder.look([pixels], [path])[0]
        those = persons(found, mask, people)
        return [tower.inputs(pixels, those, mask) for tower in (*place, *pose)], len(those)

    with (
        warnings.catch_warnings(),
        progress_bar(console, "cutting out", len(collection)) as advance,
        closing(in_order(see, collection.paths)) as seen,
    ):
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what matters of it is in the report
        for row, (path, answer) in enumerate(zip(collection.paths, seen, strict=True)):
            advance(1)
            if isinstance(answer, str):
                status = ("missing", "no such file") if answer == "missing" else ("broken", answer)
                report.outcomes.append(FileOutcome(str(path), *status))  # type: ignore[arg-type]
                continue
            report.outcomes.append(FileOutcome(str(path), "ok"))
            kept.append(row)
            counts.append(answer[1])
            for views, view in zip(shown, answer[0], strict=True):
                views.append(view)
    report.raise_if_nothing_readable()
    if len(kept) < len(collection):
        console.print(report.summary(), style="yellow", highlight=False, markup=False, soft_wrap=True)
    if not sum(counts):
        raise DoppelgramError(
            f"{collection.root}: nobody was found in any photograph, so there is no pose to learn; "
            "try another --set arrangement.estimator"
        )
    stacked = [np.concatenate(views) for views in shown]
    return Sights(
        collection.take(kept),
        stacked[: len(place)],
        stacked[len(place) :],
        np.repeat(np.arange(len(kept)), counts),
        np.array(counts, dtype=np.int64),
        report,
    )
