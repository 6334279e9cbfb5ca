"""Find the people of a collection and their poses, once, and write them down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.folders import IMAGE_ENDINGS
from doppelgram.dataset.loading import tell_notes
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import keep_inputs, written_whole
from doppelgram.images.ordered import in_order
from doppelgram.images.read import Photograph, Want, read
from doppelgram.images.report import LoadReport
from doppelgram.images.whole import WholePhotograph
from doppelgram.numbers import percent
from doppelgram.pose.drawing import overlay
from doppelgram.pose.estimators.estimator import Estimator
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.extras import PEOPLE, people_extra
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
    progress: Progress | None = None,
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
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: something given cannot be used, or no photograph can be read.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    progress = progress or TerminalProgress()
    out = Path(out).expanduser()
    if out.suffix.lower() not in _TABLES:
        raise DoppelgramError(f"{out}: keypoints are written as Parquet; let its name end in .parquet")
    looker = make_estimator(estimator, _path(weights), _path(pose_weights))
    collection = _collection(Path(data).expanduser())
    drawn = _drawn(collection, Path(draw).expanduser()) if draw is not None else {}
    keep_inputs([out, *drawn.values()], [Path(data).expanduser(), *collection.paths])
    tell_notes(collection, progress)
    answers = _path(cache) or cache_folder() / "poses"
    try:
        people, report = _find(collection, looker, answers, drawn, progress)
    except KeyboardInterrupt:
        raise Interrupted(
            f"{out}: interrupted; what was found is kept, and the same command goes on from here"
        ) from None
    report.raise_if_nothing_readable()
    if report.problems():
        progress.warning(report.summary())
    unnamed = []
    if isinstance(looker, KnownPeople):
        unnamed = [
            name for name, path in zip(collection.names, collection.paths, strict=True) if not looker.knows(path)
        ]
        if len(unnamed) == len(collection):
            raise DoppelgramError(f"{looker.source}: names none of the photographs in {data}, such as {unnamed[0]!r}")
    write_people(out, people, looker.key)
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


def _find(
    collection: Collection,
    estimator: Estimator | KnownPeople,
    answers: Path,
    drawn: Mapping[str, Path],
    progress: Progress,
) -> tuple[dict[str, People], LoadReport]:
    """People by the names of their photographs, and what became of each file; ``drawn`` ones are drawn on the way."""
    framing = WholePhotograph(_DRAWN) if drawn else None
    want = Want(framing, extras={PEOPLE: people_extra(estimator, answers)})
    people: dict[str, People] = {}
    report = LoadReport()

    def draw(one: tuple[str, Photograph]) -> tuple[str, Photograph]:
        name, photograph = one
        if photograph.pixels is not None and name in drawn:
            height, width = photograph.pixels.shape[:2]
            found = photograph.extras[PEOPLE].scaled(width, height)
            picture = overlay(Image.fromarray(photograph.pixels), found.keypoints, faint=found.passers_by)
            with written_whole(drawn[name]) as aside:
                picture.save(aside, "JPEG", quality=90)
        return name, replace(photograph, pixels=None)

    with (
        progress.bar("looking for people", len(collection)) as advance,
        closing(read(collection.paths, want, keep_duplicates=True)) as photographs,
        closing(in_order(draw, zip(collection.names, photographs, strict=True))) as finished,
    ):
        for name, photograph in finished:
            report.outcomes.append(photograph.outcome)
            if photograph.usable:
                people[name] = photograph.extras[PEOPLE]
            advance(1)
    return people, report
