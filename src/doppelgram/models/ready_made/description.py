"""What a ready-made model is: a name, pretrained weights, and how they become a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doppelgram.errors import DoppelgramError
from doppelgram.numbers import plural
from doppelgram.weights import command_for, find_weights

if TYPE_CHECKING:
    from doppelgram.models.embedder import Embedder

KIND = "ready-made"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class ReadyMade:
    """A model that a name stands for; nothing is loaded before `build` is called.

    Attributes:
        name: what commands call it.
        about: what it is for, in a few words.
        weights: names that `find_weights` knows, of all that it is made of.
        licence: of the weights.
        figures: what was measured, a sentence each, with the images it was measured on.
        build: makes the model of weights that are looked up in a folder first; recipe and fingerprint are set later.
        fitted: files beside this one that decide its vectors, such as a mean.
        version: counts changes of what its vectors are otherwise made of.
    """

    name: str
    about: str
    weights: tuple[str, ...]
    licence: str
    figures: tuple[str, ...]
    build: Callable[[Path | None], Embedder]
    fitted: tuple[str, ...] = ()
    version: int = 1

    def missing(self, weights: Path | None = None) -> list[str]:
        """Names of its weights that are not on this machine."""
        gone = []
        for name in self.weights:
            try:
                find_weights(name, weights)
            except DoppelgramError:
                gone.append(name)
        return gone

    def open(self, weights: Path | None = None) -> Embedder:
        """The model, ready to embed.

        Args:
            weights: folder in which its weights are looked up first.

        Raises:
            DoppelgramError: weights are missing; the sentence has the command that brings them.
        """
        from doppelgram.models.format import fingerprint_of

        if weights is not None and not weights.expanduser().is_dir():
            raise DoppelgramError(f"{weights}: there is no such folder of weights")
        gone = self.missing(weights)
        if gone:
            are, them = plural(len(gone), "is", "are"), plural(len(gone), "it", "them")
            raise DoppelgramError(
                f"the ready-made model '{self.name}' needs {', '.join(gone)}, which {are} not here; "
                f"bring {them} with: {command_for(gone)}"
            )
        model = self.build(weights)
        model.recipe = {"name": self.name}
        whole, _ = model.described()
        files = {name: find_weights(name, weights) for name in self.weights}
        files |= {name: HERE / name for name in self.fitted}
        architecture = {
            "ready_made": self.name,
            "version": self.version,
            "files": {name: digest(file) for name, file in files.items()},
        }
        # Calibration is written only where somebody fitted another: the program's own may get better.
        model.origin = {
            "kind": KIND,
            "architecture": architecture,
            "preprocessing": {"architecture": whole["architecture"], "preprocessing": whole["preprocessing"]},
            "calibration": whole["calibration"],
            "labels": [],
            "recipe": dict(model.recipe),
        }
        model.fingerprint = fingerprint_of(model.origin, {})
        return model


def digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files, names and contents, in order."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    files = sorted(file for file in path.rglob("*") if file.suffix in (".json", ".safetensors"))
    parts = "".join(f"{file.relative_to(path).as_posix()} {digest(file)}\n" for file in files)
    return hashlib.sha256(parts.encode()).hexdigest()


def same_origin(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two descriptions are of the same parts."""
    return all(a[key] == b[key] for key in ("architecture", "preprocessing"))
