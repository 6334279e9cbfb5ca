"""The people of a collection: found once, each photograph drawn on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.files import written_whole
from doppelgram.images.ordered import in_order
from doppelgram.images.read import Photograph, Want, read
from doppelgram.images.report import LoadReport
from doppelgram.images.whole import WholePhotograph
from doppelgram.numbers import percent
from doppelgram.pose.drawing import overlay
from doppelgram.pose.estimators.estimator import Estimator
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.extras import PEOPLE, people_extra
from doppelgram.pose.people import People

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


def drawing_files(collection: Collection, folder: Path) -> dict[str, Path]:
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


def find_in_collection(
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
