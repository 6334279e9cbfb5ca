"""Search with many photographs: folders of them, in blocks, the answers written as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from doppelgram.catalog.cells import harmless
from doppelgram.catalog.search.photographs import Match, Neighbours, PhotographSearch
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.in_memory.collection import images_of
from doppelgram.dataset.in_memory.tables import rows_in_memory
from doppelgram.dataset.in_memory.values import in_a_row, is_path, source_of
from doppelgram.dataset.listing import list_files
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.images.read import Source

ENDINGS = (".csv", ".jsonl")
_AT_ONCE = 256
_COLUMNS = ("query", "rank", "id", "path", "name", "label", "distance", "probability")


@dataclass
class Answered:
    """How many photographs were asked with, how many had an answer, and what was wrong with the others."""

    queries: int = 0
    answered: int = 0
    problems: int = 0


def photographs_of(images: Iterable[Path]) -> list[Path]:
    """Photographs as they are, and of each folder all that lie below it.

    Raises:
        DoppelgramError: there is no photograph in a folder.
    """
    found: list[Path] = []
    for image in images:
        if not image.is_dir():
            found.append(image)
            continue
        inside = [image.joinpath(*parts) for parts in list_files(image).images]
        if not inside:
            raise DoppelgramError(f"{image}: there is no photograph in this folder")
        found += inside
    return found


def queries_of(images: Any) -> list[Source]:
    """What is asked with: photographs, folders of them and images in memory in any mixture, or all of a dataset.

    Raises:
        DoppelgramError: it is one image and no list, there is no photograph in a folder, or something is no image.
    """
    if isinstance(images, Collection):
        return list(images.paths)
    rows = rows_in_memory(images)
    if rows is not None:
        return list(images_of(rows))
    found: list[Source] = []
    for at, image in enumerate(in_a_row(images)):
        found += photographs_of([Path(image).expanduser()]) if is_path(image) else [source_of(image, f"image {at}")]
    return found


def blocks_of_answers(
    searcher: PhotographSearch, images: Sequence[Path], k: int, advance: Callable[[int], None], **settings: Any
) -> Iterator[list[Neighbours]]:
    """The answers to many photographs, a block at a time; settings as for `PhotographSearch.ask`."""
    for start in range(0, len(images), _AT_ONCE):
        part = images[start : start + _AT_ONCE]
        yield searcher.ask(part, k, **settings)
        advance(len(part))


def write_answers(blocks: Iterable[list[Neighbours]], file: Path, parts: Sequence[str] = ()) -> Answered:
    """Write answers as they come: as JSON, one line a photograph, or as CSV, one row a match.

    In a CSV, an apostrophe stands before what a spreadsheet would take for a formula.

    Args:
        blocks: of answers.
        file: whose name ends in .jsonl or .csv; it is replaced whole.
        parts: of the space, such as place and pose, of which a CSV has a column each.

    Raises:
        DoppelgramError: it ends otherwise, or cannot be written.
    """
    if file.suffix.lower() not in ENDINGS:
        raise DoppelgramError(f"{file}: answers are written as CSV or JSON lines; let its name end in .csv or .jsonl")
    told = Answered()
    with written_whole(file) as aside, aside.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out) if file.suffix.lower() == ".csv" else None
        if table is not None:
            table.writerow([*_COLUMNS, *parts, "problem"])
        for block in blocks:
            for answer in block:
                told.queries += 1
                told.problems += bool(answer.problem)
                told.answered += bool(answer.matches)
                if table is None:
                    out.write(json.dumps(asdict(answer), ensure_ascii=False, default=str) + "\n")
                    continue
                table.writerows(_rows(answer, parts))
    return told


def _rows(answer: Neighbours, parts: Sequence[str]) -> Iterator[list[Any]]:
    if not answer.matches:
        yield [harmless(answer.query), *[""] * (len(_COLUMNS) - 1 + len(parts)), answer.problem]
    for match in answer.matches:
        yield [harmless(answer.query), *_cells(match), *(match.parts.get(part, "") for part in parts), ""]


def _cells(match: Match) -> tuple[Any, ...]:
    probability = "" if match.probability is None else match.probability
    texts = (harmless(text) for text in (match.path, match.name, match.label))
    return (match.rank, match.id, *texts, match.distance, probability)
