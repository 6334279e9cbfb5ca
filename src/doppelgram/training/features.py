"""Features of a frozen backbone, computed once and kept on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.images.augment import augment, to_float
from doppelgram.images.augmentation import Augmentation
from doppelgram.images.framing import Framing
from doppelgram.models.networks.embedding import EmbeddingNetwork

Features = np.ndarray[Any, np.dtype[np.float32]]


def cache_key(network: EmbeddingNetwork, framing: Framing, augmentation: Augmentation, copies: int) -> str:
    """Identifies what decides a feature besides the image's own bytes: the backbone's weights and every setting."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    settings = {
        "backbone": network.backbone.spec,
        "mean": network.backbone.mean,
        "std": network.backbone.std,
        "framing": framing.to_dict(),
        "views": copies,
        "augmentation": dataclasses.asdict(augmentation) if copies > 1 else None,
    }
    digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _read(file: Path) -> tuple[list[str], Features | None]:
    """Content hashes and features (n, copies, d) of a cache file; an unreadable file is a miss, not an error."""
    try:
        with safe_open(file, framework="numpy") as stored:
            return json.loads((stored.metadata() or {})["hashes"]), stored.get_tensor("features")
    except (OSError, SafetensorError, KeyError, ValueError):
        return [], None


def _write(file: Path, hashes: Sequence[str], features: Features) -> None:
    """Keep features on disk; a cache that cannot be written costs time the next time, and must not cost this run."""
    try:
        with written_whole(file) as aside:
            content = {"features": np.ascontiguousarray(features)}
            save_file(content, aside, metadata={"hashes": json.dumps(list(hashes))})
    except (DoppelgramError, SafetensorError) as problem:
        warnings.warn(f"features are not kept for the next run: {problem}", stacklevel=3)


@torch.inference_mode()
def _embed_copies(
    network: EmbeddingNetwork,
    pixels: np.ndarray[Any, Any],
    hashes: Sequence[str],
    augmentation: Augmentation,
    copies: int,
) -> Features:
    plain = to_float(pixels)
    stacked = [network.features(plain)]
    for copy in range(1, copies):
        changed = []
        for image, content in zip(plain, hashes, strict=True):
            # Seeded by content and copy: the same image gets the same copies whatever it is batched with.
            generator = torch.Generator().manual_seed(int(content[:12], 16) * 64 + copy)
            changed.append(augment(image[None], augmentation, generator))
        stacked.append(network.features(torch.cat(changed)))
    return torch.stack(stacked, 1).float().numpy()


def cached_features(
    network: EmbeddingNetwork,
    pixels: np.ndarray[Any, np.dtype[np.uint8]],
    hashes: Sequence[str],
    framing: Framing,
    folder: Path,
    *,
    augmentation: Augmentation | None = None,
    copies: int = 1,
    batch: int = 128,
    progress: Callable[[int], None] | None = None,
) -> Features:
    """Features of framed images through a frozen backbone, those known from before read from disk.

    What is computed is kept also when it is interrupted, so that the next call goes on from there.

    Args:
        network: its backbone is used, in evaluation mode.
        pixels: uint8 (n, size, size, 3).
        hashes: content hash of each image's file.
        framing: how the pixels were framed; part of the key.
        folder: where the cache lies.
        augmentation: changes for the copies after the first, which is always the plain image.
        copies: how many copies of each image.
        batch: images at a time.
        progress: called with the number of images done.

    Returns:
        Features, float32 (n, copies, backbone.dim).
    """
    augmentation = augmentation or Augmentation()
    file = folder / f"{cache_key(network, framing, augmentation, copies)[:32]}.safetensors"
    known_hashes, known = _read(file)
    place = {content: row for row, content in enumerate(known_hashes)} if known is not None else {}
    missing = [row for row, content in enumerate(hashes) if content not in place]
    found = np.empty((len(hashes), copies, network.backbone.dim), dtype=np.float32)
    for row, content in enumerate(hashes):
        if known is not None and content in place:
            found[row] = known[place[content]]
    if progress:
        progress(len(hashes) - len(missing))
    was_training = network.training
    network.eval()
    done = 0
    try:
        for start in range(0, len(missing), batch):
            rows = missing[start : start + batch]
            found[rows] = _embed_copies(network, pixels[rows], [hashes[row] for row in rows], augmentation, copies)
            done += len(rows)
            if progress:
                progress(len(rows))
    finally:
        network.train(was_training)
        if done:
            rows = missing[:done]
            kept = np.concatenate([known, found[rows]]) if known is not None else found[rows]
            _write(file, [*known_hashes, *(hashes[row] for row in rows)], kept)
    return found
