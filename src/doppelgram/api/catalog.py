"""Images that leave a catalog, and images that get other labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from doppelgram.catalog.folder import CATALOG_FILE
from doppelgram.catalog.rows import file_of
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
    for other in _others(store):
        other.remove([row for rows in _rows_in(other, store, ids).values() for row in rows])
    return Changed(paths, store.remove(ids))


def _others(store: Catalog) -> list[Catalog]:
    """Catalogs of the same images: by the models beside, and by those that teaching trained."""
    if in_bucket(str(store.location)):
        return store.beside()
    files = store.folder.glob(f"{VERSIONS_FOLDER}/*/{CATALOG_FOLDER}/{CATALOG_FILE}")
    return [*store.beside(), *(Catalog.open(file.parent) for file in sorted(files))]


def _rows_in(other: Catalog, store: Catalog, ids: Iterable[str]) -> dict[str, list[str]]:
    """Ids of the rows of another catalog that are meant by each of these ids of a catalog.

    Where only the other one has a row for each face of a photograph, all faces are meant.
    """
    if store.faces or not other.faces:
        return {id_: [id_] for id_ in ids}
    rows: dict[str, list[str]] = {id_: [] for id_ in ids}
    for row in other.hashes():
        if file_of(row) in rows:
            rows[file_of(row)].append(row)
    return rows


def relabel_images(
    catalog: Path | str,
    labels: Path | str | None = None,
    *,
    where: str = "",
    label: str | None = None,
    column: str = LABEL,
    check: bool = False,
) -> Changed:
    """Give images of a catalog other labels, in its trained versions and the vectors beside, too.

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
        others = []  # all of them first: what is wrong with one must not leave the others half done
        for other in _others(store):
            rows = _rows_in(other, store, new)
            others.append((other, relabel(other, {row: new[id_] for id_, some in rows.items() for row in some})))
        for other, changed in others:
            other.update(changed)
        store.update(entries)
    return Changed(list(dict.fromkeys(entry.path for entry in entries)), len(entries))
