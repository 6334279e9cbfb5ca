"""The table of a catalog as workers and the committer see it: files that are written first and appended later."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from doppelgram.catalog.folder import DATABASE_FOLDER, plain_errors
from doppelgram.catalog.rows import EmbeddedImage, images_table
from doppelgram.catalog.store import TABLE, Catalog
from doppelgram.scale.write_once import WriteOnceStore
from doppelgram.storage.resolve import in_bucket

_FEW = 10_000  # row numbers in one condition, which is text that the engine has to parse


class Table:
    """The images of a catalog, by Lance itself: LanceDB has no way to write data files without a commit.

    Args:
        catalog: whose table it is.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = str(catalog.location)
        self.dim = catalog.dim
        self._address = f"{address_in(catalog, DATABASE_FOLDER)}/{TABLE}.lance"
        self._options = catalog.location.options
        self._files = WriteOnceStore(self._address)

    def opened(self) -> Any:
        """The latest version."""
        import lance

        with plain_errors(self.catalog, "read"):
            return lance.dataset(self._address, storage_options=self._options)

    def write(self, images: Sequence[EmbeddedImage]) -> list[str]:
        """Write rows into data files that no version of the table names as yet.

        Returns:
            What Lance says of each file, as JSON text; nothing where there are no rows.
        """
        from lance.fragment import write_fragments

        if not images:
            return []
        # A table, not a reader: a reader that failed half-way would give only the rest when it is tried again.
        rows = images_table(images, self.dim)
        with plain_errors(self.catalog, "written"):
            latest = self.opened()
            fragments = write_fragments(rows.select(latest.schema.names), latest, storage_options=self._options)
        return [json.dumps(fragment.to_json()) for fragment in fragments]

    def has_all(self, fragments: Sequence[str]) -> bool:
        """Whether the data files are there still: cleaning takes away what no version has named for a week."""
        return all(self._files.has(name) for name in _files_of(fragments))

    def discard(self, fragments: Sequence[str]) -> None:
        """Delete data files that no version names."""
        self._files.remove(_files_of(fragments))

    def append(self, fragments: Sequence[str]) -> None:
        """Make the rows of data files visible, all in one commit. Lance does not notice that it had them before."""
        import lance

        latest = self.opened()
        known = [lance.FragmentMetadata.from_json(text) for text in fragments]
        appended = lance.LanceOperation.Append(known)
        lance.LanceDataset.commit(latest, appended, read_version=latest.version, storage_options=self._options)

    def parts(self) -> set[str]:
        """The parts of plans that rows came from."""
        import pyarrow.compute as pc

        found: set[str] = set()
        with plain_errors(self.catalog, "read"):
            for batch in self.opened().to_batches(columns=["part"]):
                found.update(pc.unique(batch["part"]).to_pylist())
        return found - {"", None}

    def remove(self, version: Any, rows: Sequence[int]) -> None:
        """Take out rows by their numbers in a version, which is then the latest one.

        Raises:
            OSError: another process changed the table since, and numbers may mean other rows now; look again.
        """
        for start in range(0, len(rows), _FEW):
            listed = ", ".join(map(str, rows[start : start + _FEW]))
            version.delete(f"_rowid IN ({listed})", conflict_retries=0)


def address_in(catalog: Catalog, name: str) -> str:
    """A folder of a catalog, as processes take it that were started elsewhere."""
    address = catalog.location.address(name)
    return address if in_bucket(address) else os.path.abspath(address)


def plans_of(catalog: Catalog) -> str:
    """Where the plans of a catalog lie."""
    return address_in(catalog, "plans")


def _files_of(fragments: Sequence[str]) -> list[str]:
    return [f"data/{file['path']}" for text in fragments for file in json.loads(text)["files"]]
