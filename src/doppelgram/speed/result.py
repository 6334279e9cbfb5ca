"""What was measured of a machine, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from doppelgram.numbers import size

# Of a row in a catalog beside its vector: path and names, and a JPEG of 160 pixels.
_ROW_BYTES = 6_000


@dataclass(frozen=True)
class Bench:
    """Rates of a machine.

    Attributes:
        machine: processors and memory, in a line.
        photographs: what was read, in words.
        network: what embedded, in words.
        dim: numbers of an embedding.
        reading: photographs a second, all processors.
        embedding: images a second by each runtime, all processors.
        searching: exact questions a second.
        searched_bytes: that each of these looks through.
        writing: bytes a second to the disk.
        shares_processors: whether reading and embedding take turns on the same processors; with a graphics card not.
    """

    machine: str
    photographs: str
    network: str
    dim: int
    reading: float
    embedding: dict[str, float]
    searching: float
    searched_bytes: int
    writing: float
    shares_processors: bool

    @property
    def fastest(self) -> str:
        """The runtime that embeds most."""
        return max(self.embedding, key=lambda name: self.embedding[name])

    def steps(self) -> dict[str, float]:
        """Milliseconds of a photograph in each step of an index, by the fastest runtime."""
        return {
            "reading": 1000 / self.reading,
            "the network": 1000 / self.embedding[self.fastest],
            "the disk": 1000 * (_ROW_BYTES + 4 * self.dim) / self.writing,
        }

    @property
    def together(self) -> float:
        """Photographs a second that an index can reach: steps on the same processors add up, others overlap."""
        steps = self.steps()
        turns = steps["reading"] + steps["the network"]
        beside = max(steps["reading"], steps["the network"])
        return 1000 / max(turns if self.shares_processors else beside, steps["the disk"])

    def rows(self) -> list[tuple[str, str, str]]:
        """Cells of a table: what, how fast, and of what."""
        lines = [("reading", f"{self.reading:,.0f} a second", self.photographs)]
        lines += [(f"by {name}", f"{rate:,.0f} a second", self.network) for name, rate in self.embedding.items()]
        gigabytes = self.searched_bytes * self.searching / 1e9
        about = f"exact, {gigabytes:.1f} GB a second of memory"
        lines.append(("search in 1M x 64", f"{1000 / self.searching:.1f} ms", about))
        lines.append(("disk", f"{size(round(self.writing))} a second", "written and synchronised"))
        return lines

    def limit(self) -> str:
        """What limits an index, in words."""
        steps = self.steps()
        slowest = max(steps, key=lambda name: steps[name])
        parts = ", ".join(f"{name} {spent:.1f} ms" for name, spent in steps.items())
        how = "take turns on the same processors" if self.shares_processors else "run side by side"
        return (
            f"An index is limited by {slowest}: of each photograph {parts}. Reading and the network {how}, so about "
            f"{self.together:,.0f} photographs a second can be reached by {self.fastest}. bf16 is used by itself only "
            "where it finds the same. Exact search is limited by memory."
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        return {
            **asdict(self),
            "milliseconds": self.steps(),
            "together": self.together,
            "limit": max(self.steps(), key=lambda name: self.steps()[name]),
        }
