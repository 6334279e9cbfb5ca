"""What became of every file that was asked for."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

from doppelgram.errors import DoppelgramError

Status = Literal["ok", "duplicate", "missing", "broken", "faceless"]

_LONGEST_NAME = 100


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file.

    Attributes:
        path: the file as it was asked for.
        status: ``ok``; ``duplicate``, the same bytes as an earlier file; ``missing``, no such file; ``broken``,
            there but without an image in it; ``faceless``, an image without the face that a model of faces needs.
        reason: why it is not ``ok``, in a few words.
        faces: how many faces were found in it; None where none were looked for.
    """

    path: str
    status: Status
    reason: str = ""
    faces: int | None = None


@dataclass
class LoadReport:
    """One outcome for every file that was asked for, in that order."""

    outcomes: list[FileOutcome] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return how many files ended in each status, all of them."""
        counts: dict[str, int] = dict.fromkeys(get_args(Status), 0)
        for outcome in self.outcomes:
            counts[outcome.status] += 1
        return counts

    def problems(self) -> list[FileOutcome]:
        """Return the outcomes of the files that gave nothing: missing, broken and faceless."""
        return [outcome for outcome in self.outcomes if outcome.status in ("missing", "broken", "faceless")]

    def summary(self, limit: int = 5) -> str:
        """Return one line for a person, naming at most ``limit`` files of each status that is not ``ok``."""
        counts = self.counts()
        total = len(self.outcomes)
        sentences = [f"{counts['ok']:,} of {total:,} file{'' if total == 1 else 's'} read."]
        headings = {"duplicate": "Duplicates", "missing": "Missing", "broken": "Broken", "faceless": "Without a face"}
        for status, heading in headings.items():
            if counts[status]:
                found = (outcome for outcome in self.outcomes if outcome.status == status)
                sentences.append(f"{heading} ({counts[status]:,}): {_examples(found, counts[status], limit)}.")
        return " ".join(sentences)

    def face_notes(self, limit: int = 5) -> list[str]:
        """Return a line on the images without a face, if any, and one on those with several.

        Each names at most ``limit`` images. Copies are not counted again.
        """
        read = [outcome for outcome in self.outcomes if outcome.status == "ok" and outcome.faces is not None]
        several = [replace(outcome, reason=str(outcome.faces)) for outcome in read if (outcome.faces or 0) > 1]
        lines = []
        for found, what in (
            ([outcome for outcome in read if outcome.faces == 0], "no face found, the middle was taken"),
            (several, "several faces found, the largest was taken"),
        ):
            if found:
                count = f"{len(found):,} image{'' if len(found) == 1 else 's'}"
                lines.append(f"{count}: {what}: {_examples(found, len(found), limit)}.")
        return lines

    def to_json(self) -> str:
        """Return counts and outcomes as JSON text in ASCII; ``faces`` only where faces were looked for."""
        outcomes = [
            {key: value for key, value in asdict(outcome).items() if key != "faces" or value is not None}
            for outcome in self.outcomes
        ]
        return json.dumps({"counts": self.counts(), "outcomes": outcomes})

    def raise_if_nothing_readable(self) -> None:
        """Stop a run that has nothing to work on.

        Raises:
            DoppelgramError: no outcome is ``ok``.
        """
        if any(outcome.status == "ok" for outcome in self.outcomes):
            return
        if not self.outcomes:
            raise DoppelgramError("No image files were given.")
        counts = self.counts()
        if counts["faceless"] and not counts["missing"] + counts["broken"]:
            raise DoppelgramError(f"In none of the images there is a face, and this model needs one: {self.summary()}")
        raise DoppelgramError(f"None of the images can be read: {self.summary()}")


def quoted(name: str) -> str:
    """Return ``name`` in quotes on one line that any terminal can show, shortened at the front if very long."""
    if len(name) > _LONGEST_NAME:
        name = "..." + name[-_LONGEST_NAME:]
    # repr() escapes line breaks, control characters and bytes that are no text.
    return repr(name)


def _examples(outcomes: Iterable[FileOutcome], count: int, limit: int) -> str:
    shown: list[str] = []
    for outcome in outcomes:
        if len(shown) >= limit:
            break
        with_reason = f" ({outcome.reason})" if outcome.reason else ""
        shown.append(quoted(outcome.path) + with_reason)
    more = count - len(shown)
    if not shown:
        return "not listed"
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
