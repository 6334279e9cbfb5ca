"""A catalog's map in its folder: places, whose they are, and sheets of small pictures that are made when asked for."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.maps.atlas import Map
from doppelgram.maps.projection import read_arrays, write_arrays
from doppelgram.maps.shown import tiles_of_thumbnails
from doppelgram.maps.sprites import make_sheets

FOLDER, FILE = "map", "map.npz"
SHEET, SIDE = 1024, 64
"""Pictures on a sheet (32 rows of 32), and the pixels of a side of each."""

_STEPS = 65_535

T = TypeVar("T")


@dataclass(frozen=True)
class KeptMap:
    """Where each photograph is.

    Rows stand in the order of a Z-curve through the plane, so that what is near on the map is on one sheet.

    Attributes:
        ids: (n,) of the catalog's rows.
        places: uint16 (n, 2); 65,535 steps are the longer side of the map.
        judged: (n,) whether a nearest neighbour with a label was there to be compared with.
        wrong: (n,) whether its label was another one.
        lowest: (2,) coordinates of the place (0, 0) in the map as it was made.
        step: how far it is from one place to the next there.
        facts: ``method``, ``by`` and ``about``, a line for the reader.
    """

    ids: NDArray[np.bytes_]
    places: NDArray[np.uint16]
    judged: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    lowest: NDArray[np.float64]
    step: float
    facts: Mapping[str, str]

    @classmethod
    def of(cls, found: Map) -> KeptMap:
        """A finished map as it is kept."""
        points = np.asarray(found.points, dtype=np.float64)
        lowest = points.min(axis=0)
        step = float((points.max(axis=0) - lowest).max()) / _STEPS or 1.0
        places = np.rint((points - lowest) / step).astype(np.uint16)
        order = np.argsort(_along_curve(places), kind="stable")
        facts = {"method": found.projection.method, "by": found.by, "about": found.projection.about}
        ids = np.asarray(found.images.ids, dtype=np.bytes_)
        nearest = found.nearest
        return cls(ids[order], places[order], nearest.judged[order], nearest.wrong[order], lowest, step, facts)

    @cached_property
    def stamp(self) -> str:
        """A name that no other map has."""
        return hashlib.sha256(self.ids.tobytes() + self.places.tobytes()).hexdigest()[:16]

    def save(self, folder: Path) -> None:
        """Keep it in a catalog's folder, in place of what is there."""
        names = ("ids", "places", "judged", "wrong", "lowest")
        arrays: dict[str, Any] = {name: getattr(self, name) for name in names}
        text = json.dumps({**self.facts, "step": self.step})
        write_arrays(folder / FOLDER / FILE, {**arrays, "page_map": np.array(text)})

    @classmethod
    def load(cls, folder: Path) -> KeptMap:
        """Read what `save` wrote.

        Raises:
            DoppelgramError: it is not there, or damaged.
        """

        def make(arrays: Mapping[str, Any]) -> KeptMap:
            facts = json.loads(str(arrays["page_map"]))
            ids, places = arrays["ids"], arrays["places"]
            if places.shape != (len(ids), 2) or not len(ids) == len(arrays["judged"]) == len(arrays["wrong"]):
                raise ValueError
            step = float(facts.pop("step"))
            return cls(ids, places, arrays["judged"], arrays["wrong"], arrays["lowest"], step, facts)

        try:
            return read_arrays(folder / FOLDER / FILE, make)
        except DoppelgramError:
            raise DoppelgramError("the map that is kept in the catalog's folder is damaged; make it again") from None


class Maps:
    """The map of one catalog, read again whenever it was made anew. Safe to use from several threads.

    Attributes:
        place: folder in which a map is kept: the catalog's own, or where that may not be written to, one that is gone
            with this object.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.place = catalog.folder
        if not os.access(catalog.folder, os.W_OK):
            self._beside = TemporaryDirectory(prefix="doppelgram-", ignore_cleanup_errors=True)
            self.place = Path(self._beside.name)
        self._lock, self._drawing = threading.Lock(), threading.Lock()
        self._kept: KeptMap | None = None
        self._written = 0
        self._together: tuple[Any, Any, Any] = (None, None, None)

    def kept(self) -> KeptMap | None:
        """The map; None if none was made, or it cannot be read any more."""
        folder = self.place if (self.place / FOLDER / FILE).is_file() else self._catalog.folder
        with self._lock:
            try:
                written = (folder / FOLDER / FILE).stat().st_mtime_ns
            except OSError:
                return None
            if written != self._written:
                try:
                    self._kept = KeptMap.load(folder)
                except DoppelgramError:
                    self._kept = None
                self._written = written
            return self._kept

    def together(self, kept: KeptMap, other: Any, work: Callable[[KeptMap, Any], T]) -> T:
        """What some work makes of a map and something else; the last is remembered."""
        with self._lock:
            if self._together[0] is not kept or self._together[1] is not other:
                self._together = kept, other, work(kept, other)
            found: T = self._together[2]
            return found

    def sheet(self, kept: KeptMap, number: int) -> bytes | None:
        """A sheet (JPEG) of the pictures at places ``number * 1024`` and on; None where there are no more."""
        ids = [one.decode() for one in kept.ids[number * SHEET : (number + 1) * SHEET]]
        if not ids:
            return None
        folder = self.place / FOLDER
        file = folder / f"sheets-{kept.stamp}" / f"{number}.jpg"
        with self._drawing:
            if not file.is_file():
                for other in folder.glob("sheets-*"):  # those of earlier maps
                    if other != file.parent:
                        shutil.rmtree(other, ignore_errors=True)
                rows = self._catalog.find(ids, ["thumbnail"])
                found = dict(zip(rows.index.tolist(), rows["thumbnail"].tolist(), strict=True))
                tiles = tiles_of_thumbnails([found.get(id_, b"") for id_ in ids], SIDE)
                with written_whole(file) as aside:
                    aside.write_bytes(make_sheets(tiles, SIDE).jpegs[0])
        return file.read_bytes()


def _along_curve(places: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """How far along a Z-curve (Morton 1966) each place (n, 2) is: the bits of both coordinates in turns."""
    mixed = np.zeros(len(places), dtype=np.uint64)
    for bit in range(16):
        for axis in range(2):
            one = (places[:, axis].astype(np.uint64) >> np.uint64(bit)) & np.uint64(1)
            mixed |= one << np.uint64(2 * bit + axis)
    return mixed
