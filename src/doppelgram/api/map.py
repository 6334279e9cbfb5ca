"""Draw the embedding space: images in the plane, as a page, a picture or for TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.catalog.folder import CATALOG_FILE
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import PARTS
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.collection import embed_collection
from doppelgram.images.read import Photograph
from doppelgram.maps.atlas import Images, Map, make_map
from doppelgram.maps.neighbours import Text
from doppelgram.maps.projection import FEWEST, METHODS
from doppelgram.maps.sprites import Pixels, empty, make_sheets, side_for, square
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from doppelgram.models.format import DESCRIPTION_FILE
from doppelgram.reports.figures import write_figure
from doppelgram.reports.map.page import write_page
from doppelgram.reports.map.parts import wrong_lines
from doppelgram.reports.map.picture import draw_points
from doppelgram.reports.map.projector import write_projector
from doppelgram.space.exact import Float32
from doppelgram.space.space import Space, checked_part
from doppelgram.training.run import RUN_FILE, open_run

PAGE, PICTURES = ".html", (".png", ".svg")
OWN_PARTS = ("train", "val", "test")


def draw_map(
    source: Path | str,
    data: Path | str | None = None,
    *,
    method: str = "tsne",
    out: Path | str | Sequence[Path | str] | None = None,
    projector: Path | str | None = None,
    save: Path | str | None = None,
    place: Path | str | None = None,
    onto: Path | str | None = None,
    parts: Sequence[str] = (),
    by: str = "",
    seed: int = 0,
    perplexity: float = 30.0,
    title: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> Map:
    """Map images into the plane and write what is asked for.

    Args:
        source: a catalog (its images are shown), or a run or model folder.
        data: folder or table of images to embed with the run's model and to show instead of the run's own.
        method: ``pca`` or ``tsne``.
        out: one or several files, ``.html`` (a page that needs nothing else), ``.png`` or ``.svg``.
        projector: folder for TensorBoard's projector.
        save: file to keep the map in, so that images can be placed in it later.
        place: folder or table of further images, which are put into the finished map without moving the others.
        onto: map kept by ``save`` to place them in; it is shown as it was then.
        parts: of the run's own images: ``train``, ``val``, ``test``, ``extra``; the first three by default.
        by: with a model of places and poses, what is drawn: ``joint`` (the default), ``place`` or ``pose``; images in
            which nobody is found have no pose and are left out there.
        seed: the same seed gives the same map.
        perplexity: of t-SNE.
        title: above the map; says by itself what is shown if it is empty.
        weights: for a model of places and poses: folder in which what finds people is looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: something given cannot be used, or there are fewer than 3 images.
    """
    progress = progress or TerminalProgress()
    listed = [out] if isinstance(out, (str, Path)) else list(out or ())
    files = [Path(file).expanduser() for file in listed]
    for file in files:
        _check_suffix(file)
    if save is not None and Path(save).expanduser().is_dir():
        raise DoppelgramError(f"{save}: is a folder; name a file to keep the map in")
    if method not in METHODS:
        raise DoppelgramError(f"--method is '{method}'; it is {' or '.join(METHODS)}")
    source = Path(source).expanduser()
    kind = _kind(source)
    _check_together(source, kind, data, place, onto, parts)
    catalog = Catalog.open(source) if kind == "catalog" else None
    elsewhere = {"weights": weights, "keypoints": keypoints}
    model = catalog.load_model(**elsewhere) if catalog else load_model(source, **elsewhere)
    space = model.space
    by = checked_part(space, by)
    shown = Path(onto or data or (open_run(source).data if kind == "run" else source))
    if onto is not None:
        found = Map.load(Path(onto).expanduser(), space, fingerprint=model.fingerprint)
    else:
        if catalog is not None:
            embedded = _of_catalog(catalog)
        elif data is not None:
            embedded = _of_data(model, data, progress, what="images")
        else:
            embedded = _of_run(source, model, parts, progress)
        images = _known(embedded, space, by, progress)
        if len(images) < FEWEST:
            count = "1 image" if len(images) == 1 else f"{len(images) or 'no'} images"
            raise DoppelgramError(f"{data or source}: holds {count}; a map needs {FEWEST} or more")
        with progress.bar(f"mapping {len(images):,} images", 0):
            found = make_map(
                images, method, space=space, by=by, seed=seed, perplexity=perplexity, fingerprint=model.fingerprint
            )
    if place is not None:
        with progress.bar("placing images", 0):
            more = _of_data(model, place, progress, what="images to place")
            found = found.place(_known(more, space, found.by, progress))
    name = "t-SNE" if found.projection.method == "tsne" else "PCA"
    title = title or f"{name} of {shown.stem if onto is not None else shown.name}"
    for file in files:
        if file.suffix.lower() == PAGE:
            write_page(found, file, title=title)
        else:
            _write_picture(found, file, title)
    if projector is not None:
        write_projector(Path(projector).expanduser(), found.images)
    if save is not None:
        found.save(Path(save).expanduser())
    return found


def _check_together(
    source: Path,
    kind: str,
    data: Path | str | None,
    place: Path | str | None,
    onto: Path | str | None,
    parts: Sequence[str],
) -> None:
    """Refuse what does not go together before anything is loaded."""
    if onto is not None and place is None:
        raise DoppelgramError("--onto goes with --place: the images to put into the saved map")
    if onto is not None and (data is not None or parts):
        raise DoppelgramError("with --onto the saved map is shown; DATA and --part do not go with it")
    if kind == "catalog" and data is not None:
        raise DoppelgramError(f"{source}: a catalog brings its own images; put others into its map with --place")
    if kind == "catalog" and parts:
        raise DoppelgramError(f"{source}: a catalog knows no parts; --part goes with a run")
    if data is not None and parts:
        raise DoppelgramError("--part is of the run's own images; it does not go with DATA")
    if kind == "model" and data is None and onto is None:
        raise DoppelgramError(f"{source}: is a model without its run, so it has no images; name DATA to map")


def _known(shown: _Shown, space: Space, by: str, progress: Progress) -> Images:
    images, unknown = shown.images(space, by)
    if unknown:
        text = f"{unknown:,} images are left out: nobody was found in them, so their {by} is unknown"
        progress.warning(text)
    return images


def _check_suffix(file: Path) -> None:
    if file.suffix.lower() not in (PAGE, *PICTURES):
        raise DoppelgramError(f"{file}: a map is written as .html, .png or .svg; give the file one of these endings")
    if file.is_dir():
        raise DoppelgramError(f"{file}: is a folder; name a file for the map")


def _kind(source: Path) -> str:
    if (source / CATALOG_FILE).is_file():
        return "catalog"
    if (source / RUN_FILE).is_file():
        return "run"
    if (source / DESCRIPTION_FILE).is_file():
        return "model"
    why = "is neither a catalog nor a run" if source.exists() else "there is no such catalog or run"
    raise DoppelgramError(f"{source}: {why}; make one with `doppelgram index` or `doppelgram train`")


@dataclass(frozen=True)
class _Shown:
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


def _of_run(source: Path, model: Embedder, parts: Sequence[str], progress: Progress) -> _Shown:
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


def _of_data(model: Embedder, data: Path | str, progress: Progress, *, what: str) -> _Shown:
    """A folder's or table's images, embedded; those without a label are kept."""
    wanted = str(model.recipe.get("data", {}).get("label", ""))
    collection = read_collection(data)
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
) -> _Shown:
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

    return _Shown(found.vectors, found.collection.labels, parts, names, found.hashes.tolist(), tiles)


def _of_catalog(catalog: Catalog) -> _Shown:
    rows, vectors = catalog.snapshot(["id", "path", "name", "label", "thumbnail"])
    if not len(rows):
        raise DoppelgramError(f"{catalog.folder}: the catalog is empty; put images in it with `doppelgram index`")
    # The order on disk is that of writing, and changes when pieces are joined; a map should not.
    order = np.argsort(rows["id"].to_numpy(dtype=np.str_), kind="stable")
    rows, vectors = rows.iloc[order], vectors[order]
    names = [name or path for name, path in zip(rows["name"], rows["path"], strict=True)]
    labels, jpegs = rows["label"].to_numpy(dtype=np.str_), rows["thumbnail"].tolist()

    def tiles(wanted: NDArray[np.int64], side: int) -> Iterator[Pixels]:
        return _thumbnails([jpegs[row] for row in wanted], side)

    return _Shown(vectors, labels, np.full(len(rows), ""), names, rows["id"].tolist(), tiles)


def _thumbnails(jpegs: Sequence[bytes], side: int) -> Iterator[Pixels]:
    for jpeg in jpegs:
        try:
            with Image.open(BytesIO(jpeg)) as image:
                image.draft("RGB", (side, side))
                yield square(image, side)
        except OSError:
            yield empty(side)


def _write_picture(found: Map, file: Path, title: str) -> None:
    lines = wrong_lines(found).splitlines()
    caption = f"{found.projection.about}.\n{'; '.join(line.rstrip('.') for line in lines)}."
    images = found.images
    figure = draw_points(found.points, images.labels, images.parts, found.nearest.wrong, title=title, caption=caption)
    write_figure(figure, file)
