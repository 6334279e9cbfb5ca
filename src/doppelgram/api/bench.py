"""Measure this machine, and say what limits it."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from doppelgram.catalog.embed import THUMBNAIL_SIDE
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.read import as_collection
from doppelgram.images.framing import Framing
from doppelgram.images.memory import available_memory
from doppelgram.images.ordered import processors
from doppelgram.images.read import Want, read
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.model import Model, require_model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.ready_made.things import THINGS
from doppelgram.models.runtime import Runtime, bf16_is_fast, has_openvino, in_bulk
from doppelgram.models.towers import ImageTower
from doppelgram.numbers import count, size
from doppelgram.samples.posts import render_posts
from doppelgram.speed.measure import SEARCHED, SEARCHED_DIM, embedding_rate, reading_rate, searching_rate, writing_rate
from doppelgram.speed.result import Bench

_SHOWN = 64


def bench(
    data: Path | str | None = None, *, weights: Path | str | None = None, progress: Progress | None = None
) -> Bench:
    """Measure how fast this machine reads, embeds, searches and writes (in the current folder), in about a minute.

    Args:
        data: photographs to measure with; rendered ones by default.
        weights: folder in which the weights of the ready-made model ``things`` are looked up first. Where there are
            none, MobileNetV2 with random weights embeds: speed does not depend on weights.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: none of the photographs can be read.
    """
    progress = progress or TerminalProgress()
    model, network = _model(Path(weights).expanduser() if weights else None)
    runtimes = _runtimes()
    with TemporaryDirectory(prefix="doppelgram-") as folder, progress.bar("measuring", len(runtimes) + 3) as advance:
        source = Path(data).expanduser() if data else render_posts(Path(folder) / "posts", posts=24, places=3, size=720)
        paths = as_collection(source).paths
        reading = reading_rate(paths, Want(model.framing, thumbnail=THUMBNAIL_SIDE))
        advance(1)
        shown = [one for one in read(paths[: 4 * _SHOWN], Want(model.framing)) if one.usable]
        squares = np.stack([one.pixels for one in shown if one.pixels is not None])
        pixels = np.resize(squares, (_SHOWN, *squares.shape[1:]))
        embedding = {}
        for runtime in runtimes:
            embedding[str(runtime)] = embedding_rate(model, pixels, runtime)
            advance(1)
        searching = searching_rate()
        advance(1)
        writing = writing_rate(
            Path.cwd() if os.access(Path.cwd(), os.W_OK) else Path(folder)
        )  # where catalogs are made
        advance(1)
    sizes = sorted(max(one.width, one.height) for one in shown if one.width)
    return Bench(
        machine=f"{_processor()}, {count(processors(), 'processor')}, {size(available_memory())} of free memory",
        photographs=f"{'rendered' if data is None else 'yours'}, long side {sizes[len(sizes) // 2]} pixels",
        network=network,
        dim=model.dim,
        reading=reading,
        embedding=embedding,
        searching=searching,
        searched_bytes=4 * SEARCHED * SEARCHED_DIM,
        writing=writing,
        shares_processors=all(runtime.device == "cpu" for runtime in runtimes),
    )


def _runtimes() -> list[Runtime]:
    """What can run a network here, each in full precision and, where that is faster, in bf16."""
    exact = [in_bulk("openvino")] if has_openvino() else []
    exact.append(in_bulk("torch"))
    return [one for runtime in exact for one in (runtime, replace(runtime, precision="bf16")) if _offered(one)]


def _offered(runtime: Runtime) -> bool:
    return runtime.precision == "fp32" or bf16_is_fast(runtime)


def _model(weights: Path | None) -> tuple[Model, str]:
    if not THINGS.missing(weights):
        model = require_model(THINGS.open(weights), "it is not one network")
        return model, f"network of things, {model.framing.size} pixels"
    torch.manual_seed(0)
    backbone = make_backbone("mobilenet_v2", pretrained=False)
    network = EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, SEARCHED_DIM)).eval()
    return Model(ImageTower(network, Framing(224))), "MobileNetV2, 224 pixels"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration, IndexError):
        return platform.processor() or platform.machine()
