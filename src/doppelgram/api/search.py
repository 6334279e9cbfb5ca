"""Ask the learned metric: fill a catalog, find look-alikes in it, compare two photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from doppelgram.catalog.embed import IndexReport, index_collection
from doppelgram.catalog.search import Neighbours, search_catalog
from doppelgram.catalog.store import Catalog
from doppelgram.console import progress_bar
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import keep_inputs
from doppelgram.images.framing import Framing
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.bundle import load_model, model_folder
from doppelgram.models.files import EmbeddedFiles, embed_files
from doppelgram.models.model import Model
from doppelgram.reports.crops import check_png, chosen_detector, draw_crops, faces_report, tell_faces
from doppelgram.reports.montage import draw_montage


def index(
    data: Path | str,
    model: Path | str,
    catalog: Path | str,
    *,
    crop: str = "",
    show_crops: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    console: Console | None = None,
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
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: nothing could be read, or the catalog was filled by another model or from other cuts.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    console = console or Console(stderr=True)
    loaded = load_model(model, weights=weights, keypoints=keypoints)
    wanted = str(loaded.recipe.get("data", {}).get("label", ""))
    collection = read_collection(data)
    if wanted and all(part.strip() in collection.table.columns for part in wanted.split("+")):
        collection = collection.with_label(wanted)
    if show_crops is not None:
        check_png(show_crops)
        keep_inputs([Path(show_crops).expanduser()], collection.paths)
    face = _detector(crop, show_crops, loaded)
    if isinstance(loaded, ArrangementModel):
        loaded.finder.require_named(collection.paths, every=False)  # what is lacking is said before a catalog is begun
    store = Catalog.open_or_create(Path(catalog).expanduser(), loaded, model_folder(model), face=face)
    for note in collection.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    try:
        with progress_bar(console, "indexing", len(collection)) as advance:
            report = index_collection(collection, loaded, store, progress=advance)
    except KeyboardInterrupt:
        raise Interrupted(f"{catalog}: interrupted; the same command goes on from here") from None
    tell_faces(console, report.files)
    framing = store.framing(loaded)
    if show_crops is not None and isinstance(framing, Framing):
        draw_crops(collection.paths, framing, show_crops, console=console)
    return report


def _detector(crop: str, show_crops: Path | str | None, model: Model | ArrangementModel) -> str:
    """The face detector asked for; a model that looks for people in whole photographs cuts no faces out of them."""
    if isinstance(model, Model):
        return chosen_detector(crop, model)
    if crop or show_crops is not None:
        raise DoppelgramError("--crop and --show-crops go with models of whole images, not of places and poses")
    return ""


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
    console: Console | None = None,
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
        console: where remarks go; standard error by default.

    Raises:
        DoppelgramError: no such catalog, an empty one, or an image that cannot be read.
    """
    if montage is not None and Path(montage).suffix.lower() != ".png":
        raise DoppelgramError(f"{montage}: a montage is a PNG; let its name end in .png")
    if show_crops is not None:
        check_png(show_crops)
    console = console or Console(stderr=True)
    store = Catalog.open(Path(catalog).expanduser())
    model = store.load_model(weights=weights, keypoints=keypoints)
    face = _detector(crop, show_crops, model)
    paths = [Path(image).expanduser() for image in images]
    keep_inputs([Path(file).expanduser() for file in (montage, show_crops) if file is not None], paths)
    found = search_catalog(store, paths, k, model=model, face=face, by=by)
    tell_faces(console, faces_report(paths, [answer.faces for answer in found]))
    _tell_nobody(console, [(answer.query, answer.people) for answer in found])
    framing = store.framing(model)
    if show_crops is not None and isinstance(framing, Framing):
        draw_crops(paths, replace(framing, face=face) if face else framing, show_crops, console=console)
    if montage is not None:
        draw_montage(found, store, Path(montage).expanduser())
    return found


def _tell_nobody(console: Console, people: Sequence[tuple[str, int | None]]) -> None:
    """Say in which photographs nobody was found, so that nothing is known of their pose."""
    for image, found in people:
        if found == 0:
            text = f"{image}: nobody was found in it, so its pose counts as unknown"
            console.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class Verdict:
    """Whether two photographs show the same.

    Attributes:
        distance: between their embeddings; with a model of places and poses the probability that they differ.
        probability: that they are the same, were both equally likely beforehand; None without calibration.
        threshold: the distance below which they count as the same; None without calibration.
        same: the verdict; None without calibration.
        faces_a: how many faces were found in the first photograph; None where none were looked for.
        faces_b: in the second.
        place_probability: that they show the same place; None for models of whole images.
        pose_probability: that they show the same pose, its prior where nobody was found; None for models of whole
            images.
        people_a: how many people the first photograph's pose is of; None for models of whole images.
        people_b: the second's.
    """

    image_a: str
    image_b: str
    distance: float
    probability: float | None
    threshold: float | None
    same: bool | None
    faces_a: int | None = None
    faces_b: int | None = None
    place_probability: float | None = None
    pose_probability: float | None = None
    people_a: int | None = None
    people_b: int | None = None

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
    console: Console | None = None,
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
        console: where remarks go; standard error by default.

    Raises:
        DoppelgramError: no such model, or an image that cannot be read.
    """
    if show_crops is not None:
        check_png(show_crops)
    console = console or Console(stderr=True)
    model = load_model(run, weights=weights, keypoints=keypoints)
    face = _detector(crop, show_crops, model)
    images = [Path(image).expanduser() for image in (image_a, image_b)]
    if show_crops is not None:
        keep_inputs([Path(show_crops).expanduser()], images)
    if not isinstance(model, Model):
        return _arrangement_verdict(model, images, str(image_a), str(image_b), console)
    framing = replace(model.framing, face=face) if face else model.framing
    files = _both(model, images, framing)
    first, second = files.vectors.astype(np.float64)
    distance = float(np.linalg.norm(first - second))
    tell_faces(console, faces_report(images, files.faces))
    if show_crops is not None:
        draw_crops(images, framing, show_crops, console=console)
    calibration = model.calibration
    if calibration is None:
        return Verdict(str(image_a), str(image_b), distance, None, None, None, *files.faces)
    probability = float(calibration.probability(distance))
    return Verdict(
        str(image_a), str(image_b), distance, probability, calibration.threshold, bool(calibration.same(distance)),
        *files.faces,
    )  # fmt: skip


def _both(model: Model | ArrangementModel, images: Sequence[Path], framing: Framing | None = None) -> EmbeddedFiles:
    files = embed_files(model, images, framing=framing, keep_duplicates=True, asked=True)
    for outcome in files.report.problems():
        raise DoppelgramError(f"{outcome.path}: {outcome.reason or outcome.status}")
    return files


def _arrangement_verdict(
    model: ArrangementModel, images: Sequence[Path], image_a: str, image_b: str, console: Console
) -> Verdict:
    files = _both(model, images)
    people = model.space.people_shown(files.vectors).tolist()
    _tell_nobody(console, list(zip((image_a, image_b), people, strict=True)))
    judged = model.space.judge(files.vectors[:1], files.vectors[1:])
    probability = float(judged.probability[0])
    threshold = model.calibration.threshold
    return Verdict(
        image_a, image_b, 1 - probability, probability, 1 - threshold, probability >= threshold,
        place_probability=float(judged.place_probability[0]), pose_probability=float(judged.pose_probability[0]),
        people_a=people[0], people_b=people[1],
    )  # fmt: skip
