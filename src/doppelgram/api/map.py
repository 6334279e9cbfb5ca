"""Draw the embedding space: images in the plane, as a page, a picture or for TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from doppelgram.catalog.folder import CATALOG_FILE, MODEL_FOLDER
from doppelgram.catalog.store import Catalog
from doppelgram.console import progress_bar
from doppelgram.dataset.loading import Images as LoadedImages
from doppelgram.dataset.loading import load_images
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import PARTS
from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Images, Map, make_map
from doppelgram.maps.judgement import Text
from doppelgram.maps.projection import FEWEST, METHODS
from doppelgram.maps.sprites import Pixels, empty, make_sheets, side_for, square
from doppelgram.models.bundle import DESCRIPTION_FILE, load_image_model
from doppelgram.models.model import Model
from doppelgram.reports.figures import write_figure
from doppelgram.reports.map.page import write_page
from doppelgram.reports.map.parts import wrong_lines
from doppelgram.reports.map.picture import draw_points
from doppelgram.reports.map.projector import write_projector
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
    seed: int = 0,
    perplexity: float = 30.0,
    title: str = "",
    console: Console | None = None,
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
        seed: the same seed gives the same map.
        perplexity: of t-SNE.
        title: above the map; says by itself what is shown if it is empty.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: something given cannot be used, or there are fewer than 3 images.
    """
    console = console or Console(stderr=True)
    listed = [out] if isinstance(out, (str, Path)) else list(out or ())
    files = [Path(file).expanduser() for file in listed]
    for file in files:
        _check_suffix(file)
    if save is not None and Path(save).expanduser().is_dir():
        raise DoppelgramError(f"{save}: is a folder; name a file to keep the map in")
    if method not in METHODS:
        raise DoppelgramError(f"--method is '{method}'; it is {' or '.join(METHODS)}")
    if onto is not None and place is None:
        raise DoppelgramError("--onto goes with --place: the images to put into the saved map")
    source = Path(source).expanduser()
    kind = _kind(source)
    model: Model | None
    if onto is not None and (data is not None or parts):
        raise DoppelgramError("with --onto the saved map is shown; DATA and --part do not go with it")
    if onto is not None:
        found = Map.load(Path(onto).expanduser())
        model = _model_of(Catalog.open(source)) if kind == "catalog" else load_image_model(source, "map")
        if found.fingerprint != model.fingerprint:
            raise DoppelgramError(f"{onto}: this map was made with another model than that of {source}")
        shown = Path(onto).stem
    else:
        model, fingerprint, images = _images(source, kind, data, parts, console)
        if len(images) < FEWEST:
            count = "1 image" if len(images) == 1 else f"{len(images) or 'no'} images"
            raise DoppelgramError(f"{data or source}: holds {count}; a map needs {FEWEST} or more")
        with console.status(f"mapping {len(images):,} images"):
            found = make_map(images, method, seed=seed, perplexity=perplexity, fingerprint=fingerprint)
        shown = Path(data or (open_run(source).data if kind == "run" else source)).name
    if place is not None:
        if model is None:
            model = _model_of(Catalog.open(source))
        with console.status("placing images"):
            found = found.place(_embedded(model, place, console, what="images to place"))
    name = "t-SNE" if found.projection.method == "tsne" else "PCA"
    title = title or f"{name} of {shown}"
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


def _images(
    source: Path, kind: str, data: Path | str | None, parts: Sequence[str], console: Console
) -> tuple[Model | None, str, Images]:  # fmt: skip
    """The images to map, the model that embedded them (a catalog's need not be loaded) and its fingerprint."""
    if kind == "catalog":
        if data is not None:
            raise DoppelgramError(f"{source}: a catalog brings its own images; put others into its map with --place")
        if parts:
            raise DoppelgramError(f"{source}: a catalog knows no parts; --part goes with a run")
        catalog = Catalog.open(source)
        return None, catalog.fingerprint, _of_catalog(catalog)
    if data is not None:
        if parts:
            raise DoppelgramError("--part is of the run's own images; it does not go with DATA")
        model = load_image_model(source, "map")
        return model, model.fingerprint, _embedded(model, data, console, what="images")
    if kind == "model":
        raise DoppelgramError(f"{source}: is a model without its run, so it has no images; name DATA to map")
    return _of_run(source, parts, console)


def _of_run(source: Path, parts: Sequence[str], console: Console) -> tuple[Model, str, Images]:
    for part in parts:
        if part not in PARTS:
            raise DoppelgramError(f"--part is '{part}'; it is {', '.join(PARTS[:-1])} or {PARTS[-1]}")
    wanted = parts or OWN_PARTS
    model, run = load_image_model(source, "map"), open_run(source)
    collection, split = run.collection(), run.split()
    rows = split.rows(collection)
    chosen = np.sort(np.concatenate([rows[part] for part in dict.fromkeys(wanted)]))
    if not len(chosen):
        raise DoppelgramError(f"{source}: none of its images is in the part {' or '.join(wanted)}")
    loaded = load_images(collection.take(chosen), model.framing, console)
    divided = np.array([split.parts.get(name, "") for name in loaded.collection.names], dtype=np.str_)
    return model, model.fingerprint, _embed(model, loaded, divided, console)


def _embedded(model: Model, data: Path | str, console: Console, *, what: str) -> Images:
    """A folder's or table's images, embedded; those without a label are kept."""
    wanted = str(model.recipe.get("data", {}).get("label", ""))
    collection = read_collection(data)
    columns = [column.strip() for column in wanted.split("+") if column.strip()]
    if columns and all(column in collection.label_columns for column in columns):
        collection = collection.with_label(wanted)
    loaded = load_images(collection, model.framing, console, what=what)
    return _embed(model, loaded, np.full(len(loaded.collection), ""), console)


def _embed(model: Model, loaded: LoadedImages, parts: Text, console: Console) -> Images:
    with progress_bar(console, "embedding images", len(loaded.pixels)) as advance:
        vectors = model.embed_pixels(loaded.pixels, progress=advance)
    side = side_for(len(vectors))
    tiles: Iterable[Pixels] = (square(Image.fromarray(pixels), side) for pixels in loaded.pixels)
    sheets = make_sheets(tiles, side)
    return Images(vectors, loaded.collection.labels, parts, loaded.collection.names, loaded.hashes, sheets)


def _model_of(catalog: Catalog) -> Model:
    model = load_image_model(catalog.folder / MODEL_FOLDER, "map --place")
    catalog.require(model.fingerprint)
    return model


def _of_catalog(catalog: Catalog) -> Images:
    rows, vectors = catalog.snapshot(["id", "path", "name", "label", "thumbnail"])
    if not len(rows):
        raise DoppelgramError(f"{catalog.folder}: the catalog is empty; put images in it with `doppelgram index`")
    # The order on disk is that of writing, and changes when pieces are joined; a map should not.
    order = np.argsort(rows["id"].to_numpy(dtype=np.str_), kind="stable")
    rows, vectors = rows.iloc[order], vectors[order]
    side = side_for(len(rows))
    sheets = make_sheets(_thumbnails(rows["thumbnail"].tolist(), side), side)
    names = [name or path for name, path in zip(rows["name"], rows["path"], strict=True)]
    labels = rows["label"].to_numpy(dtype=np.str_)
    return Images(vectors, labels, np.full(len(rows), ""), names, rows["id"].tolist(), sheets)


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
    figure = draw_points(found.points, images.labels, images.parts, found.judgement.wrong, title=title, caption=caption)
    write_figure(figure, file)
