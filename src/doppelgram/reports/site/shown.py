"""The photographs of a catalog as an exported site shows them: by number, with no path of the machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from PIL import Image

from doppelgram.catalog.findings import people_from
from doppelgram.catalog.rows import FACTS, file_of
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import open_image
from doppelgram.maps.sprites import Pixels, empty, square
from doppelgram.pose.people import People
from doppelgram.reports.role_models.anonymous import AnonymousPictures, blur_head
from doppelgram.reports.role_models.photographs import Picture, Pictures, small_picture

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 1600
"""Long side in pixels of the largest photograph that is exported."""


@dataclass(frozen=True)
class Shown:
    """Photographs and how they may be shown.

    Attributes:
        rows: of the catalog, by id, in the order of their names.
        blurred: whether heads are blurred; a photograph in which nobody was found is then not shown.
    """

    rows: pd.DataFrame
    blurred: bool

    @classmethod
    def of_catalog(cls, catalog: Catalog, blurred: bool) -> Shown:
        """All photographs of a catalog.

        Raises:
            DoppelgramError: heads shall be blurred, and in no photograph somebody was found.
        """
        rows = catalog.rows([*FACTS, "thumbnail"]).sort_values(["name", "id"], kind="stable").set_index("id")
        shown = cls(rows, blurred)
        if blurred and len(rows) and shown.hidden == len(shown.first_rows):
            raise DoppelgramError(
                f"{catalog.folder}: heads cannot be blurred, since nobody was found in its photographs; "
                "index them with a model of places and poses, such as arrangements"
            )
        return shown

    @cached_property
    def hidden(self) -> int:
        """How many photographs may not be shown, since there is nobody in them whose head could be blurred."""
        return sum(not self.may_show(row) for row in self.first_rows) if self.blurred else 0

    def may_show(self, row: str) -> bool:
        """Whether a row may be shown."""
        return not self.blurred or bool(self._people(row))

    def _people(self, row: str) -> People | None:
        return people_from(json.loads(self.rows["columns"].get(row) or "{}"))

    @cached_property
    def numbers(self) -> dict[str, str]:
        """By row its photograph's number, from 0001 on; rows of the same file have the same."""
        ids: list[str] = self.rows.index.tolist()
        files = list(dict.fromkeys(map(file_of, ids)))
        width = max(4, len(str(len(files))))
        of_file = {file: f"{number:0{width}d}" for number, file in enumerate(files, start=1)}
        return {row: of_file[file_of(row)] for row in ids}

    @cached_property
    def first_rows(self) -> list[str]:
        """One row of each photograph."""
        first: dict[str, str] = {}
        for row, number in self.numbers.items():
            first.setdefault(number, row)
        return list(first.values())

    @cached_property
    def pictures(self) -> Pictures:
        """Looks up the small picture of a row."""
        ids: list[str] = self.rows.index.tolist()
        thumbnails, columns = (
            dict(zip(ids, self.rows[name].tolist(), strict=True)) for name in ("thumbnail", "columns")
        )

        def look_up(row: str, side: int) -> Picture | None:
            return small_picture(thumbnails[row], columns[row], side) if row in thumbnails else None

        return AnonymousPictures(look_up, {row: row for row in ids}) if self.blurred else look_up

    def small(self, row: str, side: int) -> Image.Image | None:
        """The small picture of a row at a long side of at most ``side`` pixels; None if it may not be shown."""
        picture = self.pictures(row, side)
        return None if picture is None else Image.open(BytesIO(picture.jpeg)).convert("RGB")

    def tiles(self, rows: Iterable[str], side: int) -> Iterable[Pixels]:
        """Small pictures in squares (side, side, 3); an empty square for each that may not be shown."""
        for row in rows:
            image = self.small(row, side)
            yield empty(side) if image is None else square(image, side)

    def large(self, row: str) -> Image.Image | None:
        """The photograph at a long side of at most `LONGEST`, from its file, without EXIF; None if not shown.

        Raises:
            DoppelgramError: the file is no longer there, or gives no image.
        """
        if not self.may_show(row):
            return None
        image = open_image(self.rows["path"][row]).convert("RGB")
        image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        people = self._people(row) if self.blurred else None
        if people is not None:
            scale = image.width / people.width
            for person in people.keypoints:
                blur_head(image, person * [scale, scale, 1.0])
        return image


def own_name(name: str) -> str:
    """A photograph's name as strangers may read it: of an absolute path the last part alone."""
    if PurePosixPath(name).is_absolute() or name.startswith("~"):
        return PurePosixPath(name).name
    windows = PureWindowsPath(name)
    if windows.drive or windows.root:
        return windows.name
    parts = [part for part in PurePosixPath(name).parts if part != ".."]
    return "/".join(parts)
