"""Role models: which posts set the arrangements that later posts repeated."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console

from doppelgram.catalog.embed import index_collection
from doppelgram.catalog.files import hash_file
from doppelgram.catalog.store import Catalog
from doppelgram.console import progress_bar
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts.registry import as_posts, read_posts
from doppelgram.errors import DoppelgramError
from doppelgram.images.ordered import in_order
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.bundle import load_model, model_folder
from doppelgram.reports.role_models.files import write_summary, write_tables
from doppelgram.reports.role_models.photographs import CatalogPictures
from doppelgram.reports.role_models.report import write_report
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts

REPORT_FILE, CATALOG_FOLDER = "report.html", "catalog"


def trace(
    posts: Collection | Path | str,
    model: Path | str,
    *,
    out: Path | str | None = None,
    catalog: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    settings: TraceSettings | None = None,
    timezone: str = "UTC",
    places: bool = True,
    title: str = "",
    console: Console | None = None,
) -> RoleModels:
    """Find the arrangements among posts, order each in time, and say which posts set them.

    Args:
        posts: what `read_posts` reads (a table, a data export, a downloader's folder, photographs), or has read.
        model: run or model folder; the model is one of places and poses (recipe ``posts``).
        out: folder for the tables, the graph and ``report.html``; nothing is written if it is None.
        catalog: where the posts' vectors are kept, so that none is computed twice; ``catalog`` in ``out`` by default.
        weights: folder in which the weights that find people are looked up first.
        keypoints: file of ready-made keypoints, for a model that takes those.
        settings: threshold, decay, draws, seed and the rest; the defaults if None.
        timezone: of times that name none, by its IANA name.
        places: whether a column ``place`` of the posts is the place within which clocks are shuffled; without one, or
            if not, places are found in the photographs.
        title: of the report.
        console: where progress and remarks go; standard error by default.

    Raises:
        DoppelgramError: a row of the posts, the model, the catalog or a folder cannot be used, or no picture be read.
    """
    console = console or Console(stderr=True)
    settings = settings or TraceSettings()
    folder = None if out is None else _writable(Path(out).expanduser())
    loaded = load_model(model, weights=weights, keypoints=keypoints)
    if not isinstance(loaded, ArrangementModel):
        raise DoppelgramError(
            f"{model}: this model compares whole images; role models need one of places and poses, "
            "trained with the recipe posts"
        )
    source = posts if isinstance(posts, Collection) else Path(posts).expanduser()
    collection = source if isinstance(source, Collection) else _read(source, timezone, console)
    for note in collection.notes:
        _tell(console, f"note: {note}")
    loaded.finder.require_named(collection.paths, every=False)  # what is lacking is said before a catalog is begun
    with _kept_in(catalog, folder) as place:
        store = Catalog.open_or_create(place, loaded, model_folder(model))
        embedded = _embed(collection, loaded, store, console)
        table = PostTable.of(as_posts(embedded.collection), places=places)
        with progress_bar(console, "tracing", settings.steps) as advance:
            found = trace_posts(table, embedded.vectors, loaded.space, settings, advance)
        found.counts["unreadable"] = len(collection) - len(embedded.collection)
        if folder is not None:
            pictures = CatalogPictures(store, embedded.files, embedded.digests)
            write_tables(found, folder)
            write_summary(summary(found, folder), folder)
            about = _about(loaded)
            write_report(found, folder / REPORT_FILE, pictures, title=title or _title(source), about=about)
    return found


@dataclass(frozen=True)
class _Embedded:
    """The posts whose picture could be read, their vectors (n, dim), files and ids in the catalog."""

    collection: Collection
    vectors: NDArray[np.float32]
    files: Mapping[str, Path]
    digests: Mapping[str, str]


def _read(source: Path, timezone: str, console: Console) -> Collection:
    with console.status("reading posts"):
        return read_posts(source, timezone=timezone)


def _writable(folder: Path) -> Path:
    if folder.exists() and not folder.is_dir():
        raise DoppelgramError(f"{folder}: is a file; the tables and the report need a folder")
    return folder


@contextmanager
def _kept_in(catalog: Path | str | None, out: Path | None) -> Iterator[Path]:
    """The catalog's folder: the given one, one in the output folder, or one that is gone afterwards."""
    if catalog is not None:
        yield Path(catalog).expanduser()
    elif out is not None:
        yield out / CATALOG_FOLDER
    else:
        with TemporaryDirectory(prefix="doppelgram-") as folder:
            yield Path(folder) / CATALOG_FOLDER


def _embed(collection: Collection, model: ArrangementModel, store: Catalog, console: Console) -> _Embedded:
    """Vectors of all posts by way of the catalog; two posts with the same bytes share a row of it."""
    with progress_bar(console, "finding people and embedding", len(collection)) as advance:
        report = index_collection(collection, model, store, progress=advance)
    if report.missing or report.broken:
        _tell(console, report.files.summary(), style="yellow")
    digests = [read.digest for read in in_order(hash_file, [str(path) for path in collection.paths])]
    rows, vectors = store.snapshot(["id"])
    row_of = {digest: row for row, digest in enumerate(rows["id"].tolist())}
    kept = np.array([digest in row_of for digest in digests], dtype=bool)
    readable = collection.take(kept)
    taken = [row_of[digest] for digest in digests if digest in row_of]
    names = readable.names
    return _Embedded(
        readable,
        vectors[taken],
        dict(zip(names, readable.paths, strict=True)),
        dict(zip(names, (digest for digest in digests if digest in row_of), strict=True)),
    )


def _title(source: Collection | Path) -> str:
    name = (source.root if isinstance(source, Collection) else source).resolve()
    if not isinstance(source, Collection) and name.is_file():
        name = name.parent if name.stem.startswith("posts") else name.with_suffix("")
    return f"Role models: {name.name}"


def _about(model: ArrangementModel) -> dict[str, str]:
    """Programs and versions that the figures depend on."""
    from importlib.metadata import version

    sight = model.sight
    return {
        "Doppelgram": version("doppelgram"),
        "Python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy")},
        "model": model.fingerprint[:12],
        "people found by": f"{sight.estimator} {sight.estimator_key}".strip(),
        "people masked by": f"{sight.segmenter} {sight.segmenter_key}".strip(),
    }


def summary(found: RoleModels, out: Path | str | None = None) -> dict[str, Any]:
    """What a trace found in short, as JSON writes it."""
    leaders = found.role_models[(found.role_models["status"] == "traced") & (found.role_models["score"] > 0)]
    columns = ["path", "author", "timestamp", "place", "arrangement", "score", "influence", "originality", "followers",
               "total_followers", "excess", "p_value", "q_value", "rank_low", "rank_high"]  # fmt: skip
    return {
        "counts": found.counts,
        "overall": {name: _plain(value) for name, value in found.overall.items()},
        "threshold": found.threshold,
        "decay_days": _plain(found.decay_days),
        "settings": found.settings.to_dict(),
        "notes": list(found.notes),
        "role_models": [
            {name: _plain(value) for name, value in zip(columns, row, strict=True)}
            for row in leaders[columns].head(found.settings.top).itertuples(index=False)
        ],
        **({"report": str(Path(out) / REPORT_FILE)} if out is not None else {}),
    }


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z")
    return value.item() if isinstance(value, np.generic) else value


def _tell(console: Console, sentence: str, *, style: str = "dim") -> None:
    console.print(sentence, style=style, highlight=False, markup=False, soft_wrap=True)
