"""The plan of a job: the files, cut into parts that workers take. It is made once, and never changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from doppelgram.catalog.rows import Entry
from doppelgram.errors import DoppelgramError
from doppelgram.scale.digests import Digests
from doppelgram.scale.write_once import WriteOnceStore

VERSION = 1
# Files of a part: few, so that a kill loses little and the last worker is not waited for, but so many that writing them
# takes no time beside embedding, and that a large job does not leave a hundred thousand pieces.
SMALLEST, LARGEST, PARTS = 128, 4096, 1024


@dataclass(frozen=True)
class Request:
    """What is to be embedded, and how.

    Attributes:
        entries: the files in the collection's order, and what is known of them.
        settings: all else that decides the rows: the model's fingerprint, how its images are cut, their thumbnails.
    """

    entries: Sequence[Entry]
    settings: Mapping[str, Any]

    @cached_property
    def parts(self) -> list[bytes]:
        """Parts as they are kept: of each file what is known of it, and its size and time."""
        size = min(LARGEST, max(SMALLEST, len(self.entries) // PARTS))
        pieces = [self.entries[start : start + size] for start in range(0, len(self.entries), size)]
        return [_json({"entries": [vars(one) | _state(one.path) for one in piece]}) for piece in pieces]

    @cached_property
    def key(self) -> str:
        """The same for the same files, as long as these do not change, and the same settings."""
        digest = hashlib.sha256(_json(self.settings))
        for data in self.parts:
            digest.update(data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Plan:
    """Parts of a job.

    Attributes:
        id: the same for the same files, model and catalog.
        request: hash of what was asked for, without what the catalog held.
        parts: id of each part, in the collection's order.
        sizes: number of files of each.
    """

    id: str
    request: str
    parts: tuple[str, ...]
    sizes: tuple[int, ...]


class Plans:
    """The plans in a catalog whose work is not finished.

    Args:
        store: of the catalog's folder of plans.
    """

    def __init__(self, store: WriteOnceStore) -> None:
        self.store = store

    def unfinished(self) -> list[Plan]:
        """Plans that somebody began to work on."""
        return [self.open(name) for name in self.store.folders() if self.store.has(f"{name}/plan.json")]

    def forget_half_made(self) -> None:
        """Delete plans whose making was interrupted; nobody may be making one."""
        for name in self.store.folders():
            if not self.store.has(f"{name}/plan.json"):
                self.forget(name)

    def open(self, plan: str) -> Plan:
        """A plan by its id.

        Raises:
            DoppelgramError: it is not there, damaged, or of another version.
        """
        try:
            facts = json.loads(self.store.get(f"{plan}/plan.json") or b"")
            if facts.pop("version") != VERSION:
                raise ValueError
            return Plan(plan, facts["request"], tuple(facts["parts"]), tuple(facts["sizes"]))
        except (ValueError, KeyError, TypeError):
            raise DoppelgramError(
                f"{self.store.place}/{plan}: this plan is damaged or another version's; delete it and start again"
            ) from None

    def make(self, request: Request, known: Digests) -> Plan:
        """Write down a plan, its parts first, so that it is whole once it can be seen.

        Args:
            request: what is asked for.
            known: digests of the files that the catalog holds already. They are part of every part's id: what the
                table holds of a part has then come from this plan and from no earlier one.
        """
        cut = request.parts
        parts = [hashlib.sha256(_json([request.settings, known.key]) + data).hexdigest()[:32] for data in cut]
        sizes = [len(json.loads(data)["entries"]) for data in cut]
        plan = hashlib.sha256(_json(parts)).hexdigest()[:16]
        for part, data in zip(parts, cut, strict=True):
            self.store.put(f"{plan}/parts/{part}.json", data)
        self.store.put(f"{plan}/known", known.data)
        facts = {"version": VERSION, "request": request.key, "parts": parts, "sizes": sizes}
        self.store.put(f"{plan}/plan.json", _json(facts))
        return self.open(plan)

    def entries(self, plan: str, part: str) -> list[Entry]:
        """The files of a part."""
        return [
            Entry(**{name: one[name] for name in Entry.__dataclass_fields__} | {"timestamp": _time(one["timestamp"])})
            for one in json.loads(self._there(plan, f"parts/{part}.json"))["entries"]
        ]

    def known(self, plan: str) -> Digests:
        """Digests of the files that the catalog held when the plan was made."""
        return Digests(self._there(plan, "known"))

    def is_finished(self, plan: str) -> bool:
        """Whether its work is done, and only its deletion was interrupted."""
        return not self.store.has(f"{plan}/known")

    def forget(self, plan: str) -> None:
        """Delete a plan that is finished: first what is missing of no other, last the file by which it is a plan."""
        names = self.store.names(plan)
        first, last = f"{plan}/known", f"{plan}/plan.json"
        self.store.remove([first])
        self.store.remove([name for name in names if name not in (first, last)])
        self.store.remove([last])

    def _there(self, plan: str, name: str) -> bytes:
        data = self.store.get(f"{plan}/{name}")
        if data is None:
            raise DoppelgramError(f"{self.store.place}/{plan}: {name} is missing; delete this plan and start again")
        return data


def _state(path: str) -> dict[str, int]:
    """Size and time of a file, by which it counts as the same until the work is done."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return {"bytes": -1, "changed": -1}
    return {"bytes": found.st_size, "changed": found.st_mtime_ns}


def _json(value: Any) -> bytes:
    """JSON in ASCII, so that the name of a file that is no text is kept as it is."""
    text = json.dumps(value, separators=(",", ":"), default=lambda one: one.isoformat())
    return text.encode("ascii")


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
