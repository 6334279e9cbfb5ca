"""The catalog: a folder with the embedded images, their labels and thumbnails, and the model that embedded them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from doppelgram.catalog.folder import (
    CATALOG_FILE,
    DATABASE_FOLDER,
    MODEL_FOLDER,
    keep_description,
    keep_model,
    plain_errors,
    read_facts,
    require_face,
    require_faces,
    write_facts,
)
from doppelgram.catalog.rows import (
    COLUMNS,
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
)
from doppelgram.catalog.search import Neighbours, Searcher
from doppelgram.errors import DoppelgramError
from doppelgram.images.face_framing import ALL
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder

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

    The folder is self-contained: ``catalog.json`` says what it is, ``model/`` holds the model that fills it, and
    ``vectors/`` a LanceDB database with one row an image. Every append and update is one atomic commit, so a process
    that is killed leaves a whole catalog, and every read sees the latest commit and nothing half done. Several
    processes may read and write at once; an id that two of them add at the same time is kept once.

    Attributes:
        folder: where it lies.
        fingerprint: of the model that fills it.
        dim: size of the embeddings.
        created: UTC time in ISO 8601.
        face: detector with which faces are cut out although the model itself does not ask for it; else empty.
        faces: ``all`` where each face of a photograph has a row of its own; else empty.
    """

    def __init__(self, folder: Path, facts: Mapping[str, Any], table: Any) -> None:
        self.folder = folder
        self.fingerprint = str(facts["fingerprint"])
        self.dim = int(facts["dim"])
        self.created = str(facts["created"])
        self.face = str(facts.get("face", ""))
        self.faces = str(facts.get("faces", ""))
        self._table = table

    @classmethod
    def create(
        cls,
        folder: Path | str,
        model_source: PathLike[str] | str,
        *,
        face: str = "",
        faces: str = "",
        model: Embedder | None = None,
    ) -> Catalog:
        """Begin a catalog in a new or empty folder, with a copy of a saved model.

        Args:
            folder: where; a creation that was interrupted there is completed.
            model_source: a model's folder, the run that made it, or the name of a ready-made model.
            face: detector with which faces are cut out of all that goes in; empty for the model's own framing.
            faces: by a model of faces: ``all`` gives each face of a photograph a row, ``largest`` or nothing that one.
            model: what `load_model` makes of the source, if that is loaded already.

        Raises:
            DoppelgramError: the folder holds something already, or there is no model.
        """
        folder = Path(folder).expanduser()
        unfinished = folder / (CATALOG_FILE + ".part")
        if folder.exists() and not folder.is_dir():
            raise DoppelgramError(f"{folder}: is a file; a catalog needs a folder")
        if (folder / CATALOG_FILE).exists():
            raise DoppelgramError(f"{folder}: already holds a catalog; open it, or choose another folder")
        if folder.is_dir() and any(folder.iterdir()) and not unfinished.is_file():
            raise DoppelgramError(f"{folder}: is not empty and not a catalog; choose another folder")
        model = (model or load_model(model_source)).with_faces(faces)
        with plain_errors(folder, "made"):
            folder.mkdir(parents=True, exist_ok=True)
            # First the mark that the rest is ours, last the file by which the catalog counts as whole. Every step can
            # be done twice and shows itself only when done, so that those who begin at the same time do no harm.
            unfinished.touch()
            keep_model(model, model_source, folder / MODEL_FOLDER)
            create_table(folder / DATABASE_FOLDER, TABLE, model.dim)
            face = face if face != model.framing.face else ""
            write_facts(folder / CATALOG_FILE, model.fingerprint, model.dim, face, faces if faces == ALL else "")
            unfinished.unlink(missing_ok=True)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path | str) -> Catalog:
        """Open a catalog for reading and writing.

        Raises:
            DoppelgramError: there is none, or one that is damaged or of a newer version.
        """
        folder = Path(folder).expanduser()
        file = folder / CATALOG_FILE
        if not folder.exists():
            raise DoppelgramError(f"{folder}: there is no such catalog; make one with `doppelgram index`")
        if not file.is_file():
            raise DoppelgramError(f"{folder}: is not a catalog: there is no {CATALOG_FILE} in it")
        facts = read_facts(file)
        try:
            table = connect(folder / DATABASE_FOLDER).open_table(TABLE)
            expected, found = schema(facts["dim"]), table.schema
            alike = [(f.name, f.type) for f in found] == [(f.name, f.type) for f in expected]
        except (OSError, RuntimeError, ValueError):
            raise DoppelgramError(f"{folder / DATABASE_FOLDER}: cannot be read; the catalog is damaged") from None
        if not alike:
            raise DoppelgramError(f"{folder / DATABASE_FOLDER}: is not the table that {CATALOG_FILE} speaks of")
        return cls(folder, facts, table)

    @classmethod
    def open_or_create(
        cls, folder: Path | str, model: Embedder, model_source: PathLike[str] | str, *, face: str = "", faces: str = ""
    ) -> Catalog:
        """Open the catalog in ``folder`` to add to it, or begin one there.

        A model that was calibrated anew has the fingerprint that it had before; the copy here then gets the new
        calibration.

        Args:
            folder: where.
            model: the model that is going to embed.
            model_source: the folder, the run or the name that ``model`` was loaded from.
            face: as in `create`.
            faces: as in `create`; empty also for what the catalog holds already.

        Raises:
            DoppelgramError: as `create` and `open`, or the catalog was filled by another model or from other cuts.
        """
        folder = Path(folder).expanduser()
        if not (folder / CATALOG_FILE).is_file():
            try:
                cls.create(folder, model_source, face=face, faces=faces, model=model)
            except DoppelgramError:
                # Another process may have been faster.
                if not (folder / CATALOG_FILE).is_file():
                    raise
        catalog = cls.open(folder)
        catalog.require(model.fingerprint)
        require_face(folder, catalog.face, face if face != model.framing.face else "")
        require_faces(folder, catalog.faces, faces)
        with plain_errors(folder, "written"):
            keep_description(model, model_source, folder / MODEL_FOLDER)
        return catalog

    def require(self, fingerprint: str) -> None:
        """Refuse vectors of a model other than the one that fills this catalog.

        Raises:
            DoppelgramError: the fingerprints differ.
        """
        if not fingerprint:
            raise DoppelgramError(f"{self.folder}: a model has to be saved before it can fill or search a catalog")
        if fingerprint != self.fingerprint:
            raise DoppelgramError(
                f"{self.folder}: this catalog was filled by another model (fingerprint {self.fingerprint[:8]}…, "
                f"not {fingerprint[:8]}…); index into a new folder"
            )

    def load_model(self, *, weights: Path | str | None = None, keypoints: Path | str | None = None) -> Embedder:
        """The model that fills this catalog, behind the cut of `face`, from the catalog's own copy.

        Arguments are those of `doppelgram.models.bundle.load_model`.
        """
        model = load_model(self.folder / MODEL_FOLDER, weights=weights, keypoints=keypoints)
        self.require(model.fingerprint)
        return model.with_face(self.face)

    def searcher(self, model: Embedder | None = None) -> Searcher:
        """This catalog as it is now, in memory and ready to be asked; with its model, if that is loaded already."""
        return Searcher(self, model or self.load_model())

    def search(self, images: Sequence[Path | str], k: int = 5, **settings: Any) -> list[Neighbours]:
        """Find the k nearest images for each photograph; settings as for `Searcher.search`.

        Whoever asks more than once keeps a `searcher`.
        """
        return self.searcher().search(images, k, **settings)

    def __len__(self) -> int:
        with plain_errors(self.folder, "read"):
            return int(self._table.count_rows())

    @property
    def commit(self) -> int:
        """Number of the latest commit; another one says that rows came, went or changed."""
        with plain_errors(self.folder, "read"):
            return int(self._table.version)

    def rows(self, columns: Sequence[str] = FACTS) -> pd.DataFrame:
        """The given columns of all rows.

        ``columns`` is JSON text, ``timestamp`` and ``added`` are UTC times, ``thumbnail`` is a JPEG's bytes.

        Raises:
            DoppelgramError: there is no such column.
        """
        table: pd.DataFrame = self._read(columns).to_pandas()
        return table

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
        with plain_errors(self.folder, "written"):
            return int(self._table.merge_insert("id").when_not_matched_insert_all().execute(table).num_inserted_rows)

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
            with plain_errors(self.folder, "written"):
                merge = self._table.merge_insert("id").when_matched_update_all()
                written += int(merge.execute(with_facts(rows, new, self.dim)).num_updated_rows)
        return written

    def remove(self, ids: Sequence[str]) -> int:
        """Take images out, every 500 in one atomic commit; ids that are not there are passed over.

        Returns:
            How many rows were taken out.
        """
        before = len(self)
        with plain_errors(self.folder, "written"):
            for part in _parts(list(ids)):
                self._table.delete(one_of(list(part)))
        return before - len(self)

    def compact(self) -> None:
        """Join the pieces that many appends leave behind, once there are enough of them to slow reading."""
        # Another writer may get in between; the catalog is whole without this, and the next run does it.
        with suppress(OSError, RuntimeError):
            if self._table.stats()["fragment_stats"]["num_fragments"] > _MOST_FRAGMENTS:
                self._table.optimize()

    def _read(self, columns: Sequence[str], where: str = "") -> Any:
        for column in columns:
            if column not in COLUMNS:
                raise DoppelgramError(f"there is no column {column!r} in a catalog; it has {', '.join(COLUMNS)}")
        with plain_errors(self.folder, "read"):
            query = self._table.search()
            return (query.where(where) if where else query).select(list(columns)).to_arrow()


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[start : start + _IDS_AT_ONCE] for start in range(0, len(values), _IDS_AT_ONCE)]
