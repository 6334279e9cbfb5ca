"""The states of what a catalog means by alike: each a version with its figures, none of which deletes another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doppelgram.catalog.folder import MODEL_FOLDER, copy_whole, plain_errors
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.models.format import DESCRIPTION_FILE, write_recalibrated
from doppelgram.numbers import count, plural

VERSIONS_FOLDER, FACTS_FILE, CURRENT_FILE = "versions", "version.json", "current.json"
CATALOG_FOLDER = "catalog"
START, CALIBRATION, TRAINED = KINDS = ("start", "calibration", "model")

_NUMBER = re.compile(r"[0-9]{4,}")


@dataclass(frozen=True)
class Version:
    """One state.

    Attributes:
        number: from 1 on.
        kind: ``start``, ``calibration``, or ``model``, which has photographs embedded by a model of its own.
        made_by: what made it, in words.
        when: UTC time in ISO 8601.
        figures: what was measured when it was made.
        base: number of the trained version whose photographs it is about; 0 for the catalog as it was indexed.
        current: whether it is the one in effect.
    """

    number: int
    kind: str
    made_by: str
    when: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    base: int = 0
    current: bool = False


class Versions:
    """The versions of a catalog, in its folder ``versions/``, each in a folder by its number; made when first changed.

    Each holds the description of its model, and with it the calibration; to go to a version copies that into the
    ``model/`` of its catalog, so that every search there has it. A version of a trained model also holds that catalog,
    ``catalog/``, with all photographs embedded by the model; the outer catalog stays as it was.

    Args:
        folder: the catalog's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Version]:
        """Every version, oldest first, the state that the catalog is in among them; nothing is written."""
        numbers = self._numbers()
        if not numbers:
            return [self._unwritten(1, 0)]
        current = self._current()
        found = [self._read(number, number == current) for number in numbers]
        there = next((version for version in found if version.current), None)
        if there is None:
            raise DoppelgramError(f"{self.folder}: version {current}, which is in effect, is missing")
        if (self.place(current) / DESCRIPTION_FILE).read_bytes() == self._description(there.base).read_bytes():
            return found
        outside = self._unwritten(1 + max(int(one.name) for one in self._folders()), there.base)
        return [*(replace(version, current=False) for version in found), outside]

    def current(self) -> Version:
        """The one in effect; a model that was calibrated by other means meanwhile counts as a version, too."""
        return next(version for version in self.all() if version.current)

    def place(self, number: int) -> Path:
        """The folder of a version."""
        return self.folder / VERSIONS_FOLDER / f"{number:04}"

    def catalog_folder(self) -> Path:
        """The folder of the catalog that is in effect: the outer one, or that of a trained version."""
        return self._base_folder(self.current().base)

    def keep(self) -> None:
        """Make the state that the catalog is in a version in its folder, so that it can be gone back to."""
        current = self.current()
        if current.number not in self._numbers():
            number = self._begin()
            copy_whole(self._description(current.base), self.place(number) / DESCRIPTION_FILE)
            self._finish(number, START, current.made_by, {}, current.base)

    def begin(self) -> int:
        """Take the next number and make its folder; the version is there once it was added."""
        self.keep()
        return self._begin()

    def _begin(self) -> int:
        number = max((int(one.name) for one in self._folders()), default=0)
        with plain_errors(self.folder, "written"):
            while True:
                number += 1
                try:
                    self.place(number).mkdir(parents=True)
                except FileExistsError:  # another process took it
                    continue
                return number

    def add_calibration(self, values: Mapping[str, Any], made_by: str, figures: Mapping[str, Any]) -> Version:
        """The model of the version in effect with another calibration, put into effect.

        Args:
            values: the calibration as the model's description holds it.
            made_by: what made it, in words.
            figures: what was measured.
        """
        number = self.begin()
        current = self.current()
        write_recalibrated(self._description(current.base).parent, self.place(number) / DESCRIPTION_FILE, values)
        return self._finish(number, CALIBRATION, made_by, figures, current.base)

    def add_trained(self, number: int, made_by: str, figures: Mapping[str, Any]) -> Version:
        """Finish a version that was begun, whose folder ``catalog/`` holds a catalog by now, and put it into effect."""
        copy_whole(self._description(number), self.place(number) / DESCRIPTION_FILE)
        return self._finish(number, TRAINED, made_by, figures, number)

    def go_to(self, number: int) -> Version:
        """Put a version into effect.

        Raises:
            DoppelgramError: there is no such version.
        """
        numbers = [version.number for version in self.all()]
        if number not in numbers:
            raise DoppelgramError(f"{self.folder}: has no version {number}; there are 1 to {numbers[-1]}")
        self.keep()
        return self._put_into_effect(number)

    def _put_into_effect(self, number: int) -> Version:
        version = self._read(number, True)
        copy_whole(self.place(number) / DESCRIPTION_FILE, self._description(version.base))
        with written_whole(self.folder / VERSIONS_FOLDER / CURRENT_FILE) as aside:
            aside.write_text(json.dumps({"number": number}) + "\n", encoding="utf-8")
        return version

    def _finish(self, number: int, kind: str, made_by: str, figures: Mapping[str, Any], base: int) -> Version:
        version = Version(number, kind, made_by, datetime.now(UTC).isoformat(timespec="seconds"), figures, base)
        facts = asdict(version)
        del facts["current"]
        with written_whole(self.place(number) / FACTS_FILE) as aside:
            aside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        return self._put_into_effect(number)

    def _base_folder(self, base: int) -> Path:
        return self.place(base) / CATALOG_FOLDER if base else self.folder

    def _description(self, base: int) -> Path:
        return self._base_folder(base) / MODEL_FOLDER / DESCRIPTION_FILE

    def _unwritten(self, number: int, base: int) -> Version:
        """The state that a catalog is in, where no version says it yet."""
        made_by = "calibrated outside of teaching" if self._numbers() else "as it was indexed"
        when = datetime.fromtimestamp(self._description(base).stat().st_mtime, UTC).isoformat(timespec="seconds")
        return Version(number, START, made_by, when, {}, base, current=True)

    def _folders(self) -> list[Path]:
        place = self.folder / VERSIONS_FOLDER
        return sorted(one for one in place.iterdir() if _NUMBER.fullmatch(one.name)) if place.is_dir() else []

    def _numbers(self) -> list[int]:
        return [int(one.name) for one in self._folders() if (one / FACTS_FILE).is_file()]

    def _current(self) -> int:
        return int(self._json(self.folder / VERSIONS_FOLDER / CURRENT_FILE)["number"])

    def _read(self, number: int, current: bool) -> Version:
        facts = self._json(self.place(number) / FACTS_FILE)
        try:
            return Version(**facts, current=current)
        except TypeError:
            raise DoppelgramError(f"{self.place(number) / FACTS_FILE}: is damaged") from None

    @staticmethod
    def _json(file: Path) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise DoppelgramError(
                f"{file}: cannot be read; it should say which version of the catalog is which"
            ) from None
        return found


def in_effect(catalog: Catalog) -> Catalog:
    """The catalog that counts where one is looked at, by commands and by the page alike.

    It is the given one, whose model has the calibration that is in effect, or what teaching has trained for it. An
    earlier state of a catalog, and one in a bucket, where there is no teaching, count as they are.

    Raises:
        DoppelgramError: the trained one, or what says which it is, is missing or damaged.
    """
    if catalog.as_of is not None or catalog.location.options is not None:
        return catalog
    folder = Versions(catalog.folder).catalog_folder()
    return catalog if folder == catalog.folder else Catalog.open(folder)


def left_out(outer: Catalog, inner: Catalog) -> str:
    """In a sentence, how many photographs came after `inner` was trained; empty where all are in it."""
    more = 0 if inner is outer else len(outer) - len(inner)
    if more <= 0:
        return ""
    what = f"{count(more, 'photograph')} came after the model was trained and {plural(more, 'is', 'are')} not found"
    return f"{what}; train again, or go back to an earlier version (doppelgram teach CATALOG --back-to N)"
