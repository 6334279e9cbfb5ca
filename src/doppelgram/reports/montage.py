"""The montage: a picture of queries and their nearest neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from doppelgram.catalog.search.searcher import Neighbours
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import JOIN
from doppelgram.errors import DoppelgramError
from doppelgram.images.batch import content_hash
from doppelgram.numbers import count
from doppelgram.reports.drawing import FAINT, Sheet, tile_of
from doppelgram.reports.montage_parts import Layout, Legend, draw_footer, draw_header, draw_match, draw_query

_SMALLEST, _LARGEST = 64, 512


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
    queries = count(len(neighbours), "query", "queries")
    too_large = f"{queries} with {columns} neighbours do not fit into one picture; draw fewer of them"
    sheet = Sheet(width, height, too_large=too_large)
    draw_header(sheet, layout, f"{queries} in a catalog of {count(len(catalog), 'image')}", legend, columns)
    for row, (found, key, name) in enumerate(zip(neighbours, ids, names, strict=True)):
        top = layout.header + row * layout.row
        picture = tile_of(thumbnails.get(key, found.query), tile, found.face.box if found.face else None)
        draw_query(sheet, layout, top, picture, name, found.query)
        for position, (match, verdict) in enumerate(zip(found.matches, verdicts[row], strict=True)):
            at = (layout.first + position * layout.column, top + layout.pad)
            picture = tile_of(thumbnails.get(match.id), tile, match.face.box if match.face else None)
            draw_match(sheet, layout, at, picture, match, verdict)
        if not found.matches:
            middle = (layout.first, top + layout.pad + tile / 2)
            sheet.write(middle, "nothing else to compare with", layout.text, FAINT, "lm")
    calibrated = any(match.probability is not None for found in neighbours for match in found.matches)
    arranged = any(match.parts for found in neighbours for match in found.matches)
    draw_footer(sheet, layout, calibrated, arranged)
    return sheet.save(Path(file))


def _verdict(query: str, found: str) -> str:
    if not query or not found:
        return "unknown"
    return "same" if query == found else "different"


def _digest(query: str) -> str:
    try:
        return content_hash(query)
    except DoppelgramError:
        return ""
