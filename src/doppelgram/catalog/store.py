"""The catalog: a folder with the embedded images, their labels and thumbnails, and the model that embedded them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from doppelgram.catalog.beside import location_beside, names_beside
from doppelgram.catalog.compaction import KEPT_DAYS, Compacted, compact_table, fragments_of
from doppelgram.catalog.copies import remove_overtaken
from doppelgram.catalog.folder import (
    CATALOG_FILE,
    DATABASE_FOLDER,
    holds_catalog,
    keep_description,
    keep_model,
    model_in,
    new_facts,
    plain_errors,
    read_facts,
    require_face,
    require_faces,
    said_of,
    write_facts,
)
from doppelgram.catalog.migrations import VERSION, migrate
from doppelgram.catalog.rows import (
    COLUMNS,
    EMPTY,
    FACTS,
    EmbeddedImage,
    Entry,
    Float32,
    connect,
    create_table,
    entries_of,
    images_table,
    matrix,
    one_of,
    schema,
    with_facts,
    with_missing,
)
from doppelgram.catalog.search.searcher import Neighbours, Searcher
from doppelgram.catalog.versions import Version, keep_version, release_version, version_at, versions_of
from doppelgram.errors import DoppelgramError
from doppelgram.images.face_framing import ALL
from doppelgram.images.read import Source
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from doppelgram.storage.bucket import why_not
from doppelgram.storage.location import Location
from doppelgram.storage.resolve import location_of

if TYPE_CHECKING:
    import pandas as pd

TABLE = "images"

# Each append makes a fragment of its own. Past this many, reading all of them takes noticeably longer than rewriting.
_MOST_FRAGMENTS = 64
# Ids in one condition, which is text that the engine has to parse.
_IDS_AT_ONCE = 500

T = TypeVar("T")


class Catalog:
    """An on-disk table of embedded images; made by `create`, `open` or `open_or_create`.

    It is self-contained, in a folder or under a prefix of a bucket: ``catalog.json`` says what it is, ``model/`` holds
    the model that fills it, and ``vectors/`` a LanceDB database with one row an image. Every append and update is one
    atomic commit, so a process that is killed leaves a whole catalog, and every read sees the latest commit and nothing
    half done. Several processes may read and write at once; an id that two of them add at the same time is kept once.
    A catalog of an earlier version of the program is read as it is, and brought to the present one by the first write.

    Attributes:
        location: where it lies.
        fingerprint: of the model that fills it.
        dim: size of the embeddings.
        created: UTC time in ISO 8601.
        face: detector with which faces are cut out although the model itself does not ask for it; else empty.
        faces: ``all`` where each face of a photograph has a row of its own; else empty.
        as_of: number of the version that it shows, and that cannot be written; None for the latest.
    """

    def __init__(self, location: Location, facts: Mapping[str, Any], table: Any, as_of: int | None = None) -> None:
        self.location = location
        self.as_of = as_of
        self._facts = facts
        self.fingerprint = str(facts["fingerprint"])
        self.dim = int(facts["dim"])
        self.created = str(facts["created"])
        self.face = str(facts.get("face", ""))
        self.faces = str(facts.get("faces", ""))
        self._table = table

    @classmethod
    def create(
        cls,
        where: Location | PathLike[str] | str,
        model_source: PathLike[str] | str,
        *,
        face: str = "",
        faces: str = "",
        model: Embedder | None = None,
    ) -> Catalog:
        """Begin a catalog in a new or empty folder or prefix, with a copy of a saved model.

        Args:
            where: a folder, or ``s3://bucket/prefix``; a creation that was interrupted there is completed.
            model_source: a model's folder, the run that made it, or the name of a ready-made model.
            face: detector with which faces are cut out of all that goes in; empty for the model's own framing.
            faces: by a model of faces: ``all`` gives each face of a photograph a row, ``largest`` or nothing that one.
            model: what `load_model` makes of the source, if that is loaded already.

        Raises:
            DoppelgramError: the folder holds something already, there is no model, or nothing can be written there.
        """
        location, unfinished = location_of(where), CATALOG_FILE + ".part"
        with plain_errors(location, "made"):
            there = location.names()
        # Another process may have completed it while the names were listed, so that the list has neither of its marks.
        if CATALOG_FILE in there or (there and unfinished not in there and holds_catalog(location)):
            raise DoppelgramError(f"{location}: already holds a catalog; open it, or choose another folder")
        if there and unfinished not in there:
            raise DoppelgramError(f"{location}: is not empty and not a catalog; choose another folder")
        model = (model or load_model(model_source)).with_faces(faces)
        with plain_errors(location, "made"):
            # First the mark that the rest is ours, last the file by which the catalog counts as whole. Every step can
            # be done twice and shows itself only when done, so that those who begin at the same time do no harm.
            location.write(unfinished, b"")
            keep_model(model, model_source, location)
            create_table(connect(location.address(DATABASE_FOLDER), location.options), TABLE, model.dim)
            face = face if face != model.framing.face else ""
            write_facts(location, new_facts(model, face, faces if faces == ALL else ""))
            location.delete(unfinished)
        return cls.open(location)

    @classmethod
    def open(cls, where: Location | PathLike[str] | str, *, as_of: str = "") -> Catalog:
        """Open a catalog for reading and writing, or one of its versions for reading.

        Args:
            where: a folder, or ``s3://bucket/prefix``.
            as_of: version to read: its number, its name, or a time in ISO 8601; by default the latest.

        Raises:
            DoppelgramError: there is none, or one that is damaged or of a newer version, or that is out of reach.
        """
        location = location_of(where)
        facts = read_facts(location)
        vectors = location.address(DATABASE_FOLDER)
        try:
            table = connect(vectors, location.options).open_table(TABLE)
            with said_of(location):
                number = version_at(table, as_of) if as_of else None
            if number is not None:
                table.checkout(number)
            found = {field.name: field.type for field in table.schema}
        except (OSError, RuntimeError, ValueError) as problem:
            why = "the catalog is damaged" if location.options is None else why_not(problem)
            raise DoppelgramError(f"{vectors}: cannot be read; {why}") from None
        new = set(EMPTY) - set(found) if facts["version"] < VERSION or as_of else set()
        if found != {field.name: field.type for field in schema(facts["dim"]) if field.name not in new}:
            raise DoppelgramError(f"{vectors}: is not the table that {CATALOG_FILE} speaks of")
        return cls(location, facts, table, number)

    @classmethod
    def open_or_create(
        cls,
        where: Location | PathLike[str] | str,
        model: Embedder,
        model_source: PathLike[str] | str,
        *,
        face: str = "",
        faces: str = "",
    ) -> Catalog:
        """Open the catalog that lies somewhere to add to it, or begin one there.

        A model that was calibrated anew has the fingerprint that it had before; the copy here then gets the new
        calibration.

        Args:
            where: a folder, or ``s3://bucket/prefix``.
            model: the model that is going to embed.
            model_source: the folder, the run or the name that ``model`` was loaded from.
            face: as in `create`.
            faces: as in `create`; empty also for what the catalog holds already.

        Raises:
            DoppelgramError: as `create` and `open`, or the catalog was filled by another model or from other cuts.
        """
        location = location_of(where)
        if not holds_catalog(location):
            try:
                cls.create(location, model_source, face=face, faces=faces, model=model)
            except DoppelgramError:
                # Another process may have been faster.
                if not holds_catalog(location):
                    raise
        catalog = cls.open(location)
        catalog.require(model.fingerprint)
        require_face(location, catalog.face, face if face != model.framing.face else "")
        require_faces(location, catalog.faces, faces)
        with plain_errors(location, "written"):
            keep_description(model, model_source, location)
        return catalog

    @property
    def folder(self) -> Path:
        """The folder it lies in; raises DoppelgramError where it lies in a bucket."""
        return self.location.folder

    def require(self, fingerprint: str) -> None:
        """Refuse vectors of a model other than the one that fills this catalog.

        Raises:
            DoppelgramError: the fingerprints differ.
        """
        if not fingerprint:
            raise DoppelgramError(f"{self.location}: a model has to be saved before it can fill or search a catalog")
        if fingerprint != self.fingerprint:
            raise DoppelgramError(
                f"{self.location}: this catalog was filled by another model (fingerprint {self.fingerprint[:8]}…, "
                f"not {fingerprint[:8]}…); index into a new folder"
            )

    def load_model(self, *, weights: Path | str | None = None, keypoints: Path | str | None = None) -> Embedder:
        """The model that fills this catalog, behind the cut of `face`, from the catalog's own copy.

        Arguments are those of `doppelgram.models.bundle.load_model`.
        """
        model = load_model(model_in(self.location), weights=weights, keypoints=keypoints)
        self.require(model.fingerprint)
        return model.with_face(self.face)

    def searcher(self, model: Embedder | None = None) -> Searcher:
        """This catalog as it is now, in memory and ready to be asked; with its model, if that is loaded already."""
        return Searcher(self, model or self.load_model())

    def search(self, images: Sequence[Source], k: int = 5, **settings: Any) -> list[Neighbours]:
        """Find the k nearest images for each photograph; settings as for `Searcher.search`.

        Whoever asks more than once keeps a `searcher`.
        """
        return self.searcher().search(images, k, **settings)

    def __len__(self) -> int:
        with plain_errors(self.location, "read"):
            return int(self._table.count_rows())

    @property
    def commit(self) -> int:
        """Number of the latest commit; another one says that rows came, went or changed."""
        with plain_errors(self.location, "read"):
            return int(self._table.version)

    def rows(self, columns: Sequence[str] = FACTS) -> pd.DataFrame:
        """The given columns of all rows.

        ``columns`` is JSON text, ``timestamp`` and ``added`` are UTC times, ``thumbnail`` is a JPEG's bytes.

        Raises:
            DoppelgramError: there is no such column.
        """
        table: pd.DataFrame = self._read(columns).to_pandas()
        return table

    @property
    def table(self) -> Any:
        """The LanceDB table of the rows, for what indexes it and searches by the index."""
        return self._table

    def arrow(self, columns: Sequence[str]) -> Any:
        """The given columns of all rows as an Arrow table: nothing is copied until it is asked for."""
        return self._read(columns)

    def entries(self) -> list[Entry]:
        """What is known of each image, in the order of `rows`."""
        return entries_of(self._read(FACTS))

    def vectors(self) -> Float32:
        """All embeddings, float32 (n, dim), in the order of `rows`."""
        return matrix(self._read(["vector"]), self.dim)

    def snapshot(self, columns: Sequence[str]) -> tuple[pd.DataFrame, Float32]:
        """`rows` and `vectors` of one commit: they belong together even while another process is appending."""
        found = self._read([*columns, "vector"])
        rows: pd.DataFrame = found.drop_columns(["vector"]).to_pandas()
        return rows, matrix(found, self.dim)

    def hashes(self) -> set[str]:
        """Ids of all images."""
        return set(self._read(["id"])["id"].to_pylist())

    def find(self, ids: Sequence[str], columns: Sequence[str] = FACTS) -> pd.DataFrame:
        """The given columns of the rows with these ids, indexed by ``id``; ids that are not there are left out."""
        import pandas as pd

        wanted = list(dict.fromkeys(ids))
        selected = list(dict.fromkeys(["id", *columns]))
        parts = [self._read(selected, one_of(part)).to_pandas() for part in _parts(wanted) or [[]]]
        found: pd.DataFrame = pd.concat(parts, ignore_index=True).set_index("id")
        return found

    def add(self, images: Sequence[EmbeddedImage]) -> int:
        """Append images in one atomic commit; those whose id is there already are left as they are.

        Returns:
            How many were new.

        Raises:
            DoppelgramError: an embedding holds a NaN or an infinity, or the disk cannot be written.
            ValueError: an embedding does not have ``dim`` numbers, or an id is none.
        """
        if not images:
            return 0
        table = images_table(images, self.dim)
        with self._writing() as written_to, said_of(self.location):
            before = int(written_to.version)
            done = written_to.merge_insert("id").when_not_matched_insert_all().execute(table)
            if int(done.version) > before + 1:  # somebody else wrote meanwhile, perhaps the same images
                for part in _parts(table["id"].to_pylist()):
                    remove_overtaken(written_to, part)
            return int(done.num_inserted_rows)

    def update(self, entries: Sequence[Entry]) -> int:
        """Replace what is known of images already here; vectors and thumbnails stay.

        Every 500 images are one atomic commit.

        Returns:
            How many rows were found and written.
        """
        written = 0
        for part in _parts(entries):
            new = {entry.id: entry for entry in part}
            # Whole rows are given, though only facts change: merging some columns only, the engine reads the other
            # ones of all images, which takes ten times the time and gigabytes of memory.
            rows = self._read(COLUMNS, one_of(list(new)))
            with self._writing() as written_to:
                merge = written_to.merge_insert("id").when_matched_update_all()
                written += int(merge.execute(with_facts(rows, new, self.dim)).num_updated_rows)
        return written

    def remove(self, ids: Sequence[str]) -> int:
        """Take images out, every 500 in one atomic commit; ids that are not there are passed over.

        Returns:
            How many rows were taken out.
        """
        before = len(self)
        with self._writing() as written_to:
            for part in _parts(list(ids)):
                written_to.delete(one_of(list(part)))
        return before - len(self)

    def versions(self) -> list[Version]:
        """The versions that can be opened with ``as_of``, oldest first."""
        with plain_errors(self.location, "read"):
            return versions_of(self._table)

    def beside(self) -> list[Catalog]:
        """The catalogs with vectors of further models that lie beside this one."""
        with plain_errors(self.location, "read"):
            names = names_beside(self.location)
        return [Catalog.open(location_beside(self.location, name)) for name in names]

    def fragments(self) -> int:
        """Pieces that the table consists of."""
        with plain_errors(self.location, "read"):
            return fragments_of(self._table)

    def indexes(self) -> list[str]:
        """What the engine has indexed: column, kind, and how many rows are not in it yet."""
        with plain_errors(self.location, "read"):
            found = []
            for index in self._table.list_indices():
                left = getattr(self._table.index_stats(index.name), "num_unindexed_rows", 0) or 0
                found.append(f"{', '.join(index.columns)}: {index.index_type}, {left:,} rows not in it")
            return found

    def batches(self, columns: Sequence[str], size: int = 10_000) -> Iterator[Any]:
        """The given columns of all rows as Arrow tables of at most ``size`` rows, all of one commit; one at least.

        Raises:
            DoppelgramError: there is no such column, or the catalog cannot be read.
        """
        import pyarrow as pa

        columns, rows = self._checked(columns), 0
        with plain_errors(self.location, "read"):
            number = self.as_of if self.as_of is not None else self._table.version
            table = connect(self.location.address(DATABASE_FOLDER), self.location.options).open_table(TABLE)
            table.checkout(number)
            # From one scan: asking for the rows from a certain one on begins anew each time.
            there = [name for name in columns if name in table.schema.names]
            pieces = table.search().select(there).to_batches(size)
            while (piece := next(pieces, None)) is not None:
                rows += piece.num_rows
                yield with_missing(pa.Table.from_batches([piece]), columns)
            if not rows:
                yield with_missing(table.search().select(there).to_arrow(), columns)

    def keep(self, name: str, version: str = "") -> Version:
        """Give a version a name, by which it is found and never cleaned up.

        Args:
            name: letters, digits, ``-`` and ``_``.
            version: as ``as_of`` of `open`; by default the latest.

        Raises:
            DoppelgramError: there is no such version, or the name is taken or none.
        """
        with self._writing() as table, said_of(self.location):
            number = version_at(table, version) if version else int(table.version)
            keep_version(table, number, name)
        return next(one for one in self.versions() if one.number == number)

    def release(self, name: str) -> None:
        """Take a version's name away, so that it is cleaned up once it is old; DoppelgramError: none has this name."""
        with self._writing() as table, said_of(self.location):
            release_version(table, name)

    def compact(self, keep_days: float = KEPT_DAYS) -> Compacted:
        """Remove old versions without a name, and join the pieces that many writes leave behind.

        Others may read meanwhile, and write unless ``keep_days`` is 0.

        Args:
            keep_days: versions of the last so many days stay readable.

        Raises:
            DoppelgramError: it cannot be written, or others write so often that it cannot be done.
        """
        with self._writing() as table, said_of(self.location):
            return compact_table(table, keep_days)

    def tidy(self) -> None:
        """`compact` once there are pieces enough to slow reading; the catalog is whole without it."""
        with suppress(OSError, RuntimeError, DoppelgramError):
            if fragments_of(self._table) > _MOST_FRAGMENTS:
                self.compact()

    @staticmethod
    def _checked(columns: Sequence[str]) -> list[str]:
        for column in columns:
            if column not in COLUMNS:
                raise DoppelgramError(f"there is no column {column!r} in a catalog; it has {', '.join(COLUMNS)}")
        return list(columns)

    def _read(self, columns: Sequence[str], where: str = "") -> Any:
        columns = self._checked(columns)
        with plain_errors(self.location, "read"):
            for last in (False, True):
                try:
                    there = columns if EMPTY.keys().isdisjoint(columns) else self._table.schema.names
                    query = self._table.search().select([name for name in columns if name in there])
                    return with_missing((query.where(where) if where else query).to_arrow(), columns)
                except (OSError, RuntimeError, ValueError) as problem:
                    # Another process may have tidied up what was just being read; the latest version is there.
                    if last or self.as_of is not None or "does not answer" in why_not(problem):
                        raise
            raise AssertionError

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """The table, of the present version, to write to."""
        if self.as_of is not None:
            raise DoppelgramError(f"{self.location}: is open as version {self.as_of} was, which cannot be written")
        with plain_errors(self.location, "written"):
            if self._facts["version"] < VERSION:
                migrate(self._table, self._facts["version"])
                self._facts = {**self._facts, "version": VERSION}
                write_facts(self.location, self._facts)
            yield self._table


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[start : start + _IDS_AT_ONCE] for start in range(0, len(values), _IDS_AT_ONCE)]
