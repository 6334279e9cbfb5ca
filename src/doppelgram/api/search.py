"""The images of a catalog that look most like given ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doppelgram.api.chosen import looked_at
from doppelgram.catalog.search.batch import queries_of
from doppelgram.catalog.search.indexed import Asked, searcher_for
from doppelgram.catalog.search.searcher import Neighbours
from doppelgram.catalog.search.vector_index import AUTO
from doppelgram.catalog.search.views import with_views
from doppelgram.catalog.search.where import parse_where
from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.files import keep_inputs
from doppelgram.reports.crops import (
    asked_detector,
    draw_model_crops,
    faces_report,
    tell_faces,
)
from doppelgram.reports.montage import draw_montage
from doppelgram.space.space import unknown_notes
from doppelgram.view.finder import asked_view


def search(
    catalog: Path | str,
    images: Any,
    k: int = 5,
    *,
    by: str = "",
    where: str = "",
    index: str = AUTO,
    montage: Path | str | None = None,
    crop: str = "",
    show_crops: Path | str | None = None,
    face: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    view: bool = False,
    as_of: str = "",
    vectors: str = "",
    progress: Progress | None = None,
) -> list[Neighbours]:
    """The k images in a catalog that look most like each given one.

    Args:
        catalog: catalog folder, or ``s3://bucket/prefix``; where a version is in effect that teaching has trained, that
            one is searched.
        images: photographs, folders of them and images in memory, a collection, or a dataset of Hugging Face or torch;
            a file that is in the catalog itself is not its own answer.
        k: how many.
        by: with a model of places and poses, what ranks: ``joint`` (the default), ``place`` or ``pose``.
        where: condition that an image has to fulfil to be found; see `doppelgram.catalog.search.where`.
        index: how neighbours are found: ``exact``, by the catalog's index (``ivf``), or as is quicker (``auto``).
        montage: PNG to draw queries and answers into.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of the given images. Without it
            they are framed as the images in the catalog were.
        show_crops: PNG to draw the given images into, with what is cut from each.
        face: by a model of faces, which face of a given image asks: ``largest`` (the default), ``all`` or a number.
        weights: as for `index`.
        keypoints: as for `index`; of the given images.
        view: whether points are matched with the first answers to each photograph, which tell whether both show the
            same view; the photographs in the catalog are read again for that.
        as_of: version of the catalog to search in: its number, its name, or a time; by default the latest.
        vectors: name of another model's vectors beside the catalog's own, to search by these.
        progress: where remarks go; the terminal by default.

    Returns:
        One answer an image, or a face of it. One that cannot be searched for is named in a warning, has a
        `Neighbours.problem` and stops no other.

    Raises:
        DoppelgramError: no such catalog, an empty one, no image that can be searched for, or what finds points is
            missing.
    """
    if montage is not None and Path(montage).suffix.lower() != ".png":
        raise DoppelgramError(f"{montage}: a montage is a PNG; let its name end in .png")
    progress = progress or TerminalProgress()
    condition = parse_where(where) if where else None
    store = looked_at(catalog, progress, as_of=as_of, vectors=vectors)
    views = asked_view(view, weights)
    model = store.load_model(weights=weights, keypoints=keypoints)
    detector = asked_detector(crop, show_crops, model)
    asked = queries_of(images)
    paths = [image for image in asked if isinstance(image, Path)]
    if len(paths) < len(asked) and (view or montage is not None or show_crops is not None):
        raise DoppelgramError("a montage, crops and views are of files; write the images first with save_images")
    keep_inputs([Path(file).expanduser() for file in (montage, show_crops) if file is not None], paths)
    searcher = searcher_for(store, model, Asked(len(asked), k, by, condition, index))
    found = searcher.search(asked, k, by=by, face=detector, faces=face, where=condition)
    good = [answer for answer in found if not answer.problem]
    tell_faces(progress, faces_report([answer.query for answer in good], [answer.faces for answer in good]))
    for answer in found:
        if answer.problem:
            progress.warning(f"{answer.query}: {answer.problem}; it is left out")
        for note in unknown_notes(answer.query, answer.unknown) if not answer.problem else ():
            progress.warning(note)
    if views is not None:
        with progress.bar("looking for the same view", 0) as advance:
            found = with_views(found, views, advance)
    if show_crops is not None:
        draw_model_crops(paths, model.with_face(detector), show_crops, progress)
    if montage is not None:
        draw_montage([answer for answer in found if not answer.problem], store, Path(montage).expanduser())
    return found
