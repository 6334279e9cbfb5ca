"""The folder of a catalog: what says that it is one, and the copy of the model in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from doppelgram.catalog.migrations import VERSION
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import written_whole
from doppelgram.images.face_framing import ALL, LARGEST
from doppelgram.images.faces.detectors import DETECTORS
from doppelgram.models.bundle import model_folder
from doppelgram.models.embedder import Embedder
from doppelgram.models.format import DESCRIPTION_FILE, WEIGHTS_FILE, checked_description
from doppelgram.models.ready_made.registry import names_model
from doppelgram.storage.bucket import why_not
from doppelgram.storage.folder import Folder
from doppelgram.storage.location import Location
from doppelgram.storage.resolve import in_bucket, location_of

FORMAT = "doppelgram-catalog"
CATALOG_FILE, MODEL_FOLDER, DATABASE_FOLDER = "catalog.json", "model", "vectors"


def new_facts(model: Embedder, face: str, faces: str) -> dict[str, Any]:
    """What ``catalog.json`` says of a new catalog.

    Args:
        model: that fills the catalog.
        face: detector with which faces are cut out although the model itself does not say so; empty for none.
        faces: ``all`` where each face of a photograph has a row; else empty.
    """
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "fingerprint": model.fingerprint,
        "dim": model.dim,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return facts | ({"face": face} if face else {}) | ({"faces": faces} if faces else {})


def write_facts(location: Location, facts: Mapping[str, Any]) -> None:
    """Write what ``catalog.json`` says."""
    location.write(CATALOG_FILE, (json.dumps(facts, indent=1) + "\n").encode())


def read_facts(location: Location) -> dict[str, Any]:
    """Read ``catalog.json``.

    Raises:
        DoppelgramError: there is none, it is damaged, another program's, or of a newer version, or it is out of reach.
    """
    with plain_errors(location, "read"):
        data = location.read(CATALOG_FILE)
        if data is None and not location.names():
            raise DoppelgramError(f"{location}: there is no such catalog; make one with `doppelgram index`")
    if data is None:
        raise DoppelgramError(f"{location}: is not a catalog: there is no {CATALOG_FILE} in it")
    file = location.address(CATALOG_FILE)
    facts = checked_description(data, file, FORMAT, VERSION, "catalog", oldest=1)
    for key, kind in (("fingerprint", str), ("dim", int), ("created", str)):
        if not isinstance(facts.get(key), kind):
            raise DoppelgramError(f"{file}: '{key}' is missing or of the wrong kind; the catalog is damaged")
    if facts.setdefault("face", "") not in ("", *DETECTORS):
        raise DoppelgramError(f"{file}: there is no face detector {facts['face']!r}; the catalog is damaged")
    if facts.setdefault("faces", "") not in ("", ALL):
        raise DoppelgramError(f"{file}: there are no faces {facts['faces']!r}; the catalog is damaged")
    return facts


def holds_catalog(location: Location) -> bool:
    """Whether a catalog lies there.

    Raises:
        DoppelgramError: that cannot be found out.
    """
    with plain_errors(location, "read"):
        return location.read(CATALOG_FILE) is not None


def require_faces(where: object, there: str, asked: str) -> None:
    """Refuse to mix in one catalog photographs with all of their faces and those with the largest one.

    Args:
        where: the catalog lies.
        there: ``all``, or empty for the largest face.
        asked: ``all``, ``largest``, or empty for whatever is there.

    Raises:
        DoppelgramError: the two differ.
    """
    if asked not in ("", there or LARGEST):
        holds = "all faces of a photograph" if there else "the largest face of a photograph"
        raise DoppelgramError(f"{where}: this catalog holds {holds}; leave --faces out, or index into a new folder")


def require_face(where: object, there: str, asked: str) -> None:
    """Refuse to mix in one catalog what was cut out in two ways.

    Args:
        where: the catalog lies.
        there: detector with which its images' faces were cut out, empty for its model's own framing.
        asked: the same of images that are to go in.

    Raises:
        DoppelgramError: the two differ.
    """
    if there != asked:
        was, now = (f"by the face detector '{name}'" if name else "as its model asks" for name in (there, asked))
        again = f"give --crop face:{there}" if there else "leave --crop out"
        raise DoppelgramError(
            f"{where}: what is in this catalog was cut {was}, not {now}, and the two do not compare; "
            f"{again}, or index into a new folder"
        )


def model_in(location: Location) -> Path:
    """A folder of this machine with the model of the catalog that lies there."""
    with plain_errors(location, "read"):
        return location.inner(MODEL_FOLDER).readable()


def keep_model(model: Embedder, source: PathLike[str] | str, catalog: Location) -> None:
    """Put the two files of a model into a catalog: copies of those it was loaded from, where a folder holds them."""
    with catalog.inner(MODEL_FOLDER).writable() as target:
        if model.origin is not None or names_model(source):
            model.save(target)
            return
        folder = model_folder(source)
        for name in (WEIGHTS_FILE, DESCRIPTION_FILE):
            copy_whole(folder / name, target / name)


def keep_description(model: Embedder, source: PathLike[str] | str, catalog: Location) -> None:
    """Bring a catalog's copy of a model up to date, where the model was calibrated anew."""
    kept = catalog.inner(MODEL_FOLDER)
    if model.origin is not None or names_model(source):
        with TemporaryDirectory(prefix="doppelgram-") as folder:
            model.save(Path(folder))
            now = (Path(folder) / DESCRIPTION_FILE).read_bytes()
            if now != kept.read(DESCRIPTION_FILE):
                with kept.writable() as target:
                    model.save(target)
        return
    now = (model_folder(source) / DESCRIPTION_FILE).read_bytes()
    if now != kept.read(DESCRIPTION_FILE):
        kept.write(DESCRIPTION_FILE, now)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all."""
    with written_whole(target) as aside:
        shutil.copyfile(source, aside)


@contextmanager
def plain_errors(where: object, done: str) -> Iterator[None]:
    """Turn what the file system and the engine complain of into one sentence."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or why_not(problem)
        raise DoppelgramError(f"{where}: the catalog cannot be {done}: {reason}") from problem


