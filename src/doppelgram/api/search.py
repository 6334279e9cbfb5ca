"""Ask the learned metric: fill a catalog, find look-alikes in it, compare two photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.report import IndexReport
from doppelgram.catalog.search import Neighbours
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.loading import tell_notes
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import keep_inputs
from doppelgram.images.framing import Framing
from doppelgram.models.bundle import load_model, model_folder
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.reports.crops import check_png, chosen_detector, draw_crops, faces_report, tell_faces
from doppelgram.reports.montage import draw_montage
from doppelgram.space.space import unknown_parts


def index(
    data: Path | str,
    model: Path | str,
    catalog: Path | str,
    *,
    crop: str = "",
    show_crops: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> IndexReport:
    """Embed a folder or table of images into a catalog; what is there already is skipped.

    Args:
        data: the images; labels are kept where there are any.
        model: run or model folder.
        catalog: catalog folder, made if it is not there.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of every image, although the model
            was trained on other cuts; the catalog remembers it.
        show_crops: PNG to draw the images into, with what is cut from each.
        weights: for a model of places and poses: folder in which what finds people is looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them, by default ``keypoints.json``
            beside the images.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: nothing could be read, or the catalog was filled by another model or from other cuts.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    progress = progress or TerminalProgress()
    loaded = load_model(model, weights=weights, keypoints=keypoints)
    wanted = str(loaded.recipe.get("data", {}).get("label", ""))
    collection = read_collection(data)
    if wanted and all(part.strip() in collection.table.columns for part in wanted.split("+")):
        collection = collection.with_label(wanted)
    face = _face(crop, show_crops, loaded)
    if show_crops is not None:
        keep_inputs([Path(show_crops).expanduser()], collection.paths)
    loaded.require_named(collection.paths, every=False)  # what is lacking is said before a catalog is started
    store = Catalog.open_or_create(Path(catalog).expanduser(), loaded, model_folder(model), face=face)
    tell_notes(collection, progress)
    try:
        with progress.bar("indexing", len(collection)) as advance:
            report = index_collection(collection, loaded, store, progress=advance)
    except KeyboardInterrupt:
        raise Interrupted(f"{catalog}: interrupted; the same command goes on from here") from None
    tell_faces(progress, report.files)
    if show_crops is not None:
        _draw_crops(collection.paths, loaded.with_face(store.face), show_crops, progress)
    return report


def _face(crop: str, show_crops: Path | str | None, model: Embedder) -> str:
    """The face detector asked for; a model that looks for people in whole photographs cuts no faces out of them."""
    if show_crops is not None:
        check_png(show_crops)
    if model.takes_cuts:
        return chosen_detector(crop, model.framing.face)
    if crop or show_crops is not None:
        raise DoppelgramError("--crop and --show-crops go with models of whole images, not of places and poses")
    return ""


def _draw_crops(paths: Sequence[Path], model: Embedder, file: Path | str, progress: Progress) -> None:
    framing = model.framing
    if isinstance(framing, Framing):
        draw_crops(paths, framing, file, progress=progress)


