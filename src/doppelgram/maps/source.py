"""What a map is drawn of: a catalog, a run or a model, and what goes with which."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from doppelgram.catalog.folder import CATALOG_FILE
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.format import DESCRIPTION_FILE
from doppelgram.models.ready_made.registry import names_model
from doppelgram.storage.resolve import in_bucket
from doppelgram.training.run import RUN_FILE


def is_source(source: PathLike[str] | str) -> bool:
    """Whether a map can be drawn of it by itself; false for images, which are there but have no model."""
    if in_bucket(source):
        return True
    path = Path(source).expanduser()
    files = (CATALOG_FILE, RUN_FILE, DESCRIPTION_FILE)
    return names_model(source) or not path.exists() or any((path / name).is_file() for name in files)


def kind_of_source(source: PathLike[str] | str) -> str:
    """``catalog``, ``run`` or ``model``; raises DoppelgramError for anything else."""
    if names_model(source):
        return "model"
    if in_bucket(source):
        return "catalog"
    source = Path(source).expanduser()
    if (source / CATALOG_FILE).is_file():
        return "catalog"
    if (source / RUN_FILE).is_file():
        return "run"
    if (source / DESCRIPTION_FILE).is_file():
        return "model"
    why = "is neither a catalog nor a run" if source.exists() else "there is no such catalog or run"
    raise DoppelgramError(f"{source}: {why}; make one with `doppelgram index` or `doppelgram train`")


def check_together(
    source: PathLike[str] | str,
    kind: str,
    data: Collection | Path | str | None,
    place: Collection | Path | str | None,
    onto: Path | str | None,
    parts: Sequence[str],
    where: str = "",
) -> None:
    """Refuse what does not go together before anything is loaded."""
    if where and (kind != "catalog" or onto is not None):
        raise DoppelgramError("--where chooses among the images of a catalog; it goes with nothing else")
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
