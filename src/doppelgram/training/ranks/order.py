"""A training as it is handed to processes: small things in one file, large arrays in files that all of them map."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doppelgram.training.hardware import lightning_precision
from doppelgram.training.recipes.sections import Stopping
from doppelgram.training.run import versions
from doppelgram.training.task import Task

_ORDER, _LARGE = "order.pickle", 1 << 20


@dataclass(frozen=True)
class Order:
    """What every process of a training has to know.

    Attributes:
        task: what is trained.
        stopping: which epoch is kept, and when to stop early.
        checkpoints, log: folders of the run on this machine.
        title: of the bar.
        resume: whether to continue from the last finished epoch.
    """

    task: Task
    stopping: Stopping
    checkpoints: Path
    log: Path
    title: str
    resume: bool

    def write(self, folder: Path) -> None:
        """Put it into a folder for the processes of this machine.

        Arrays of a megabyte or more are mapped by all processes, so that images are in memory once for all.
        """
        with (folder / _ORDER).open("wb") as file:
            _Packer(file, folder).dump(self)

    @classmethod
    def read(cls, folder: Path) -> Order:
        """What `write` put into a folder that belongs to this user alone."""
        with (folder / _ORDER).open("rb") as file:
            order: Order = _Unpacker(file, folder).load()
        return order

    def facts(self) -> dict[str, Any]:
        """What has to be the same on all machines, in words that a sentence can name, each with its digest."""
        task, recipe = self.task, getattr(self.task, "recipe", None)
        arrays: list[NDArray[Any]] = []
        _Packer(_Nowhere(), None, arrays).dump(
            {name: value for name, value in vars(task).items() if not name.startswith("_")}
        )
        batches = task.plan.epoch_batches(0)
        settings = {
            "recipe": recipe.to_dict() if recipe is not None else task.optimiser.model_dump(),
            "seed": task.seed,
            "stopping": self.stopping.model_dump(),
        }
        weights = [tensor.detach().cpu().numpy() for tensor in task.state_dict().values()]
        return {
            "version of the program": versions()["doppelgram"],
            "version of torch": versions()["torch"],
            "--resume": self.resume,
            "graphics cards": torch.cuda.is_available(),
            "precision": lightning_precision(task.optimiser.precision),
            "recipe or seed": _digest([json.dumps(settings, sort_keys=True, default=str).encode()]),
            "network's weights": _digest(weights),
            "images or split": _digest([*arrays, *batches]),
        }


class _Packer(pickle.Pickler):
    """Writes arrays of a megabyte or more into files of their own, each once."""

    def __init__(self, file: Any, folder: Path | None, seen: list[NDArray[Any]] | None = None) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.folder, self.seen = folder, seen
        self._names: dict[int, str] = {}

    def persistent_id(self, value: Any) -> str | None:
        """The file of a large array; None for all else."""
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            return None
        if self.seen is not None:
            if id(value) not in self._names:
                self._names[id(value)] = ""
                self.seen.append(value)
            return "seen"
        if value.nbytes < _LARGE or self.folder is None:
            return None
        if id(value) not in self._names:
            self._names[id(value)] = name = f"{len(self._names)}.npy"
            np.save(self.folder / name, value)
        return self._names[id(value)]


class _Unpacker(pickle.Unpickler):
    """Reads what `_Packer` wrote."""

    def __init__(self, file: Any, folder: Path) -> None:
        super().__init__(file)
        self.folder = folder
        self._arrays: dict[str, NDArray[Any]] = {}

    def persistent_load(self, name: str) -> NDArray[Any]:
        """A large array, mapped; parts that shared one still do."""
        if name not in self._arrays:
            self._arrays[name] = np.load(self.folder / name, mmap_mode="r")
        return self._arrays[name]


class _Nowhere:
    """A file that forgets what is written."""

    def write(self, data: bytes) -> int:
        """Forget."""
        return len(data)


def _digest(parts: list[Any]) -> str:
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, bytes):
            found.update(part)
            continue
        found.update(f"{part.dtype}{part.shape}".encode())
        found.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
    return found.hexdigest()
