"""Draw the embedding space: images in the plane, as a page, a picture or for TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from doppelgram.api.chosen import chosen_model
from doppelgram.catalog.search.where import parse_where
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Map, make_map
from doppelgram.maps.projection import FEWEST, METHODS
from doppelgram.maps.projector import write_projector
from doppelgram.maps.shown import images_of_catalog, images_of_data, images_of_run, known_images
from doppelgram.maps.source import check_together, is_source, kind_of_source
from doppelgram.models.bundle import load_model
from doppelgram.reports.map.write import check_map_file, write_map
from doppelgram.space.space import checked_part
from doppelgram.teaching.versions import in_effect
from doppelgram.training.run import Run, open_run


def draw_map(
    source: Run | Path | str,
    data: Collection | Path | str | None = None,
    *,
    method: str = "tsne",
    out: Path | str | Sequence[Path | str] | None = None,
    projector: Path | str | None = None,
    save: Path | str | None = None,
    place: Collection | Path | str | None = None,
    onto: Path | str | None = None,
    parts: Sequence[str] = (),
    by: str = "",
    where: str = "",
    seed: int = 0,
    perplexity: float = 30.0,
    title: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> Map:
    """Map images into the plane and write what is asked for.

    Args:
        source: a catalog (its images are shown), a run, a model by folder or name; or images, for ``things`` to embed.
        data: a folder, table or collection of images to embed and to show instead of the run's own.
        method: ``pca`` or ``tsne``.
        out: one or several files, ``.html`` (a page that needs nothing else), ``.png`` or ``.svg``.
        projector: folder for TensorBoard's projector.
        save: file to keep the map in.
        place: further images, likewise, put into the finished map without moving the others.
        onto: map kept by ``save`` to place them in; it is shown as it was then.
        parts: of the run's own images: ``train``, ``val``, ``test``, ``extra``; the first three by default.
        by: with a model of places and poses, what is drawn: ``joint`` (the default), ``place`` or ``pose``.
        where: of a catalog, only images that fulfil this condition; see `doppelgram.catalog.search.where`.
        seed: the same seed gives the same map.
        perplexity: of t-SNE.
        title: above the map; by itself it says what is shown.
        weights: for a model of places and poses: folder in which what finds people is looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: something given cannot be used, or there are fewer than 3 images.
    """
    progress = progress or TerminalProgress()
    files = [Path(file).expanduser() for file in ([out] if isinstance(out, (str, Path)) else out or ())]
    for file in files:
        check_map_file(file)
    if save is not None and Path(save).expanduser().is_dir():
        raise DoppelgramError(f"{save}: is a folder; name a file to keep the map in")
    condition = parse_where(where) if where else None
    if method not in METHODS:
        raise DoppelgramError(f"--method is '{method}'; it is {' or '.join(METHODS)}")
    if data is None and onto is None and not parts and not is_source(source):
        source, data = chosen_model(None, "things", progress), Path(str(source))
    kind = kind_of_source(source)
    check_together(source, kind, data, place, onto, parts, where)
    folder = Path(source).expanduser()
    catalog = in_effect(Catalog.open(str(source))) if kind == "catalog" else None
    model = (catalog.load_model if catalog else partial(load_model, source))(weights=weights, keypoints=keypoints)
    space = model.space
    by = checked_part(space, by)
    own = open_run(source).data if kind == "run" else source
    shown = Path(str(next(one for one in (onto, data, own) if one is not None)))
    if onto is not None:
        found = Map.load(Path(onto).expanduser(), space, fingerprint=model.fingerprint)
    else:
        if catalog is not None:
            embedded = images_of_catalog(catalog, condition)
        elif data is not None:
            embedded = images_of_data(model, data, progress, what="images")
        else:
            embedded = images_of_run(folder, model, parts, progress)
        images = known_images(embedded, space, by, progress)
        if len(images) < FEWEST:
            count = "1 image" if len(images) == 1 else f"{len(images) or 'no'} images"
            raise DoppelgramError(f"{source if data is None else data}: holds {count}; a map needs {FEWEST} or more")
        with progress.bar(f"mapping {len(images):,} images", 0):
            found = make_map(
                images, method, space=space, by=by, seed=seed, perplexity=perplexity, fingerprint=model.fingerprint
            )
    if place is not None:
        with progress.bar("placing images", 0):
            more = images_of_data(model, place, progress, what="images to place")
            found = found.place(known_images(more, space, found.by, progress))
    name = "t-SNE" if found.projection.method == "tsne" else "PCA"
    title = title or f"{name} of {shown.stem if onto is not None else shown.name}"
    for file in files:
        write_map(found, file, title)
    if projector is not None:
        write_projector(Path(projector).expanduser(), found.images)
    if save is not None:
        found.save(Path(save).expanduser())
    return found