@contextmanager
def said_of(where: object) -> Iterator[None]:
    """Name the catalog in a sentence that does not."""
    try:
        yield
    except DoppelgramError as problem:
        raise DoppelgramError(f"{where}: {problem}") from problem


@contextmanager
def kept_in(catalog: Path | str | None, out: Path | None) -> Iterator[Location]:
    """Where the catalog lies: the given one, ``catalog`` in an output folder, or one that is gone afterwards.

    Raises:
        Interrupted: stopped by Ctrl-C; what is in a catalog that stays need not be done again.
    """
    if catalog is None and out is None:
        with TemporaryDirectory(prefix="doppelgram-") as folder:
            yield Folder(Path(folder) / "catalog")
        return
    kept = location_of(out / "catalog" if catalog is None and out is not None else str(catalog))
    try:
        yield kept
    except KeyboardInterrupt:
        raise Interrupted(
            f"{kept}: interrupted; the photographs embedded so far are kept, and the same command goes on from here"
        ) from None


def require_outside(catalog: Path | str | None, out: Path) -> None:
    """See that a catalog, which holds photographs and names, lies outside of a folder that is to hold neither.

    Raises:
        DoppelgramError: it or one of an earlier trace lies inside, or none is named.
    """
    if (out / "catalog" / CATALOG_FILE).is_file():
        raise DoppelgramError(
            f"{out}: the catalog of an earlier trace lies in this folder, with photographs and names; "
            "give a new folder for the anonymous report (--out DIR)"
        )
    if in_bucket(catalog):
        return
    if catalog is None or Path(catalog).expanduser().resolve().is_relative_to(out.resolve()):
        raise DoppelgramError(
            "an anonymous report must not lie beside the photographs: name a catalog outside of it (--catalog DIR)"
        )
