"""The ready-made models of look-alikes in general: a pretrained backbone's features, centred, of length one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doppelgram.models.ready_made.description import HERE, ReadyMade

if TYPE_CHECKING:
    from doppelgram.models.model import Model


def _things(backbone: str, size: int, weights: Path | None, fitted: str = "") -> Model:
    """A backbone's features less their mean over many photographs, scaled to length one.

    Args:
        backbone: of `make_backbone`.
        size: side in pixels of what it sees.
        weights: folder to look its weights up in first.
        fitted: name of the files with the mean and the calibration; empty for none.
    """
    import numpy as np
    import torch

    from doppelgram.images.framing import Framing
    from doppelgram.models.backbones.registry import make_backbone
    from doppelgram.models.model import Model
    from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
    from doppelgram.models.towers import ImageTower
    from doppelgram.space.calibration import Calibration

    made = make_backbone(backbone, weights=weights)
    head = EmbeddingHead(made.dim, made.dim)
    mean = np.load(HERE / f"{fitted}.npy") if fitted else np.zeros(made.dim)
    with torch.no_grad():
        last: Any = head.layers[0]
        last.weight.copy_(torch.eye(made.dim))
        last.bias.copy_(-torch.from_numpy(mean.astype(np.float32)))
    network = EmbeddingNetwork(made, head).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    calibration = None
    if fitted:
        calibration = Calibration.from_dict(json.loads((HERE / f"{fitted}.json").read_text(encoding="utf-8")))
    return Model(ImageTower(network.eval(), Framing(size)), calibration)


THINGS = ReadyMade(
    name="things",
    about="look-alikes of any kind",
    weights=("efficientnet_lite2",),
    licence="Apache-2.0",
    figures=(
        "Pairs of landmark photographs, half of the landmarks kept aside: AUC 0.92. Places of posts: AUC 0.73.",
        "Traffic signs: AUC 0.76, the nearest sign is of the same class for 55 %; its probabilities hold for "
        "landmarks, not there.",
    ),
    build=lambda weights: _things("efficientnet_lite2", 320, weights, "things"),
    fitted=("things.npy",),
)
THINGS_DINOV2 = ReadyMade(
    name="things-dinov2",
    about="look-alikes of any kind, by a larger network; not calibrated",
    weights=("dinov2_small",),
    licence="Apache-2.0",
    figures=(),
    build=lambda weights: _things("dinov2_small", 224, weights),
)
