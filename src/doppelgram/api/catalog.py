"""Images that leave a catalog, and images that get other labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doppelgram.catalog.folder import CATALOG_FILE
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.upkeep.relabel import LABEL, read_labels, relabel
from doppelgram.catalog.upkeep.selection import chosen_ids
from doppelgram.errors import DoppelgramError
from doppelgram.storage.resolve import in_bucket
from doppelgram.teaching.versions import CATALOG_FOLDER, VERSIONS_FOLDER


@dataclass(frozen=True)
class Changed:
    """Rows of a catalog that were changed or taken out, or would be.

    Attributes:
        paths: of the images, each once.
        rows: how many rows.
    """

    paths: list[str]
    rows: int


def delete_images(catalog: Path | str, images: Sequence[str] = (), *, where: str = "", check: bool = False) -> Changed:
    """Take images out of a catalog, its trained versions and the vectors beside; the photographs themselves stay.

    Args:
        catalog: catalog folder, or ``s3://bucket/prefix``.
        images: by path, by name in their collection, or by id.
        where: condition; of the named images only those that fulfil it, or else of all.
        check: only say which.

    Raises:
        DoppelgramError: nothing is named, or something that is named is not there.
    """
    store = Catalog.open(catalog)
    ids = chosen_ids(store, images, where)
    paths = list(dict.fromkeys(store.find(ids, ["path"])["path"]))
    if check:
        return Changed(paths, len(ids))
    for other in (*store.beside(), *_trained(store)):
        other.remove(ids)
    return Changed(paths, store.remove(ids))


def _trained(store: Catalog) -> list[Catalog]:
    """Catalogs of the same images by models that teaching trained."""
    if in_bucket(str(store.location)):
        return []
    files = store.folder.glob(f"{VERSIONS_FOLDER}/*/{CATALOG_FOLDER}/{CATALOG_FILE}")
    return [Catalog.open(file.parent) for file in sorted(files)]


def relabel_images(
    catalog: Path | str,
    labels: Path | str | None = None,
    *,
    where: str = "",
    label: str | None = None,
    column: str = LABEL,
    check: bool = False,
) -> Changed:
    """Give images of a catalog other labels, in the vectors beside it, too.

    Args:
        catalog: catalog folder, or ``s3://bucket/prefix``.
        labels: table with ``path`` (or ``id``), and ``label`` or label columns such as ``place``.
        where: condition of the images that get ``label``, instead of a table.
        label: that they get; empty for none.
        column: label column that it is of.
        check: only say which.

    Raises:
        DoppelgramError: the table or condition cannot be used, or labels made of several columns are given as one.
    """
    if (labels is None) == (label is None) or bool(where) != (label is not None):
        raise DoppelgramError("give a table of labels, or --where with --to")
    store = Catalog.open(catalog)
    if labels is not None:
        new = read_labels(Path(labels).expanduser(), store)
    else:
        new = {id_: {column: label or ""} for id_ in chosen_ids(store, where=where)}
    entries = relabel(store, new)
    if not check:
        for other in store.beside():
            other.update(relabel(other, new))
        store.update(entries)
    return Changed(list(dict.fromkeys(entry.path for entry in entries)), len(entries))
