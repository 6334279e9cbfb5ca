"""Posts whose vectors a catalog holds: what a trace begins with, fresh from a reader or from the catalog alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.catalog.near_copies import photograph_numbers
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import RESERVED, Collection
from doppelgram.dataset.image_table import own_path
from doppelgram.dataset.posts.posts import Posts
from doppelgram.dataset.posts.registry import as_posts
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.space.arrangement import ArrangementSpace

ROW_COLUMN = "catalog_row"
"""Further column of posts that come from a catalog: the id of their row there."""

_FACTS = ("id", "name", "columns", "author", "timestamp")


@dataclass(frozen=True)
class KeptPosts:
    """Posts and the rows of a catalog that show them.

    Attributes:
        posts: n of them.
        ids: of their rows, n; posts with the same bytes share one.
        vectors: their embeddings, float32 (n, dim).
    """

    posts: Posts
    ids: Sequence[str]
    vectors: NDArray[np.float32]

    @classmethod
    def of_collection(cls, collection: Collection, digests: Sequence[str], store: Catalog) -> KeptPosts:
        """Those posts of a collection that the catalog holds.

        Args:
            collection: the posts.
            digests: SHA-256 of the file of each, empty where it could not be read.
            store: the catalog into which they were indexed.
        """
        rows, vectors = store.snapshot(["id"])
        row_of = {digest: row for row, digest in enumerate(rows["id"].tolist())}
        readable = collection.take(np.array([digest in row_of for digest in digests], dtype=bool))
        ids = [digest for digest in digests if digest in row_of]
        return cls(as_posts(readable), ids, vectors[[row_of[digest] for digest in ids]])

    @classmethod
    def of_catalog(cls, store: Catalog) -> KeptPosts:
        """All rows of a catalog, in the order of their names; no photograph is opened.

        Authors, times and label columns are those that the catalog knows. The column ``ROW_COLUMN`` says which row a
        post is, also where two rows have the same name.
        """
        rows, vectors = store.snapshot(_FACTS)
        order = sorted(range(len(rows)), key=lambda row: (rows["name"][row].removeprefix("./"), rows["id"][row]))
        rows = rows.iloc[order].reset_index(drop=True)
        seen: set[str] = set()
        labels = pd.DataFrame([_labels(text) for text in rows["columns"]], index=rows.index).fillna("")
        table = pd.DataFrame(
            {
                "path": [own_path(name, seen) for name in rows["name"]],
                "author": rows["author"].fillna(""),
                "timestamp": rows["timestamp"],
                **{str(name): labels[name] for name in labels},
                ROW_COLUMN: rows["id"],
            }
        )
        return cls(Posts(store.folder, table, "", source="catalog"), rows["id"].tolist(), vectors[order])

    def trace(
        self,
        store: Catalog,
        space: ArrangementSpace,
        settings: TraceSettings,
        progress: Callable[[int], None] | None = None,
        *,
        places: bool = True,
    ) -> RoleModels:
        """Trace them; see `trace_posts`.

        Args:
            store: the catalog, whose small pictures say which photographs are the same.
            space: of the model that fills it.
            settings: of the trace.
            progress: called with 1 as work goes on, ``settings.steps`` times in all.
            places: whether a column ``place`` is the place within which clocks are shuffled.
        """
        copies = photograph_numbers(store, self.ids)
        return trace_posts(PostTable.of(self.posts, places=places), self.vectors, space, settings, progress, copies)


def _labels(text: str) -> dict[str, str]:
    """The label columns of a row, without what a model found in the photograph and what posts call otherwise."""
    columns: dict[str, str] = json.loads(text or "{}")
    return {name: value for name, value in columns.items() if name not in (*FOUND_COLUMNS, *RESERVED, ROW_COLUMN)}
