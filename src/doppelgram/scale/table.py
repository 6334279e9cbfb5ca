"""The table of a catalog as workers and the committer see it: files that are written first and appended later."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from doppelgram.catalog.folder import DATABASE_FOLDER, plain_errors
from doppelgram.catalog.rows import EmbeddedImage, images_table
from doppelgram.catalog.store import TABLE, Catalog
from doppelgram.scale.shelf import Shelf

_FEW = 10_000  # row numbers in one condition, which is text that the engine has to parse


class Table:
    """The images of a catalog, by Lance itself: LanceDB has no way to write data files without a commit.

    Args:
        catalog: whose table it is.
        dim: size of its embeddings.
        address: of the table.
    """

    def __init__(self, catalog: str, dim: int, address: str) -> None:
        self.catalog, self.dim, self.address = catalog, dim, address
        self._files = Shelf(address)

    @classmethod
    def of(cls, catalog: Catalog) -> Table:
        """The table of a catalog."""
        return cls(str(catalog.folder), catalog.dim, f"{catalog.folder}/{DATABASE_FOLDER}/{TABLE}.lance")

    def opened(self) -> Any:
        """The latest version."""
        import lance

        with self._plain("read"):
            return lance.dataset(self.address)

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
        with self._plain("written"):
            latest = self.opened()
            fragments = write_fragments(rows.select(latest.schema.names), latest)
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
        lance.LanceDataset.commit(latest, lance.LanceOperation.Append(known), read_version=latest.version)

    def parts(self) -> set[str]:
        """The parts of plans that rows came from."""
        import pyarrow.compute as pc

        found: set[str] = set()
        with self._plain("read"):
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

    @contextmanager
    def _plain(self, done: str) -> Iterator[None]:
        from pathlib import Path

        with plain_errors(Path(self.catalog), done):
            yield


def plans_of(catalog: Catalog) -> str:
    """Where the plans of a catalog lie."""
    return f"{catalog.folder}/plans"


def _files_of(fragments: Sequence[str]) -> list[str]:
    return [f"data/{file['path']}" for text in fragments for file in json.loads(text)["files"]]
