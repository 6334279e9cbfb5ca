"""Ask the learned metric: fill a catalog, find look-alikes in it, compare two photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from doppelgram.api.crops import check_png, chosen_detector, draw_crops, faces_report, tell_faces
from doppelgram.api.loading import progress_bar
from doppelgram.catalog.embed import IndexReport, index_collection
from doppelgram.catalog.montage import draw_montage
from doppelgram.catalog.search import Neighbours, search_catalog
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.readers import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.images.batch import load_pixels
from doppelgram.images.framing import Framing
from doppelgram.models.bundle import load_model, model_folder
from doppelgram.models.model import Model


def index(
    data: Path | str,
    model: Path | str,
    catalog: Path | str,
    *,
    crop: str = "",
    show_crops: Path | str | None = None,
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
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: nothing could be read, or the catalog was filled by another model or from other cuts.
    """
    console = console or Console(stderr=True)
    loaded = load_model(model)
    wanted = str(loaded.recipe.get("data", {}).get("label", ""))
    collection = read_collection(data)
    if wanted and all(part.strip() in collection.table.columns for part in wanted.split("+")):
        collection = collection.with_label(wanted)
    if show_crops is not None:
        check_png(show_crops)
    face = chosen_detector(crop, loaded)
    store = Catalog.open_or_create(Path(catalog).expanduser(), loaded, model_folder(model), face=face)
    for note in collection.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    with progress_bar(console, "indexing", len(collection)) as advance:
        report = index_collection(collection, loaded, store, progress=advance)
    tell_faces(console, report.files)
    if show_crops is not None:
        draw_crops(collection.paths, store.framing(loaded), show_crops, console=console)
    return report


def search(
    catalog: Path | str,
    images: Sequence[Path | str],
    k: int = 5,
    *,
    montage: Path | str | None = None,
    crop: str = "",
    show_crops: Path | str | None = None,
    console: Console | None = None,
) -> list[Neighbours]:
    """The k images in a catalog that look most like each given one.

    Args:
        catalog: catalog folder.
        images: photographs; one that is in the catalog itself is not its own answer.
        k: how many.
        montage: PNG to draw queries and answers into.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of the given images. Without it
            they are framed as the images in the catalog were.
        show_crops: PNG to draw the given images into, with what is cut from each.
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
    model = store.load_model()
    face = chosen_detector(crop, model)
    paths = [Path(image).expanduser() for image in images]
    found = search_catalog(store, paths, k, model=model, face=face)
    tell_faces(console, faces_report(paths, [answer.faces for answer in found]))
    if show_crops is not None:
        framing = replace(model.framing, face=face) if face else store.framing(model)
        draw_crops(paths, framing, show_crops, console=console)
    if montage is not None:
        draw_montage(found, store, Path(montage).expanduser())
    return found


@dataclass(frozen=True)
class Verdict:
    """Whether two photographs show the same.

    Attributes:
        distance: between their embeddings.
        probability: that they are the same, were both equally likely beforehand; None without calibration.
        threshold: the distance below which they count as the same; None without calibration.
        same: the verdict; None without calibration.
        faces_a: how many faces were found in the first photograph; None where none were looked for.
        faces_b: in the second.
    """

    image_a: str
    image_b: str
    distance: float
    probability: float | None
    threshold: float | None
    same: bool | None
    faces_a: int | None = None
    faces_b: int | None = None

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
    console: Console | None = None,
) -> Verdict:
    """Compare two photographs with a run's model.

    Args:
        run: run or model folder.
        image_a: a photograph.
        image_b: another.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of both.
        show_crops: PNG to draw them into, with what is cut from each.
        console: where remarks go; standard error by default.

    Raises:
        DoppelgramError: no such model, or an image that cannot be read.
    """
    if show_crops is not None:
        check_png(show_crops)
    console = console or Console(stderr=True)
    model = load_model(run)
    face = chosen_detector(crop, model)
    framing = replace(model.framing, face=face) if face else model.framing
    images = [Path(image).expanduser() for image in (image_a, image_b)]
    distance, faces = _compared(model, framing, images)
    tell_faces(console, faces_report(images, faces))
    if show_crops is not None:
        draw_crops(images, framing, show_crops, console=console)
    calibration = model.calibration
    if calibration is None:
        return Verdict(str(image_a), str(image_b), distance, None, None, None, *faces)
    probability = float(calibration.probability(distance))
    return Verdict(
        str(image_a), str(image_b), distance, probability, calibration.threshold, bool(calibration.same(distance)),
        *faces,
    )  # fmt: skip


def _compared(model: Model, framing: Framing, images: Sequence[Path]) -> tuple[float, list[int | None]]:
    """Distance of two photographs, and how many faces were found in each."""
    loaded = load_pixels(images, framing, keep_duplicates=True)
    for outcome in loaded.report.problems():
        raise DoppelgramError(f"{outcome.path}: {outcome.reason or outcome.status}")
    first, second = model.embed_pixels(loaded.pixels).astype(np.float64)
    return float(np.linalg.norm(first - second)), loaded.faces
