"""Put images into a catalog, to search it later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doppelgram.api.chosen import chosen_model, labelled_images
from doppelgram.catalog.beside import location_to_fill
from doppelgram.catalog.folder import holds_catalog, model_in, plain_errors
from doppelgram.catalog.report import IndexReport
from doppelgram.catalog.search.vector_index import AUTO, check_way, keep_index
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.loading import tell_notes
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import keep_inputs
from doppelgram.images.face_framing import ALL, LARGEST
from doppelgram.models.bundle import load_model
from doppelgram.models.precision import for_many
from doppelgram.models.runtime import in_bulk
from doppelgram.reports.crops import asked_detector, draw_model_crops, tell_faces
from doppelgram.scale.choose import chosen_means
from doppelgram.scale.index import index_by
from doppelgram.training.run import Run


def index(
    data: Any,
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
    runtime: str = AUTO,
    precision: str = AUTO,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> IndexReport:
    """Embed images into a catalog; what is there already is skipped.

    Args:
        data: the images, a collection or what `read_collection` takes; labels are kept where there are any.
        model: run, or its folder, a model folder, or the name of a ready-made model; by default the catalog's own, or
            ``things`` if there is no catalog yet.
        catalog: catalog folder or ``s3://bucket/prefix``, made if it is not there.
        label: column to keep as the label, or ``level:N`` for the Nth folder's name; the model's own by default.
        prune: whether images whose files are gone or have other content now are taken out, not only reported.
        beside: name under which this model's vectors lie beside the catalog's own, which stay as they are.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of every image, although the model
            was trained on other cuts; the catalog remembers it.
        show_crops: PNG to draw the images into, with what is cut from each.
        faces: by a model of faces: ``all`` gives each face of a photograph a row, ``largest`` (the default for a new
            catalog) that one; the catalog remembers it.
        vector_index: whether an index is made for quicker searches, as in `doppelgram.catalog.search.vector_index`.
        batch: images written together, where there is no engine.
        engine: ``local`` for several processes, ``ray`` for a cluster; by default this process, or ``local`` for
            10,000 images or more.
        address: of a running cluster of Ray; by default one is started on this machine, and ended afterwards.
        workers: processes; by default one for each processor.
        runtime: what runs the network, ``openvino`` or ``torch``; ``auto`` takes the fastest here.
        precision: ``fp32`` or ``bf16``; ``auto`` takes bf16 where it is faster and, tried on some of a thousand images
            or more, finds the same.
        weights: folder in which pretrained weights are looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them, by default ``keypoints.json``
            beside the images.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: nothing could be read, or the catalog was filled by another model or from other cuts.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    progress = progress or TerminalProgress()
    where = location_to_fill(catalog, beside)
    if model is None and holds_catalog(where):
        model = model_in(where)
    model = chosen_model(model, "things", progress)
    with progress.bar("loading the model", 0):
        loaded = load_model(model, weights=weights, keypoints=keypoints)
    in_bulk(runtime, precision)  # what this machine has not is said before anything is read
    check_way(vector_index, loaded.space.parts)
    collection = labelled_images(data, loaded, label)
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
        want = loaded.with_faces(store.faces).with_face(store.face).want
        loaded, remark = for_many(loaded, collection.paths, want, runtime, precision)
        if loaded.runtime is not None:
            progress.note(f"runtime: {loaded.runtime}" + (f" ({remark})" if remark else ""))
        with progress.bar("indexing", len(collection)) as advance:
            report = index_by(means, collection, loaded, store, batch=batch, prune=prune, progress=advance)
        if not loaded.space.parts:
            with plain_errors(where, "written"):
                keep_index(store.table, store.dim, vector_index, progress)
    except KeyboardInterrupt:
        raise Interrupted(f"{where}: interrupted; the same command goes on from here") from None
    tell_faces(progress, report.files)
    if show_crops is not None:
        draw_model_crops(collection.paths, loaded.with_face(store.face), show_crops, progress)
    return report
