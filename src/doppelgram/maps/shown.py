"""The images that a map may show: of a catalog, of a run, or of a folder or table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.catalog.search.where import Where
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import as_collection
from doppelgram.dataset.splits import PARTS
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.collection import embed_collection
from doppelgram.images.read import Photograph
from doppelgram.maps.atlas import Images
from doppelgram.maps.neighbours import Text
from doppelgram.maps.sprites import Pixels, empty, make_sheets, side_for, square
from doppelgram.models.embedder import Embedder
from doppelgram.space.exact import Float32
from doppelgram.space.space import Space
from doppelgram.training.run import open_run

OWN_PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class ShownImages:
    """Images that a map may show; one row each, with a way to make their small pictures of a given side."""

    vectors: Float32
    labels: Text
    parts: Text
    names: Sequence[str]
    ids: Sequence[str]
    tiles: Callable[[NDArray[np.int64], int], Iterable[Pixels]]

    def images(self, space: Space, by: str) -> tuple[Images, int]:
        """Those of which ``by`` is known, and how many it is not known of."""
        unknown = space.unknown(self.vectors).get(by, np.zeros(len(self.vectors), dtype=bool))
        rows = np.flatnonzero(~unknown)
        side = side_for(len(rows))
        sheets = make_sheets(self.tiles(rows, side), side)
        names, ids = ([column[row] for row in rows.tolist()] for column in (self.names, self.ids))
        images = Images(self.vectors[rows], self.labels[rows], self.parts[rows], names, ids, sheets)
        return images, len(unknown) - len(rows)


def images_of_run(source: Path, model: Embedder, parts: Sequence[str], progress: Progress) -> ShownImages:
    for part in parts:
        if part not in PARTS:
            raise DoppelgramError(f"--part is '{part}'; it is {', '.join(PARTS[:-1])} or {PARTS[-1]}")
    wanted, run = parts or OWN_PARTS, open_run(source)
    collection, split = run.collection(), run.split()
    rows = split.rows(collection)
    chosen = np.sort(np.concatenate([rows[part] for part in dict.fromkeys(wanted)]))
    if not len(chosen):
        raise DoppelgramError(f"{source}: none of its images is in the part {' or '.join(wanted)}")
    return _embedded(model, collection.take(chosen), progress, part_of=split.parts)


def images_of_data(model: Embedder, data: Collection | Path | str, progress: Progress, *, what: str) -> ShownImages:
    """A folder's or table's images, embedded; those without a label are kept."""
    wanted = str(model.recipe.get("data", {}).get("label", ""))
    collection = as_collection(data)
    columns = [column.strip() for column in wanted.split("+") if column.strip()]
    if columns and all(column in collection.label_columns for column in columns):
        collection = collection.with_label(wanted)
    return _embedded(model, collection, progress, what=what)


def _embedded(
    model: Embedder,
    collection: Collection,
    progress: Progress,
    *,
    part_of: Mapping[str, str] | None = None,
    what: str = "images",
) -> ShownImages:
    side = side_for(len(collection))

    def tile(photograph: Photograph) -> Pixels:
        return empty(side) if photograph.pixels is None else square(Image.fromarray(photograph.pixels), side)

    found = embed_collection(model, collection, progress, what=what, note=tile)
    names = found.collection.names
    parts = np.array([(part_of or {}).get(name, "") for name in names], dtype=np.str_)

    def tiles(rows: NDArray[np.int64], wanted: int) -> Iterator[Pixels]:
        for row in rows:
            kept = found.notes[row]
            yield kept if wanted == side else square(Image.fromarray(kept), wanted)

    return ShownImages(found.vectors, found.collection.labels, parts, names, found.hashes.tolist(), tiles)


def images_of_catalog(catalog: Catalog, where: Where | None = None) -> ShownImages:
    wanted = ["id", "path", "name", "label", "thumbnail"]
    rows, vectors = catalog.snapshot(list(dict.fromkeys([*wanted, *(where.columns if where else ())])))
    if where and len(rows):
        fulfilled = where.mask(rows)
        rows, vectors = rows[fulfilled], vectors[fulfilled]
    if not len(rows):
        raise DoppelgramError(f"{catalog.location}: the catalog is empty; put images in it with `doppelgram index`")
    # The order on disk is that of writing, and changes when pieces are joined; a map should not.
    order = np.argsort(rows["id"].to_numpy(dtype=np.str_), kind="stable")
    rows, vectors = rows.iloc[order], vectors[order]
    names = [name or path for name, path in zip(rows["name"], rows["path"], strict=True)]
    labels, jpegs = rows["label"].to_numpy(dtype=np.str_), rows["thumbnail"].tolist()

    def tiles(wanted: NDArray[np.int64], side: int) -> Iterator[Pixels]:
        return tiles_of_thumbnails([jpegs[row] for row in wanted], side)

    return ShownImages(vectors, labels, np.full(len(rows), ""), names, rows["id"].tolist(), tiles)


def tiles_of_thumbnails(jpegs: Sequence[bytes], side: int) -> Iterator[Pixels]:
    """Thumbnails (JPEG) as squares (side, side, 3), empty ones where one cannot be read."""
    for jpeg in jpegs:
        try:
            with Image.open(BytesIO(jpeg)) as image:
                image.draft("RGB", (side, side))
                yield square(image, side)
        except OSError:
            yield empty(side)


def known_images(shown: ShownImages, space: Space, by: str, progress: Progress) -> Images:
    images, unknown = shown.images(space, by)
    if unknown:
        text = f"{unknown:,} images are left out: nobody was found in them, so their {by} is unknown"
        progress.warning(text)
    return images
