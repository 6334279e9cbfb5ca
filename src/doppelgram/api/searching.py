"""Ask the learned metric: fill a catalog, find look-alikes in it, compare two photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from doppelgram.api.loading import progress_bar
from doppelgram.catalog.embed import IndexReport, index_collection
from doppelgram.catalog.montage import draw_montage
from doppelgram.catalog.search import Neighbours, search_catalog
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.readers import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model, model_folder


def index(data: Path | str, model: Path | str, catalog: Path | str, *, console: Console | None = None) -> IndexReport:
    """Embed a folder or table of images into a catalog; what is there already is skipped.

    Args:
        data: the images; labels are kept where there are any.
        model: run or model folder.
        catalog: catalog folder, made if it is not there.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: nothing could be read, or the catalog was filled by another model.
    """
    console = console or Console(stderr=True)
    loaded = load_model(model)
    wanted = str(loaded.recipe.get("data", {}).get("label", ""))
    collection = read_collection(data)
    if wanted and all(part.strip() in collection.table.columns for part in wanted.split("+")):
        collection = collection.with_label(wanted)
    store = Catalog.open_or_create(Path(catalog).expanduser(), loaded, model_folder(model))
    for note in collection.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    with progress_bar(console, "indexing", len(collection)) as advance:
        return index_collection(collection, loaded, store, progress=advance)


def search(
    catalog: Path | str, images: Sequence[Path | str], k: int = 5, *, montage: Path | str | None = None
) -> list[Neighbours]:
    """The k images in a catalog that look most like each given one.

    Args:
        catalog: catalog folder.
        images: photographs; one that is in the catalog itself is not its own answer.
        k: how many.
        montage: PNG to draw queries and answers into.

    Raises:
        DoppelgramError: no such catalog, an empty one, or an image that cannot be read.
    """
    if montage is not None and Path(montage).suffix.lower() != ".png":
        raise DoppelgramError(f"{montage}: a montage is a PNG; let its name end in .png")
    store = Catalog.open(Path(catalog).expanduser())
    found = search_catalog(store, [Path(image).expanduser() for image in images], k)
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
    """

    image_a: str
    image_b: str
    distance: float
    probability: float | None
    threshold: float | None
    same: bool | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return dict(vars(self))


def verify(run: Path | str, image_a: Path | str, image_b: Path | str) -> Verdict:
    """Compare two photographs with a run's model.

    Raises:
        DoppelgramError: no such model, or an image that cannot be read.
    """
    model = load_model(run)
    distance = model.distance(image_a, image_b)
    calibration = model.calibration
    if calibration is None:
        return Verdict(str(image_a), str(image_b), distance, None, None, None)
    probability = float(calibration.probability(distance))
    return Verdict(
        str(image_a), str(image_b), distance, probability, calibration.threshold, bool(calibration.same(distance))
    )
