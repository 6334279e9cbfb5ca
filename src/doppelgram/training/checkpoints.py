"""Checkpoints of a run: the best epoch and the last, wherever its folder has been moved since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins import TorchCheckpointIO

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole


class WholeFiles(TorchCheckpointIO):  # type: ignore[misc]
    """Writes a checkpoint beside its place and then into it, so that whoever is killed meanwhile leaves the one before.

    Lightning's own way goes by the folder of temporary files, from which a large file may be copied, not moved.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write one file."""
        with written_whole(Path(path)) as aside:
            torch.save(checkpoint, aside)


class BestCheckpoint(ModelCheckpoint):  # type: ignore[misc]
    """Keeps ``best.ckpt`` of the epoch with the best monitored figure, also in a run folder that was moved."""

    def __init__(self, folder: Path, monitor: str) -> None:
        mode = "min" if monitor == "val_loss" else "max"
        super().__init__(
            folder, "best", monitor=monitor, mode=mode, save_on_train_epoch_end=True, enable_version_counter=False
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best figure; Lightning would forget it where the folder is another than it was."""

        def here(path: str) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else path

        moved = {
            **state_dict,
            "dirpath": self.dirpath,
            "best_model_path": here(state_dict["best_model_path"]),
            "kth_best_model_path": here(state_dict["kth_best_model_path"]),
            "best_k_models": {here(path): score for path, score in state_dict["best_k_models"].items()},
        }
        super().load_state_dict(moved)


class LastCheckpoint(ModelCheckpoint):  # type: ignore[misc]
    """Keeps ``last.ckpt`` of every finished epoch."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)


def read_checkpoint(file: Path) -> dict[str, Any]:
    """A checkpoint's content, read without running anything in it.

    Raises:
        DoppelgramError: the file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        state["epoch"], state["state_dict"], state["callbacks"]
    except Exception as problem:  # what a damaged archive raises depends on where it is damaged
        raise DoppelgramError(
            f"{file}: is damaged ({type(problem).__name__}); delete it to start this run anew with --resume"
        ) from None
    if "task" not in state:
        raise DoppelgramError(f"{file}: is of an earlier version; delete it to start this run anew with --resume")
    return state


def gave_up(state: dict[str, Any], patience: int) -> bool:
    """Whether early stopping had ended the training that this checkpoint is of."""
    counts = [callback.get("wait_count", 0) for callback in state["callbacks"].values() if isinstance(callback, dict)]
    return patience > 0 and max(counts, default=0) >= patience
