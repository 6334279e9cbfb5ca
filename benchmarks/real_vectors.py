"""Embeddings of real photographs for the benchmarks of search, and as many more as are asked for.

MobileNetV2 (the ready-made model `things`, 1,280 numbers), shortened to 64 by principal components, of all photographs
under some folders; kept in a cache. More rows are made by repeating them with noise as long as the way to the nearest
other photograph, so that a row's neighbours are copies of several photographs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

DIM = 64
SUFFIXES = {".jpg", ".jpeg", ".png"}


def real_vectors(folders: list[Path], cache: Path) -> np.ndarray:
    """Embeddings float32 (photographs, 64), from the cache if they are there."""
    file = cache / "real_vectors.npy"
    if file.is_file():
        return np.load(file)
    from doppelgram.models.bundle import load_model
    from doppelgram.models.embed_files import embed_files

    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(paths) < 1000:
        raise SystemExit("give --photographs: folders with a thousand photographs or more, such as LFW and landmarks")
    vectors = embed_files(load_model("things"), paths).vectors
    vectors = vectors - vectors.mean(0)
    turned = np.linalg.svd(vectors[:: max(1, len(vectors) // 4000)], full_matrices=False)[2][:DIM]
    cache.mkdir(parents=True, exist_ok=True)
    np.save(file, (vectors @ turned.T).astype(np.float32))
    return np.load(file)


def more_rows(real: np.ndarray, rows: int, seed: int) -> np.ndarray:
    """So many rows, float32 (rows, 64): the real ones, repeated with noise."""
    rng = np.random.default_rng(seed)
    some = real[rng.permutation(len(real))[:500]]
    squares = ((some[:, None].astype(np.float64) - real[None]) ** 2).sum(2)
    nearest = np.sqrt(np.sort(squares, axis=1)[:, 1])
    found = real[rng.integers(0, len(real), rows)]
    for start in range(0, rows, 100_000):
        part = found[start : start + 100_000]
        noise = rng.standard_normal(part.shape, dtype=np.float32)
        part += noise * (np.median(nearest) / np.sqrt(DIM)).astype(np.float32)
    return found
