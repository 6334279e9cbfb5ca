"""The index of an exported site: what there is, a mosaic, where to go on, rights, and how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from doppelgram.maps.atlas import Map
from doppelgram.numbers import count, day
from doppelgram.reports.pages import page, write_text
from doppelgram.reports.site.mosaic import Mosaic
from doppelgram.reports.site.shown import Shown

RIGHTS = (
    "The photographs belong to those who took them. Publish or copy them only with permission, under their licence, or "
    "where the law allows it, as for quotation.",
    "People who can be recognised have a say in where their picture is shown, and so have the authors of posts. Ask "
    "them, or leave their pictures out.",
)
BLURRED = (
    "The heads of the people that the program found are blurred. People whom it did not find are not: look at every "
    "picture before you publish it. Names of authors and files are not changed."
)


@dataclass(frozen=True)
class Page:
    """A page that the index leads to: its file or folder, its name, and a sentence on it."""

    file: str
    name: str
    about: str


def write_index(
    shown: Shown, found: Map, mosaic: Mosaic, file: Path, *, title: str, pages: Sequence[Page], notes: Sequence[str]
) -> Path:
    """Write the index.

    Args:
        shown: the photographs.
        found: their map.
        mosaic: of them.
        file: to write.
        title: of the page.
        pages: that it leads to.
        notes: what was left out, and why.
    """
    return write_text(
        file,
        page(
            "reports/site/index.html",
            title=title,
            lead=_lead(shown),
            figures=_figures(shown),
            notes=notes,
            mosaic=mosaic,
            pages=pages,
            rights=[*RIGHTS, *([BLURRED] if shown.blurred else [])],
            made=_made(found, mosaic),
        ),
    )


def _lead(shown: Shown) -> str:
    times = shown.rows["timestamp"].dropna()
    text = "A program compared these photographs with each other by what they show"
    if len(times):
        first, last = day(times.min()), day(times.max())
        text += f"; they are from {first}" + (f" to {last}" if last != first else "")
    return text + "."


def _figures(shown: Shown) -> list[tuple[str, str]]:
    """The numbers at the head of the page, each with its name."""
    rows = shown.rows
    labels, authors = (int(rows[column][rows[column] != ""].nunique()) for column in ("label", "author"))
    numbers = [
        (len(shown.first_rows), "photograph", "photographs"),
        (labels, "label", "labels"),
        (authors, "author", "authors"),
    ]
    return [(f"{n:,}", one if n == 1 else many) for n, one, many in numbers if n]


def _made(found: Map, mosaic: Mosaic) -> list[tuple[str, str]]:
    facts = found.summary()
    return [
        ("Vectors", f"A model turned each photograph into {facts['dim']:,} numbers; what is near is alike."),
        ("Model", f"Fingerprint {found.fingerprint[:12]}."),
        ("Map", f"{found.projection.about}. It has {count(len(found.images), 'photograph')}; seed {facts['seed']}."),
        ("Mosaic", mosaic.about),
        ("Program", f"Doppelgram {version('doppelgram')}, {day(datetime.now(UTC))}."),
    ]
