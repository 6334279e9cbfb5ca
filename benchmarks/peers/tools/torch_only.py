"""What the programs that train share: our small net, pictures to embeddings, and torchvision beside a torch of its own.

No part of what a tool's user writes.
"""

import importlib
import importlib.util
import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image


def import_torchvision():
    """torchvision, also where its compiled operators do not fit torch.

    Its packages on the registries are built for torch with CUDA. Beside torch for processors their library of operators
    does not load, and the import stops where meta kernels are registered for the operators nms and qnms. Both are
    declared here, without a body, so that the rest, which is Python, can be imported. Nothing that is measured calls
    them.
    """
    built = Path(importlib.util.find_spec("torchvision").origin).with_name("version.py").read_text(encoding="utf-8")
    if torch.version.cuda is None and re.search(r"__version__ = '[\d.]+\+cu", built):
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision")


def small_net():
    """The project's own small net, which every tool trains: images (b, 3, 64, 64) to 256 features."""
    from doppelgram.models.backbones.backbone import SmallNet

    return SmallNet()


def job():
    """What the program was told."""
    return json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


STARTED = time.perf_counter(), time.process_time()


def trained():
    """Seconds since the start, by the clock and of the processor, once the model is there."""
    return time.perf_counter() - STARTED[0], time.process_time() - STARTED[1]


@torch.no_grad()
def finish(network, told, seconds, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)):
    """Write the embeddings of the images that accuracy is measured on, and how long training took.

    The network sees images of channels with this mean and deviation, as it did when it was trained.
    """
    mean, std = (torch.tensor(channels).view(3, 1, 1) for channels in (mean, std))
    network.eval()
    found = []
    for start in range(0, len(told["images"]), 256):
        pixels = [
            np.asarray(Image.open(file).convert("RGB").resize((told["size"],) * 2, Image.Resampling.BILINEAR))
            for file in told["images"][start : start + 256]
        ]
        batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
        found.append(torch.nn.functional.normalize(network((batch - mean) / std), dim=1).numpy())
    np.save(Path(told["out"], "embeddings.npy"), np.concatenate(found))
    answer = {"seconds": seconds[0], "processor": seconds[1]}
    Path(told["out"], "answer.json").write_text(json.dumps(answer), encoding="utf-8")
