"""One training as it was ordered, and the parts of its images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, make_split, read_split, small_classes, split_of_data
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.training.ranks.plan import Ranks
from doppelgram.training.run import SPLIT_FILE, Run, abandon_run, create_run


@dataclass(frozen=True)
class Job:
    """One training as it was ordered.

    Attributes:
        data: the images: a folder, a table, or a collection in memory.
        recipe: how it is trained.
        out: run folder.
        split: the parts, if they are given.
        weights: folder to look pretrained weights up in.
        seed: the same recipe, collection and seed give the same run again.
        resume: continue the run in ``out`` if there is one.
        ranks: the processes and machines that train together.
    """

    data: Path | Collection
    recipe: Any
    out: Path
    split: Split | None = None
    weights: Path | None = None
    seed: int = 0
    resume: bool = False
    ranks: Ranks = field(default_factory=Ranks)

    @property
    def source(self) -> Path:
        """The folder or table, or where a collection in memory has its root: for messages."""
        return self.data.root if isinstance(self.data, Collection) else self.data

    def collection(self, label: str) -> Collection:
        """The images, compared by a column; by their own where ``label`` is empty."""
        if isinstance(self.data, Collection):
            return self.data.with_label(label) if label else self.data
        return read_collection(self.data, label=label)

    @contextmanager
    def opened(self, run: Run | None) -> Iterator[Run]:
        """The run that is resumed, or a new one; one that fails before its first checkpoint is taken away again."""
        run = run or create_run(self.out, self.recipe, self.data, self.seed)
        try:
            yield run
        except KeyboardInterrupt:
            raise Interrupted(f"{self.out}: stopped; continue with `doppelgram train ... --resume`") from None
        except Interrupted:
            raise
        except DoppelgramError:
            abandon_run(run)
            raise


def given_parts(
    job: Job, run: Run | None, collection: Collection, progress: Progress, listed: list[str] | None = None
) -> Split | None:
    """The parts that a run has already, that were given, or that images come with; None where they are to be drawn.

    Raises:
        DoppelgramError: they do not fit the collection.
    """
    kept = job.out / SPLIT_FILE
    parts = read_split(kept) if run is not None and kept.is_file() else job.split
    if parts is None:
        parts = split_of_data(job.source, collection, progress, listed)
    if parts is not None:
        parts.rows(collection)
    return parts


def keep_parts(
    job: Job, parts: Split | None, collection: Collection, progress: Progress, listed: list[str] | None = None
) -> Split:
    """Write down the parts of a run that has just been started; those that are not given are drawn from the seed."""
    if parts is None:
        settings = job.recipe.split
        shares = {"val": settings.val, "test": settings.test}
        shares["train"] = 1 - sum(shares.values())
        parts = make_split(collection, settings.by, shares, job.seed, listed)
        if small := small_classes(collection, parts, shares):
            progress.warning(small)
        for part in parts.empty_parts(shares):
            progress.warning(f"the {part} part is empty: there are too few images or groups to divide")
    if not (job.out / SPLIT_FILE).is_file():
        parts.write(job.out / SPLIT_FILE)
    return parts
