"""Rows of a catalog by what a person calls them: an id, a path, a name or a condition."""

from __future__ import annotations

import os
from collections.abc import Sequence

from doppelgram.catalog.rows import is_id
from doppelgram.catalog.search.where import parse_where
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.image_table import path_key
from doppelgram.errors import DoppelgramError
from doppelgram.images.report import quoted
from doppelgram.numbers import count


class Names:
    """How the rows of a catalog can be called; where each face of a photograph has a row, a path means all of them."""

    def __init__(self, catalog: Catalog) -> None:
        rows = catalog.rows(["id", "path", "name"])
        self._ids = set(rows["id"])
        self._by_path: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        for id_, path, name in rows[["id", "path", "name"]].itertuples(index=False):
            self._by_path.setdefault(path_key(path), []).append(id_)
            self._by_name.setdefault(path_key(name), []).append(id_)

    def find(self, text: str) -> list[str]:
        """Ids of the rows with this id, path or name; none where there is nothing of the kind."""
        if is_id(text):
            return [text] if text in self._ids else []
        absolute = path_key(os.path.abspath(os.path.expanduser(text)))
        return self._by_path.get(path_key(text)) or self._by_path.get(absolute) or self._by_name.get(path_key(text), [])


def chosen_ids(catalog: Catalog, images: Sequence[str] = (), where: str = "") -> list[str]:
    """Ids of the rows that are meant: those that are named, those that fulfil a condition, or of the named ones those.

    Raises:
        DoppelgramError: nothing is named, something that is named is not there, or no row fulfils the condition.
    """
    if not images and not where:
        raise DoppelgramError("name images by path, name or id, or say which with --where")
    fulfilling = parse_where(where).ids(catalog) if where else None
    if not images:
        return sorted(fulfilling or ())
    names = Names(catalog)
    found = {image: names.find(image) for image in images}
    missing = [image for image, ids in found.items() if not ids]
    if missing:
        more = f" (nor {count(len(missing) - 1, 'other')})" if len(missing) > 1 else ""
        raise DoppelgramError(f"{catalog.location}: there is no image {quoted(missing[0])} in this catalog{more}")
    chosen = dict.fromkeys(id_ for ids in found.values() for id_ in ids)
    return [id_ for id_ in chosen if fulfilling is None or id_ in fulfilling]
