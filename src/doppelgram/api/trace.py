"""Role models: which posts set the arrangements that later posts repeated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import tell_notes
from doppelgram.dataset.posts.posts import Posts
from doppelgram.dataset.posts.registry import as_posts, read_posts
from doppelgram.errors import DoppelgramError
from doppelgram.images.near_copies import WORDS, hash_of_jpeg, same_photograph
from doppelgram.models.arrangement import require_arrangement
from doppelgram.models.bundle import load_model, model_folder
from doppelgram.reports.pages import write_text
from doppelgram.reports.role_models.anonymous import AnonymousPictures, anonymised
from doppelgram.reports.role_models.citation import write_citation
from doppelgram.reports.role_models.files import write_summary, write_tables
from doppelgram.reports.role_models.photographs import PORTRAIT_SIDE, CatalogPictures, Pictures
from doppelgram.reports.role_models.report import write_report
from doppelgram.reports.role_models.summary import REPORT_FILE, summary, title_of, versions
from doppelgram.reports.role_models.wall import write_walls
from doppelgram.rolemodels.findings import LIMITS
from doppelgram.rolemodels.methods import method
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.training.run import Run

CATALOG_FOLDER = "catalog"


def trace(
    posts: Collection | Path | str,
    model: Run | Path | str,
    *,
    out: Path | str | None = None,
    catalog: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    settings: TraceSettings | None = None,
    timezone: str = "UTC",
    places: bool = True,
    anonymise: bool = False,
    title: str = "",
    progress: Progress | None = None,
) -> RoleModels:
    """Find the arrangements among posts, order each in time, and say which posts set them.

    Args:
        posts: what `read_posts` reads (a table, a data export, a downloader's folder, photographs), or has read.
        model: run, or its folder, or a model folder; the model is one of places and poses (recipe ``posts``).
        out: folder for the tables, the graph and ``report.html``; nothing is written if it is None.
        catalog: where the posts' vectors and small pictures are kept, so that a photograph is opened once and decoded
            only if it is new; ``catalog`` in ``out`` by default.
        weights: folder in which the weights that find people are looked up first.
        keypoints: file of ready-made keypoints, for a model that takes those.
        settings: threshold, decay, draws, seed and the rest; the defaults if None.
        timezone: of times that name none, by its IANA name.
        places: whether a column ``place`` of the posts is the place within which clocks are shuffled; without one, or
            if not, places are found in the photographs.
        anonymise: whether what is written has letters for authors, numbers for posts, blurred heads and no captions;
            the catalog, which has them all, must then be named and lie outside ``out``.
        title: of the report.
        progress: where progress and remarks go; the terminal by default.

    Raises:
        DoppelgramError: a row of the posts, the model, the catalog or a folder cannot be used, or no picture be read.
    """
    progress = progress or TerminalProgress()
    settings = settings or TraceSettings()
    folder = None if out is None else _writable(Path(out).expanduser())
    loaded = require_arrangement(
        load_model(Path(model), weights=weights, keypoints=keypoints),
        f"{model}: this model compares whole images; role models need one of places and poses, "
        "trained with the recipe posts",
    )
    if anonymise and folder is not None and (catalog is None or _inside(Path(catalog).expanduser(), folder)):
        raise DoppelgramError(
            "an anonymous report must not lie beside the photographs: name a catalog outside of it (--catalog DIR)"
        )
    source = posts if isinstance(posts, Collection) else Path(posts).expanduser()
    with progress.bar("reading posts", 0):
        collection = source if isinstance(source, Collection) else read_posts(source, timezone=timezone)
    tell_notes(collection, progress)
    loaded.require_named(collection.paths, every=False)  # what is lacking is said before a catalog is started
    with _kept_in(catalog, folder) as kept:
        store = Catalog.open_or_create(kept, loaded, model_folder(Path(model)))
        with progress.bar("finding people and embedding", len(collection)) as advance:
            report = index_collection(collection, loaded, store, thumbnail=PORTRAIT_SIDE, progress=advance)
        if report.missing or report.broken:
            progress.warning(report.files.summary())
        # Two posts with the same bytes share a row of the catalog.
        rows, vectors = store.snapshot(["id"])
        row_of = {digest: row for row, digest in enumerate(rows["id"].tolist())}
        readable = collection.take(np.array([digest in row_of for digest in report.digests], dtype=bool))
        digests = [digest for digest in report.digests if digest in row_of]
        with progress.bar("tracing", settings.steps) as advance:
            table = PostTable.of(as_posts(readable), places=places)
            copies = same_photograph(_hashes(store, digests), digests)
            chosen = vectors[[row_of[digest] for digest in digests]]
            found = trace_posts(table, chosen, loaded.space, settings, advance, copies)
        found.counts["unreadable"] = len(collection) - len(readable)
        if folder is not None:
            pictures: Pictures = CatalogPictures(store, dict(zip(readable.names, digests, strict=True)))
            title = title or ("Role models" if anonymise else title_of(source))
            shown = found
            if anonymise:
                shown, path_of = anonymised(found)
                pictures = AnonymousPictures(pictures, path_of)
            origin = (
                f"read by the reader '{readable.source}'" if isinstance(readable, Posts) and readable.source else ""
            )
            _write(shown, folder, pictures, title, versions(loaded), origin)
    return found


def _write(found: RoleModels, folder: Path, pictures: Pictures, title: str, about: dict[str, str], source: str) -> None:
    write_tables(found, folder)
    write_summary(summary(found, folder), folder)
    write_citation(folder)
    write_text(
        folder / "methods.txt", "\n\n".join(part for part in [*method(found, about, source), LIMITS] if part) + "\n"
    )
    write_walls(found, folder, pictures)
    write_report(found, folder / REPORT_FILE, pictures, title=title, about=about, source=source)


def _hashes(store: Catalog, digests: list[str]) -> NDArray[np.uint64]:
    """Perceptual hashes of the small pictures in a catalog, by the posts' ids, (n, WORDS)."""
    ids = sorted(set(digests))
    known: dict[str, NDArray[np.uint64]] = {}
    for start in range(0, len(ids), 256):
        stored = store.find(ids[start : start + 256], ["thumbnail"])["thumbnail"]
        known |= {one: hash_of_jpeg(data) for one, data in stored.items()}
    nothing = np.zeros(WORDS, dtype=np.uint64)
    return np.array([known.get(digest, nothing) for digest in digests], dtype=np.uint64).reshape(-1, WORDS)


def _inside(inner: Path, outer: Path) -> bool:
    return inner.resolve().is_relative_to(outer.resolve())


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
