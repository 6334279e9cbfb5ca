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
from doppelgram.models.format import DESCRIPTION_FILE, WEIGHTS_FILE, read_description
from doppelgram.models.ready_made.registry import names_model

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


def write_facts(file: Path, facts: Mapping[str, Any]) -> None:
    """Write what ``catalog.json`` says, whole or not at all: another process may be reading it."""
    with written_whole(file) as aside:
        aside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def read_facts(file: Path) -> dict[str, Any]:
    """Read ``catalog.json``.

    Raises:
        DoppelgramError: it is damaged, another program's, or of a newer version.
    """
    facts = read_description(file, FORMAT, VERSION, "catalog", oldest=1)
    for key, kind in (("fingerprint", str), ("dim", int), ("created", str)):
        if not isinstance(facts.get(key), kind):
            raise DoppelgramError(f"{file}: '{key}' is missing or of the wrong kind; the catalog is damaged")
    if facts.setdefault("face", "") not in ("", *DETECTORS):
        raise DoppelgramError(f"{file}: there is no face detector {facts['face']!r}; the catalog is damaged")
    if facts.setdefault("faces", "") not in ("", ALL):
        raise DoppelgramError(f"{file}: there are no faces {facts['faces']!r}; the catalog is damaged")
    return facts


def require_faces(folder: Path, there: str, asked: str) -> None:
    """Refuse to mix in one catalog photographs with all of their faces and those with the largest one.

    Args:
        folder: the catalog's.
        there: ``all``, or empty for the largest face.
        asked: ``all``, ``largest``, or empty for whatever is there.

    Raises:
        DoppelgramError: the two differ.
    """
    if asked not in ("", there or LARGEST):
        holds = "all faces of a photograph" if there else "the largest face of a photograph"
        raise DoppelgramError(f"{folder}: this catalog holds {holds}; leave --faces out, or index into a new folder")


def require_face(folder: Path, there: str, asked: str) -> None:
    """Refuse to mix in one catalog what was cut out in two ways.

    Args:
        folder: the catalog's.
        there: detector with which its images' faces were cut out, empty for its model's own framing.
        asked: the same of images that are to go in.

    Raises:
        DoppelgramError: the two differ.
    """
    if there != asked:
        was, now = (f"by the face detector '{name}'" if name else "as its model asks" for name in (there, asked))
        again = f"give --crop face:{there}" if there else "leave --crop out"
        raise DoppelgramError(
            f"{folder}: what is in this catalog was cut {was}, not {now}, and the two do not compare; "
            f"{again}, or index into a new folder"
        )


def keep_model(model: Embedder, source: PathLike[str] | str, target: Path) -> None:
    """Put the two files of a model into a catalog: copies of those it was loaded from, where a folder holds them."""
    target.mkdir(exist_ok=True)
    if model.origin is not None or names_model(source):
        model.save(target)
        return
    source = model_folder(source)
    for name in (WEIGHTS_FILE, DESCRIPTION_FILE):
        copy_whole(source / name, target / name)


def keep_description(model: Embedder, source: PathLike[str] | str, target: Path) -> None:
    """Bring a catalog's copy of a model up to date, where the model was calibrated anew."""
    if model.origin is not None or names_model(source):
        model.save(target)
        return
    now, copy = (folder / DESCRIPTION_FILE for folder in (model_folder(source), target))
    if now.read_bytes() != copy.read_bytes():
        copy_whole(now, copy)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all."""
    with written_whole(target) as aside:
        shutil.copyfile(source, aside)


@contextmanager
def plain_errors(folder: Path, done: str) -> Iterator[None]:
    """Turn what the file system and the engine complain of into one sentence."""
    try:
        yield
    except (OSError, RuntimeError) as problem:
        reason = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:200]
        raise DoppelgramError(f"{folder}: the catalog cannot be {done}: {reason}") from problem


@contextmanager
def kept_in(catalog: Path | str | None, out: Path | None) -> Iterator[Path]:
    """The catalog's folder: the given one, ``catalog`` in an output folder, or one that is gone afterwards.

    Raises:
        Interrupted: stopped by Ctrl-C; what is in a catalog that stays need not be done again.
    """
    if catalog is None and out is None:
        with TemporaryDirectory(prefix="doppelgram-") as folder:
            yield Path(folder) / "catalog"
        return
    kept = out / "catalog" if catalog is None and out is not None else Path(str(catalog)).expanduser()
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
    if catalog is None or Path(catalog).expanduser().resolve().is_relative_to(out.resolve()):
        raise DoppelgramError(
            "an anonymous report must not lie beside the photographs: name a catalog outside of it (--catalog DIR)"
        )
