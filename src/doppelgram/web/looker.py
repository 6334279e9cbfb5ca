"""Who looks at photographs for the page: one process that holds the model and opens whatever a visitor brings.

A file that a visitor brings may be damaged, enormous, or made to do harm. It is decoded in this process alone, whose
memory and time are bounded, and which is started anew where it fails.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.images.faces.face import FaceBox
from doppelgram.pose.people import People
from doppelgram.space.exact import Float32
from doppelgram.web.child import Child, plain

SECONDS = 60.0
"""So long a photograph may take, the start of the process and the loading of the model not counted."""

_START_SECONDS = 300.0
_MORE_MEMORY = 3 << 30  # bytes beyond what the process has once the model is loaded


@dataclass(frozen=True)
class ModelAt:
    """Where the model of a catalog is, and what it needs beside itself."""

    catalog: Path
    weights: Path | None = None
    keypoints: Path | None = None


@dataclass(frozen=True)
class Seen:
    """What the model sees in one photograph.

    Attributes:
        digest: SHA-256 of the file's bytes.
        vectors: float32 (f, dim), one a face by a model of faces, else one.
        faces: which face each vector is of; empty by other models.
        people: who was found; None where nobody was looked for.
        unknown: parts of which the photograph says nothing.
    """

    digest: str
    vectors: Float32
    faces: tuple[FaceBox, ...]
    people: People | None
    unknown: tuple[str, ...]


class Looker:
    """The process that looks at photographs; started when first needed, one question at a time."""

    def __init__(self, model: ModelAt) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._child: Child | None = None

    def warm(self) -> None:
        """Start the process and load the model."""
        with self._lock, suppress(DoppelgramError):
            self._started()

    def see(self, content: bytes | Path) -> Seen:
        """Embed a photograph.

        Args:
            content: a file's bytes, or where it is.

        Raises:
            DoppelgramError: it cannot be read, or what the model needs is missing.
        """
        seen: Seen = self._ask("see", content)
        return seen

    def compare(self, a: bytes | Path, b: bytes | Path) -> dict[str, Any]:
        """Compare two photographs; see `doppelgram.web.pairs.compared`."""
        answer: dict[str, Any] = self._ask("compare", a, b)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _ask(self, what: str, *arguments: Any) -> Any:
        with self._lock:
            child = self._started()
            try:
                child.connection.send((what, arguments))
                return self._answer(child, SECONDS)
            except (EOFError, OSError):
                self.close()
                raise DoppelgramError(
                    "this photograph cannot be used: looking at it took too much memory; make it smaller"
                ) from None

    def _started(self) -> Child:
        if self._child is None or not self._child.alive:
            self.close()
            self._child = Child(_look, self._model)
            try:
                self._answer(self._child, _START_SECONDS)
            except (EOFError, OSError):
                self.close()
                raise DoppelgramError("the model could not be loaded; is there memory enough?") from None
            except DoppelgramError:
                self.close()
                raise
        return self._child

    def _answer(self, child: Child, seconds: float) -> Any:
        if not child.connection.poll(seconds):
            self.close()
            raise DoppelgramError("this photograph cannot be used: looking at it took too long")
        kind, value = child.connection.recv()
        if kind == "refused":
            raise DoppelgramError(value)
        return value


def _look(connection: Connection, where: ModelAt) -> None:
    """The process itself: load the model, then answer one question after the other."""
    try:
        from doppelgram.catalog.store import Catalog
        from doppelgram.web.pairs import compared

        catalog = Catalog.open(where.catalog)
        model = catalog.load_model(weights=where.weights, keypoints=where.keypoints)
    except Exception as problem:
        connection.send(("refused", plain(problem)))
        return
    questions: dict[str, Callable[..., Any]] = {
        "see": lambda photograph: _see(model, photograph),
        "compare": lambda a, b: compared(model, catalog.faces, a, b, weights=where.weights),
    }
    _bound_memory()
    connection.send(("ready", None))
    while True:
        what, contents = connection.recv()
        with tempfile.TemporaryDirectory(prefix="doppelgram-") as folder:
            try:
                files = [_file(content, Path(folder) / str(number)) for number, content in enumerate(contents)]
                connection.send(("answer", questions[what](*files)))
            except Exception as problem:
                connection.send(("refused", plain(problem).replace(folder + "/0", "the photograph")))


def _file(content: bytes | Path, at: Path) -> Path:
    if isinstance(content, Path):
        return content
    at.write_bytes(content)
    return at


def _see(model: Any, photograph: Path) -> Seen:
    from doppelgram.models.embed_files import embed_files
    from doppelgram.space.space import unknown_parts

    if model.tells_faces:
        model = model.with_faces("all")
    files = embed_files(model, [photograph], keep_duplicates=True, requested=True)
    for outcome in files.report.problems():
        raise DoppelgramError(f"this photograph cannot be used: {outcome.reason or outcome.status}")
    unknown = unknown_parts(model.space, files.vectors)
    faces = tuple(face for face in files.shown if face is not None)
    return Seen(files.hashes[0], files.vectors, faces, files.people[0] if files.people else None, unknown[0])


def _bound_memory() -> None:
    """Let the process grow only so far; where the system knows no such bound, its time is still bounded."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on every system

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        used = pages * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (used + _MORE_MEMORY, used + _MORE_MEMORY))
