"""A catalog as files for other programs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from doppelgram.catalog.export.rows import Rows
from doppelgram.catalog.export.shards import PER_SHARD, write_shards
from doppelgram.catalog.export.tables import write_csv, write_npy, write_parquet
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.upkeep.selection import chosen_ids
from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import count

WRITERS = {".csv": write_csv, ".parquet": write_parquet, ".npy": write_npy}
ENDINGS = (*WRITERS, ".tar")


@dataclass(frozen=True)
class Exported:
    """Files for other programs; in them are so many images.

    Attributes:
        files: that were written.
        images: how many images are in them.
        unread: paths of photographs that could not be read, or are others by now, and are not in them.
    """

    files: list[Path]
    images: int
    unread: list[str] = field(default_factory=list)


def export_catalog(
    catalog: Path | str,
    out: Path | str,
    *,
    where: str = "",
    as_of: str = "",
    originals: bool = False,
    per_shard: int = PER_SHARD,
    progress: Progress | None = None,
) -> Exported:
    """Write a catalog, as it is at one moment, as a table, a matrix or tar files.

    Args:
        catalog: catalog folder, or ``s3://bucket/prefix``.
        out: file: ``.csv``, ``.parquet``, ``.npy`` (and a ``.csv`` beside it), or ``.tar``, which gives several.
        where: condition of the images that are written; all by default.
        as_of: version: its number, its name, or a time; the latest by default.
        originals: for ``.tar``: whether the photographs themselves go in, not small pictures of them.
        per_shard: for ``.tar``: images in a file.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: there is no such kind of file, or it cannot be written.
    """
    file, progress = Path(out).expanduser(), progress or TerminalProgress()
    if re.match(r"\w\w+:/", str(out)):
        raise DoppelgramError(f"{out}: files are exported into a folder of this machine; name one, and copy them")
    if file.suffix not in ENDINGS:
        raise DoppelgramError(f"{out}: this program writes files that end in {', '.join(ENDINGS)}")
    if originals and file.suffix != ".tar":
        raise DoppelgramError("--originals goes with a file .tar")
    store = Catalog.open(catalog, as_of=as_of)
    store = store if store.as_of is not None else Catalog.open(catalog, as_of=str(store.versions()[-1].number))
    ids = set(chosen_ids(store, where=where)) if where else None
    with progress.bar("exporting", len(store) if ids is None else len(ids)) as advance:
        rows = Rows(store, ids, advance)
        if file.suffix == ".tar":
            done = write_shards(rows, file, originals=originals, per_shard=per_shard)
            if done.unread:
                progress.warning(
                    f"{count(len(done.unread), 'photograph')} could not be read, or changed since they were indexed, "
                    f"such as {done.unread[0]}; left out"
                )
            return Exported(done.files, done.images, done.unread)
        WRITERS[file.suffix](rows, file)
    return Exported([file, *([file.with_suffix(".csv")] if file.suffix == ".npy" else [])], len(rows))
