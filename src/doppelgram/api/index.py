"""Put images into a catalog, to search it later."""

from __future__ import annotations

from pathlib import Path

from doppelgram.api.chosen import chosen_model
from doppelgram.catalog.beside import location_beside
from doppelgram.catalog.folder import holds_catalog, model_in
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.report import IndexReport
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.vector_index import AUTO, IVF, keep_index
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.folders import level_of
from doppelgram.dataset.loading import tell_notes
from doppelgram.dataset.read import as_collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import keep_inputs
from doppelgram.images.face_framing import ALL, LARGEST
from doppelgram.models.bundle import load_model
from doppelgram.reports.crops import asked_detector, draw_model_crops, tell_faces
from doppelgram.scale.choose import chosen_means
from doppelgram.scale.index import index_in_parts
from doppelgram.storage.resolve import location_of
from doppelgram.training.run import Run


def index(
    data: Collection | Path | str,
    model: Run | Path | str | None,
    catalog: Path | str,
    *,
    label: str = "",
    prune: bool = False,
    beside: str = "",
    crop: str = "",
    show_crops: Path | str | None = None,
    faces: str = "",
    vector_index: str = AUTO,
    batch: int = 256,
    engine: str = "",
    address: str = "",
    workers: int = 0,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> IndexReport:
    """Embed images into a catalog; what is there already is skipped.

    Args:
        data: the images, a folder or table of them or a collection; labels are kept where there are any.
        model: run, or its folder, a model folder, or the name of a ready-made model; by default the catalog's own, or
            ``things`` if there is no catalog yet.
        catalog: catalog folder or ``s3://bucket/prefix``, made if it is not there.
        label: column to keep as the label, or ``level:N`` for the Nth folder's name; the model's own by default.
        prune: whether images whose files are gone, or have other content now, are taken out of the catalog; without
            it they are only reported.
        beside: name under which this model's vectors lie beside the catalog's own, which stay as they are.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of every image, although the model
            was trained on other cuts; the catalog remembers it.
        show_crops: PNG to draw the images into, with what is cut from each.
        faces: by a model of faces: ``all`` gives each face of a photograph a row, ``largest`` (the default for a new
            catalog) that one; the catalog remembers it.
        vector_index: whether an index of the vectors is made for quicker searches: ``auto`` for a catalog that takes
            seconds to be read, ``ivf`` in any case, ``exact`` for none; see `doppelgram.catalog.vector_index`.
        batch: images that go into the catalog together, where there is no engine.
        engine: ``local`` for several processes, ``ray`` for a cluster; by default this process, or ``local`` for
            10,000 images or more.
        address: of a running cluster of Ray; by default one is started on this machine, and ended afterwards.
        workers: processes; by default one for each processor.
        weights: folder in which pretrained weights are looked up first: those of a ready-made model, or of what finds
            people.
        keypoints: for one that takes ready-made keypoints: the file that holds them, by default ``keypoints.json``
            beside the images.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: nothing could be read, or the catalog was filled by another model or from other cuts.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    progress = progress or TerminalProgress()
    where = location_of(catalog)
    if beside:
        if not holds_catalog(where):
            raise DoppelgramError(
                f"{where}: --beside {beside} goes with a catalog, and there is none; index into it first"
            )
        where = location_beside(where, beside)
    if model is None and holds_catalog(where):
        model = model_in(where)
    model = chosen_model(model, "things", progress)
    with progress.bar("loading the model", 0):
        loaded = load_model(model, weights=weights, keypoints=keypoints)
    wanted = str(loaded.recipe.get("data", {}).get("label", ""))
    collection = as_collection(data, label=label or (wanted if level_of(wanted) else ""))
    if not label and wanted and all(part.strip() in collection.table.columns for part in wanted.split("+")):
        collection = collection.with_label(wanted)
    loaded.with_faces(faces)
    if faces not in ("", LARGEST, ALL):
        raise DoppelgramError(f"--faces is '{faces}'; it is {LARGEST} or {ALL}")
    face = asked_detector(crop, show_crops, loaded)
    if show_crops is not None:
        keep_inputs([Path(show_crops).expanduser()], collection.paths)
    loaded.require_named(collection.paths, every=False)  # what is lacking is said before a catalog is started
    means = chosen_means(
        len(collection), engine, address=address, workers=workers, weights=weights, keypoints=keypoints
    )
    store = Catalog.open_or_create(where, loaded, model, face=face, faces=faces)
    tell_notes(collection, progress)
    try:
        with progress.bar("indexing", len(collection)) as advance:
            if means is None:
                report = index_collection(collection, loaded, store, batch=batch, prune=prune, progress=advance)
            else:
                report = index_in_parts(collection, store, means, prune=prune, progress=advance)
        if not loaded.space.parts:
            keep_index(store.table, store.dim, vector_index, progress)
        elif vector_index == IVF:
            raise DoppelgramError("a model of places and poses searches all images; leave --index out")
    except KeyboardInterrupt:
        raise Interrupted(f"{where}: interrupted; the same command goes on from here") from None
    tell_faces(progress, report.files)
    if show_crops is not None:
        draw_model_crops(collection.paths, loaded.with_face(store.face), show_crops, progress)
    return report
