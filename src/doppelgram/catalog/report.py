"""What became of the files of a collection that was indexed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from doppelgram.images.report import LoadReport, quoted
from doppelgram.numbers import count, duration


@dataclass
class IndexReport:
    """What became of the files of a collection.

    Attributes:
        added: files whose content is new in the catalog.
        already_present: files whose content was there before, under this path or another.
        duplicate: files with the same bytes as an earlier file of the collection.
        missing: files that do not exist.
        broken: files that are there but give no image.
        faceless: images without a face, by models of faces.
        updated: rows whose path, label, author or time was brought up to date; counted among `already_present`.
        gone: paths of images in the catalog whose files were deleted.
        replaced: paths of images in the catalog whose files have other content now.
        away: paths of images in the catalog whose files are not there, but perhaps only their disk is not connected.
        removed: how many rows of those gone or replaced were taken out of the catalog.
        seconds: wall time.
        without_people: paths of the added photographs in which nobody was found, by models that look for people; None
            with other models.
        faces: faces that were added, where each of a photograph can have a row; else None.
        runtime: what ran the network, in which precision and on what; empty where no runtime was chosen.
        files: one outcome a file, with reasons, in the collection's order.
        digests: id in the catalog of each file, in that order; empty where the file gave no image.
    """

    added: int = 0
    already_present: int = 0
    duplicate: int = 0
    missing: int = 0
    broken: int = 0
    faceless: int = 0
    updated: int = 0
    gone: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    removed: int = 0
    seconds: float = 0.0
    without_people: list[str] | None = None
    faces: int | None = None
    runtime: str = ""
    files: LoadReport = field(default_factory=LoadReport)
    digests: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """Return counts, seconds and outcomes as JSON text in ASCII; people and faces only where looked for."""
        left_out = {"files", "digests"} | {key for key in ("without_people", "faces") if getattr(self, key) is None}
        facts = {key: value for key, value in asdict(self).items() if key not in left_out}
        return json.dumps(facts | json.loads(self.files.to_json()))

    def summary(self, limit: int = 5) -> str:
        """Return one line for a person, naming at most ``limit`` files of each kind that gave nothing new."""
        faces = f" ({count(self.faces, 'face')})" if self.faces is not None else ""
        counts = [f"{self.added:,} added{faces}"]
        if self.already_present:
            moved = f" ({self.updated:,} brought up to date)" if self.updated else ""
            counts.append(f"{self.already_present:,} already present{moved}")
        for name in ("duplicate", "missing", "broken"):
            if getattr(self, name):
                counts.append(f"{getattr(self, name):,} {name}")
        if self.faceless:
            counts.append(f"{self.faceless:,} without a face")
        line = f"{', '.join(counts)} in {duration(self.seconds)}."
        stale = [
            f"{len(paths):,} {what}, such as {quoted(paths[0])}"
            for what, paths in (("whose file is gone", self.gone), ("whose file was replaced", self.replaced))
            if paths
        ]
        if stale:
            done = "taken out" if self.removed else "still answered with; --prune takes them out"
            line += f" In the catalog there {'were' if self.removed else 'are'} images {' and '.join(stale)}: {done}."
        if self.away:
            line += (
                f" Not there now, nor the folder, are {count(len(self.away), 'file')} of the catalog, such as "
                f"{quoted(self.away[0])}: kept, as only a disk may be missing. To take them out, index the folder that "
                "theirs was in, with --prune."
            )
        if self.without_people:
            number = len(self.without_people)
            whose = "its pose counts" if number == 1 else "their poses count"
            line += f" Nobody was found in {number:,} of those added, so {whose} as unknown."
        told = self.duplicate or self.missing or self.broken or self.faceless
        return f"{line} {self.files.summary(limit)}" if told else line
