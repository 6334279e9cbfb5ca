"""A network from a local transformers folder, with what the folder says of the pixels that it wants."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class FolderNetwork:
    """A network that is ready to run.

    Attributes:
        model: of transformers, in evaluation mode.
        config: its configuration.
        preprocessing: what the folder's ``preprocessor_config.json`` says; empty without one.
        mean: of each colour, float32 (3,), as shares of white; ImageNet's where the folder does not say.
        std: their deviations likewise.
        digest: first 12 digits of the weights' SHA-256.
    """

    model: Any
    config: Any
    preprocessing: Mapping[str, Any]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    digest: str

    def normalised(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels (h, w, 3) as the network wants them, float32 (3, h, w)."""
        values = (pixels.astype(np.float32) / 255 - self.mean) / self.std
        return np.ascontiguousarray(values.transpose(2, 0, 1))


def load_network(folder: Path, model_class: str, what: str, model_type: str = "") -> FolderNetwork:
    """Load a network.

    Args:
        folder: with ``config.json`` and weights as safetensors.
        model_class: of transformers.
        what: the network's name, for messages.
        model_type: that the configuration must have; empty for any.

    Raises:
        DoppelgramError: the folder holds something else.
    """
    import transformers

    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if model_type and config.model_type != model_type:
            raise ValueError(f"it is a {config.model_type}")
        model = getattr(transformers, model_class).from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except Exception as problem:  # transformers raises many kinds for a damaged folder
        reason = " ".join(str(problem).split())[:100]
        raise DoppelgramError(f"{folder}: is not a transformers folder of {what} ({reason})") from None
    content: Any = {}
    try:
        content = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
        mean, std = (np.array(content[key], np.float32).reshape(3) for key in ("image_mean", "image_std"))
    except (OSError, ValueError, KeyError, TypeError):
        mean, std = np.array(_MEAN, np.float32), np.array(_STD, np.float32)
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(file.read_bytes())
    preprocessing = content if isinstance(content, dict) else {}
    return FolderNetwork(model.eval(), config, preprocessing, mean, std, digest.hexdigest()[:12])
