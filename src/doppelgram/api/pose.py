"""Find the people of a collection and their poses, once, and write them down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from rich.console import Console

from doppelgram.console import progress_bar
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.folders import IMAGE_ENDINGS
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import keep_inputs, written_whole
from doppelgram.images.decode import open_image
from doppelgram.images.ordered import in_order
from doppelgram.images.report import LoadReport
from doppelgram.numbers import percent
from doppelgram.pose.cache import people_of
from doppelgram.pose.drawing import overlay
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.people import People
from doppelgram.pose.table import write_people
from doppelgram.weights import cache_folder

_TABLES = (".parquet", ".pq")
# Longer side of what is drawn.
_DRAWN = 1024


@dataclass(frozen=True)
class PosedCollection:
    """The people of a collection.

    Attributes:
        estimator: key of what found them.
        people: by path as the collection spells it, of every photograph that could be read.
        report: what became of each file.
        unnamed: photographs that a file of ready-made keypoints does not name.
    """

    estimator: str
    people: Mapping[str, People]
    report: LoadReport
    unnamed: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Counts as JSON-ready values."""
        found = [len(people) for people in self.people.values()]
        return {
            "estimator": self.estimator,
            "photographs": len(found),
            "with_people": sum(count > 0 for count in found),
            "people": sum(found),
            "passers_by": sum(int(people.passers_by.sum()) for people in self.people.values()),
            "without_people": [name for name, people in self.people.items() if not len(people)],
            "not_named": self.unnamed,
            "problems": [
                {"path": outcome.path, "status": outcome.status, "reason": outcome.reason}
                for outcome in self.report.problems()
            ],
        }

    def summary(self) -> str:
        """One line for a person."""
        facts = self.to_dict()
        count = facts["photographs"]
        share = f" ({percent(facts['with_people'] / count)})" if count else ""
        people, photographs = "person" if facts["people"] == 1 else "people", f"photograph{'s' * (count != 1)}"
        passing = f", {facts['passers_by']:,} of them passers-by" if facts["passers_by"] else ""
        return f"{facts['people']:,} {people} in {facts['with_people']:,} of {count:,} {photographs}{share}{passing}."


def estimate_poses(
    data: Path | str,
    out: Path | str,
    *,
    estimator: str = "movenet",
    weights: Path | str | None = None,
    pose_weights: Path | str | None = None,
    draw: Path | str | None = None,
    cache: Path | str | None = None,
    console: Console | None = None,
) -> PosedCollection:
    """Find the people of a folder, a table or one photograph, and write their keypoints as Parquet.

    Answers are kept by the photographs' content and the estimator: a second call looks only at what is new, and after
    an interruption the same call goes on.

    Args:
        data: the photographs.
        out: Parquet file, see `doppelgram.pose.table.write_people` for its columns.
        estimator: one of `doppelgram.pose.estimators.registry.ESTIMATORS`.
        weights: folder to look the estimator's weights up in first.
        pose_weights: the estimator's file or folder itself; for ``keypoints`` the ready-made ones.
        draw: folder for each photograph with its skeletons drawn, as a JPEG under the photograph's own name; where two
            differ in their endings only, under the whole names.
        cache: folder for answers; one in the user's cache by default.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: something given cannot be used, or no photograph can be read.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    console = console or Console(stderr=True)
    out = Path(out).expanduser()
    if out.suffix.lower() not in _TABLES:
        raise DoppelgramError(f"{out}: keypoints are written as Parquet; let its name end in .parquet")
    looker = make_estimator(estimator, _path(weights), _path(pose_weights))
    collection = _collection(Path(data).expanduser())
    drawn = _drawn(collection, Path(draw).expanduser()) if draw is not None else {}
    keep_inputs([out, *drawn.values()], [Path(data).expanduser(), *collection.paths])
    for note in collection.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    folder = _path(cache) or cache_folder() / "poses"
    report = LoadReport()
    try:
        with progress_bar(console, "looking for people", len(collection)) as advance:
            found = people_of(collection.paths, looker, folder, advance, report=report)
    except KeyboardInterrupt:
        raise Interrupted(
            f"{out}: interrupted; what was found is kept, and the same command goes on from here"
        ) from None
    report.raise_if_nothing_readable()
    if report.problems():
        console.print(report.summary(), style="yellow", highlight=False, markup=False, soft_wrap=True)
    people = {name: one for name, one in zip(collection.names, found, strict=True) if one is not None}
    unnamed = []
    if isinstance(looker, KnownPeople):
        unnamed = [
            name for name, path in zip(collection.names, collection.paths, strict=True) if not looker.knows(path)
        ]
        if len(unnamed) == len(collection):
            raise DoppelgramError(f"{looker.source}: names none of the photographs in {data}, such as {unnamed[0]!r}")
    write_people(out, people, looker.key)
    if draw is not None:
        _draw(collection, people, drawn, console)
    return PosedCollection(looker.key, people, report, unnamed)


def _path(given: Path | str | None) -> Path | None:
    return Path(given).expanduser() if given is not None else None


def _collection(data: Path) -> Collection:
    if data.is_file() and data.suffix.lower() in IMAGE_ENDINGS:
        return Collection(data.parent, pd.DataFrame({"path": [data.name]}))
    return read_collection(data)


def _drawn(collection: Collection, folder: Path) -> dict[str, Path]:
    """Where each photograph is drawn."""
    # A table may name files anywhere; what is drawn stays in its folder.
    inside = {
        name: folder / Path(*(part for part in Path(name).parts if part not in ("/", "\\", "..")))
        for name in collection.names
    }
    plain = Counter(file.with_suffix(".jpg") for file in inside.values())
    return {
        name: file.with_suffix(".jpg") if plain[file.with_suffix(".jpg")] == 1 else file.with_name(f"{file.name}.jpg")
        for name, file in inside.items()
    }


def _draw(
    collection: Collection, people: Mapping[str, People], drawn: Mapping[str, Path], console: Console
) -> None:  # fmt: skip
    def one(row: tuple[str, Path]) -> None:
        name, path = row
        image = open_image(path, at_least=_DRAWN)
        image.thumbnail((_DRAWN, _DRAWN), Image.Resampling.LANCZOS, reducing_gap=3.0)
        found = people[name].scaled(*image.size)
        with written_whole(drawn[name]) as aside:
            overlay(image, found.keypoints, faint=found.passers_by).save(aside, "JPEG", quality=90)

    rows = [row for row in zip(collection.names, collection.paths, strict=True) if row[0] in people]
    with progress_bar(console, "drawing", len(rows)) as advance:
        for _ in in_order(one, rows):
            advance(1)