def search(
    catalog: Path | str,
    images: Sequence[Path | str],
    k: int = 5,
    *,
    by: str = "",
    montage: Path | str | None = None,
    crop: str = "",
    show_crops: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> list[Neighbours]:
    """The k images in a catalog that look most like each given one.

    Args:
        catalog: catalog folder.
        images: photographs; one that is in the catalog itself is not its own answer.
        k: how many.
        by: with a model of places and poses, what ranks: ``joint`` (the default), ``place`` or ``pose``.
        montage: PNG to draw queries and answers into.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of the given images. Without it
            they are framed as the images in the catalog were.
        show_crops: PNG to draw the given images into, with what is cut from each.
        weights: as for `index`.
        keypoints: as for `index`; of the given images.
        progress: where remarks go; the terminal by default.

    Raises:
        DoppelgramError: no such catalog, an empty one, or an image that cannot be read.
    """
    if montage is not None and Path(montage).suffix.lower() != ".png":
        raise DoppelgramError(f"{montage}: a montage is a PNG; let its name end in .png")
    progress = progress or TerminalProgress()
    store = Catalog.open(Path(catalog).expanduser())
    model = store.load_model(weights=weights, keypoints=keypoints)
    face = _face(crop, show_crops, model)
    paths = [Path(image).expanduser() for image in images]
    keep_inputs([Path(file).expanduser() for file in (montage, show_crops) if file is not None], paths)
    found = store.searcher(model).search(paths, k, by=by, face=face)
    tell_faces(progress, faces_report(paths, [answer.faces for answer in found]))
    for answer in found:
        _tell_unknown(progress, answer.query, answer.unknown)
    if show_crops is not None:
        _draw_crops(paths, model.with_face(face), show_crops, progress)
    if montage is not None:
        draw_montage(found, store, Path(montage).expanduser())
    return found


def _tell_unknown(progress: Progress, image: str, unknown: Sequence[str]) -> None:
    """Say that nobody was found in a photograph, so that nothing is known of the pose."""
    for part in unknown:
        text = f"{image}: nobody was found in it, so its {part} counts as unknown"
        progress.warning(text)


@dataclass(frozen=True)
class Verdict:
    """Whether two photographs show the same.

    Attributes:
        distance: between their embeddings, as the model's space measures it.
        probability: that they are the same, were both equally likely beforehand; None without calibration.
        threshold: the distance up to which they count as the same; None without calibration.
        same: the verdict; None without calibration.
        faces_a: how many faces were found in the first photograph; None where none were looked for.
        faces_b: in the second.
        parts: probability that each part of the space, such as the place, is the same.
        unknown_a: parts of which the first photograph says nothing, such as the pose where nobody was found.
        unknown_b: of which the second says nothing. An unknown part's probability is that of any pair.
    """

    image_a: str
    image_b: str
    distance: float
    probability: float | None
    threshold: float | None
    same: bool | None
    faces_a: int | None = None
    faces_b: int | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    unknown_a: tuple[str, ...] = ()
    unknown_b: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return dict(vars(self))


def verify(
    run: Path | str,
    image_a: Path | str,
    image_b: Path | str,
    *,
    crop: str = "",
    show_crops: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Compare two photographs with a run's model.

    Args:
        run: run or model folder.
        image_a: a photograph.
        image_b: another.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of both.
        show_crops: PNG to draw them into, with what is cut from each.
        weights: as for `index`.
        keypoints: as for `index`; of both photographs.
        progress: where remarks go; the terminal by default.

    Raises:
        DoppelgramError: no such model, or an image that cannot be read.
    """
    progress = progress or TerminalProgress()
    model = load_model(run, weights=weights, keypoints=keypoints)
    model = model.with_face(_face(crop, show_crops, model))
    images = [Path(image).expanduser() for image in (image_a, image_b)]
    if show_crops is not None:
        keep_inputs([Path(show_crops).expanduser()], images)
    files = embed_files(model, images, keep_duplicates=True, requested=True)
    for outcome in files.report.problems():
        raise DoppelgramError(f"{outcome.path}: {outcome.reason or outcome.status}")
    tell_faces(progress, faces_report(images, files.faces))
    if show_crops is not None:
        _draw_crops(images, model, show_crops, progress)
    space = model.space
    unknown = unknown_parts(space, files.vectors)
    for image, missing in zip((image_a, image_b), unknown, strict=True):
        _tell_unknown(progress, str(image), missing)
    compared = space.compare(files.vectors[:1], files.vectors[1:])
    distance, threshold = float(compared.distance[0]), space.threshold
    return Verdict(
        str(image_a),
        str(image_b),
        distance,
        None if compared.probability is None else float(compared.probability[0]),
        threshold,
        None if threshold is None else distance <= threshold,
        faces_a=files.faces[0],
        faces_b=files.faces[1],
        parts={name: float(part.probability[0]) for name, part in compared.parts.items()},
        unknown_a=unknown[0],
        unknown_b=unknown[1],
    )
