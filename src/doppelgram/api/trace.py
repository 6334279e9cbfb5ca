"""Role models: which posts set the arrangements that later posts repeated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doppelgram.api.chosen import chosen_model
from doppelgram.catalog.folder import kept_in, require_outside
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import tell_notes
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.files import check_folder
from doppelgram.models.arrangement import require_arrangement
from doppelgram.models.bundle import load_model
from doppelgram.reports.role_models.folder import write_folder
from doppelgram.reports.role_models.photographs import PORTRAIT_SIDE, CatalogPictures
from doppelgram.reports.role_models.summary import title_of, versions
from doppelgram.rolemodels.kept_posts import KeptPosts
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.views import with_views
from doppelgram.training.run import Run
from doppelgram.view.finder import asked_view


def trace(
    posts: Collection | Path | str,
    model: Run | Path | str | None = None,
    *,
    out: Path | str | None = None,
    catalog: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    settings: TraceSettings | None = None,
    timezone: str = "UTC",
    columns: Mapping[str, str] | None = None,
    reader: str = "",
    places: bool = True,
    anonymise: bool = False,
    title: str = "",
    view: bool | None = None,
    progress: Progress | None = None,
) -> RoleModels:
    """Find the arrangements among posts, order each in time, and say which posts set them.

    Args:
        posts: what `read_posts` reads (a table, a data export, a downloader's folder, photographs), or has read.
        model: run, or its folder, a model folder, or the name of a ready-made model; one of places and poses. By
            default ``arrangements``.
        out: folder for the tables, the graph and ``report.html``; nothing is written if it is None.
        catalog: where the posts' vectors and small pictures are kept, so that a photograph is opened once and decoded
            only if it is new; ``catalog`` in ``out`` by default.
        weights: folder in which weights are looked up first.
        keypoints: file of ready-made keypoints, for a model that takes those.
        settings: threshold, decay, draws, seed and the rest; the defaults if None.
        timezone: of times that name none, by its IANA name.
        columns: what a table calls a column: ``{"path": "File", "author": "User"}``.
        reader: the reader of posts to use, by name.
        places: whether a column ``place`` of the posts is the place within which clocks are shuffled; without one, or
            if not, places are found in the photographs.
        anonymise: whether what is written has letters for authors, numbers for posts, blurred heads and no captions;
            the catalog, which has them all, must then be named and lie outside ``out``.
        title: of the report.
        view: whether leading pairs are looked at for the same view; by default where the extra ``view`` is installed.
        progress: where progress and remarks go; the terminal by default.

    Raises:
        DoppelgramError: a row of the posts, the model, the catalog or a folder cannot be used, or no picture be read.
    """
    progress, settings = progress or TerminalProgress(), settings or TraceSettings()
    folder, views = None if out is None else Path(out).expanduser(), asked_view(view, weights)
    if folder is not None:
        check_folder(folder)
        if anonymise:
            require_outside(catalog, folder)
    model = chosen_model(model, "arrangements", progress)
    loaded = require_arrangement(
        load_model(model, weights=weights, keypoints=keypoints),
        f"{model}: this model compares whole images; role models need one of places and poses, "
        "such as the ready-made model arrangements or one trained with the recipe posts",
    )
    source = posts if isinstance(posts, Collection) else Path(posts).expanduser()
    with progress.bar("reading posts", 0):
        if not isinstance(source, Collection):
            source_posts = read_posts(source, timezone=timezone, columns=columns, reader=reader)
        collection = source if isinstance(source, Collection) else source_posts
    tell_notes(collection, progress)
    loaded.require_named(collection.paths, every=False)  # what is lacking is said before a catalog is started
    with kept_in(catalog, folder) as kept:
        store = Catalog.open_or_create(kept, loaded, model)
        with progress.bar("finding people and embedding", len(collection)) as advance:
            report = index_collection(collection, loaded, store, thumbnail=PORTRAIT_SIDE, progress=advance)
        if report.missing or report.broken:
            progress.warning(report.files.summary())
        kept_posts = KeptPosts.of_collection(collection, report.digests, store)
        with progress.bar("tracing", settings.steps) as advance:
            found = kept_posts.trace(store, loaded.space, settings, advance, places=places)
        readable = kept_posts.posts
        found = with_views(found, dict(zip(readable.names, readable.paths, strict=True)), views, progress)
        found.counts["unreadable"] = len(collection) - len(readable)
        if folder is not None:
            pictures = CatalogPictures(store, dict(zip(readable.names, kept_posts.ids, strict=True)))
            title = title or ("Role models" if anonymise else title_of(source))
            write_folder(found, folder, pictures, title, versions(loaded), readable.source, anonymise)
    return found
