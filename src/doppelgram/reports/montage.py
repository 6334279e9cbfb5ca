"""The montage: a picture of queries and their nearest neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from doppelgram.catalog.search import Neighbours
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import JOIN
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.images.batch import content_hash
from doppelgram.images.decode import decode, open_image
from doppelgram.reports.drawing import FAINT, PAGE, blank, fitted, write
from doppelgram.reports.montage_parts import Layout, Legend, draw_footer, draw_header, draw_match, draw_query

_SMALLEST, _LARGEST, _MOST_PIXELS = 64, 512, 150_000_000


def draw_montage(
    neighbours: Sequence[Neighbours],
    catalog: Catalog,
    file: Path,
    *,
    tile: int = 132,
    query_labels: Mapping[str, str] | None = None,
) -> Path:
    """Draw one row a query: the query at the left, then its neighbours in order, as a PNG.

    Under each neighbour stand its label, the distance, and the probability that it shows the same. Where both labels
    are known, a blue frame with a tick or an orange frame with a cross says whether they agree. Neighbours are shown
    from the catalog's thumbnails; so are queries whose content it holds.

    Args:
        neighbours: what `Searcher.search` returned.
        catalog: what it searched.
        file: the PNG to write; it is replaced whole.
        tile: side of a picture in pixels, 64 to 512.
        query_labels: labels by ``Neighbours.query``, for queries that the catalog does not hold.

    Returns:
        ``file``.

    Raises:
        DoppelgramError: nothing to draw, more than one picture can hold, or the file cannot be written.
    """
    if not neighbours:
        raise DoppelgramError("there are no search results to draw")
    if not _SMALLEST <= tile <= _LARGEST:
        raise DoppelgramError(f"tile is {tile}; it must be {_SMALLEST} to {_LARGEST} pixels")
    columns = max(1, *(len(found.matches) for found in neighbours))
    ids = [found.id or _digest(found.query) for found in neighbours]
    wanted = [*ids, *(match.id for found in neighbours for match in found.matches)]
    stored = catalog.find(wanted, ["label", "thumbnail"])
    labels: dict[str, str] = dict(zip(stored.index, stored["label"], strict=True))
    thumbnails: dict[str, bytes] = dict(zip(stored.index, stored["thumbnail"], strict=True))
    given = query_labels or {}
    names = [labels.get(key) or given.get(found.query, "") for key, found in zip(ids, neighbours, strict=True)]
    verdicts = [
        [_verdict(name, match.label) for match in found.matches] for name, found in zip(names, neighbours, strict=True)
    ]
    shown = [*names, *(match.label for found in neighbours for match in found.matches)]
    layout = Layout(tile, lines=2 if any(JOIN in label for label in shown) else 1)
    legend = Legend(layout, Counter(verdict for row in verdicts for verdict in row))
    right = max(layout.first + columns * layout.column - layout.space, layout.margin + legend.width)
    width, height = right + layout.margin, layout.header + len(neighbours) * layout.row + layout.footer
    if width * height > _MOST_PIXELS:
        raise DoppelgramError(
            f"{len(neighbours)} queries with {columns} neighbours do not fit into one picture; draw fewer of them"
        )
    page = Image.new("RGB", (width, height), PAGE)
    queries, images = _count(len(neighbours), "query", "queries"), _count(len(catalog), "image", "images")
    draw_header(page, layout, f"{queries} in a catalog of {images}", legend, columns)
    for row, (found, key, name) in enumerate(zip(neighbours, ids, names, strict=True)):
        top = layout.header + row * layout.row
        draw_query(page, layout, top, _query_picture(found.query, thumbnails.get(key), tile), name, found.query)
        for position, (match, verdict) in enumerate(zip(found.matches, verdicts[row], strict=True)):
            at = (layout.first + position * layout.column, top + layout.pad)
            draw_match(page, layout, at, _from_thumbnail(thumbnails.get(match.id), tile), match, verdict)
        if not found.matches:
            middle = (layout.first, top + layout.pad + tile / 2)
            write(ImageDraw.Draw(page), middle, "nothing else to compare with", layout.text, FAINT, "lm")
    calibrated = any(match.probability is not None for found in neighbours for match in found.matches)
    arranged = any(match.parts for found in neighbours for match in found.matches)
    draw_footer(page, layout, calibrated, arranged)
    return _save(page, Path(file))


def _verdict(query: str, found: str) -> str:
    if not query or not found:
        return "unknown"
    return "same" if query == found else "different"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _digest(query: str) -> str:
    try:
        return content_hash(query)
    except DoppelgramError:
        return ""


def _query_picture(query: str, thumbnail: bytes | None, tile: int) -> Image.Image:
    if thumbnail is not None:
        return _from_thumbnail(thumbnail, tile)
    try:
        return fitted(open_image(query, at_least=2 * tile), tile)
    except DoppelgramError:
        return blank(tile)


def _from_thumbnail(thumbnail: bytes | None, tile: int) -> Image.Image:
    try:
        return fitted(decode(thumbnail or b""), tile)
    except DoppelgramError:
        return blank(tile)


def _save(page: Image.Image, file: Path) -> Path:
    with written_whole(file) as aside:
        page.save(aside, "PNG")
    return file
