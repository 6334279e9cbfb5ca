"""Do the maps show what brings two photographs together, and what do they cost?

Two questions, by the ready-made model `things`:

1. *Known answer.* A crop of a landmark fills a quarter of two pictures that otherwise share nothing: one is rough
   noise, the other smooth colours. How much of what a map holds lies in that quarter? By chance it would be a quarter.
2. *Real pairs.* Two photographs of one landmark. Where a fifth of the first is blurred, the fifth that a map calls the
   strongest, how much farther apart are they? Beside the weakest fifth and a random one.

Beside Grad-CAM as it is stand Grad-CAM without sharing out what is subtracted, and occlusion by blur and by mean
colour.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from common import machine, machine_line, write
from doppelgram.evaluation.intervals import bootstrap_mean
from doppelgram.images.read import Photograph
from doppelgram.models.bundle import load_model
from doppelgram.saliency.gradient import contributions
from doppelgram.saliency.maps import placed
from doppelgram.saliency.occlusion import covered_by, occlusion_map

SIDE, SHARE = 320, 0.2
METHODS = ("grad-cam", "grad-cam, nothing shared out", "occlusion, blur", "occlusion, mean colour")
Pixels = NDArray[np.uint8]


def vectors(model: Any, pictures: list[Pixels]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = model.embed([Photograph(None, pixels=picture) for picture in pictures]).vectors
    return found


def maps(model: Any, a: Pixels, b: Pixels) -> tuple[dict[str, list[NDArray[np.float64]]], dict[str, float]]:
    """Maps of both pictures by each method, and the seconds of processor time that they took."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    seconds: dict[str, float] = {}
    start = time.process_time()
    whole = contributions([model.tower], [np.stack([a, b])])
    assert whole is not None
    seconds["grad-cam"] = time.process_time() - start
    found["grad-cam"] = list(whole.maps[0])
    # Of mean pooling the share of every place is the same: what the map lacks without it, divided by the places.
    bias = model.tower.network.head.layers[0].bias.detach().double().numpy()
    both = vectors(model, [a, b]).astype(np.float64)
    raw = model.tower.network
    found[METHODS[1]] = [
        grid - float(bias @ both[1 - own]) / length / grid.size
        for own, (grid, length) in enumerate(zip(whole.maps[0], _lengths(raw, a, b), strict=True))
    ]
    for cover, name in (("blur", METHODS[2]), ("mean", METHODS[3])):
        start = time.process_time()
        found[name] = [
            occlusion_map(one, _from(model, vector), cover=cover)
            for one, vector in zip((a, b), both[::-1].astype(np.float32), strict=True)
        ]
        seconds[name] = time.process_time() - start
    return found, seconds


def _lengths(network: Any, a: Pixels, b: Pixels) -> NDArray[np.float64]:
    """Lengths of both embeddings before they are scaled to one."""
    import torch

    with torch.inference_mode():
        images = torch.from_numpy(np.stack([a, b])).permute(0, 3, 1, 2).float() / 255
        found: NDArray[np.float64] = network.head.layers(network.features(images)).double().norm(dim=1).numpy()
    return found


def _from(model: Any, other: NDArray[np.float32]) -> Callable[[list[Pixels]], NDArray[np.float64]]:
    def distances(pictures: list[Pixels]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = model.space.distance(
            vectors(model, pictures), np.repeat(other[None], len(pictures), axis=0)
        )
        return found

    return distances


def over(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """A map over the pixels, without what keeps the pictures apart."""
    corners = ((0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE))
    return np.maximum(placed(grid, corners, SIDE, SIDE).astype(np.float64), 0)


def squared(file: Path) -> Pixels:
    return np.asarray(Image.open(file).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def sharing_a_quarter(
    file: Path, rng: np.random.Generator
) -> tuple[Pixels, Pixels, NDArray[np.bool_], NDArray[np.bool_]]:
    """Two pictures that share a crop, and where it lies in each."""
    half = SIDE // 2
    crop = Image.fromarray(squared(file)[40:280, 40:280]).resize((half, half), Image.Resampling.BICUBIC)
    rough = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    smooth = np.asarray(
        Image.fromarray(rng.integers(0, 256, (3, 3, 3), dtype=np.uint8))
        .resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        .filter(ImageFilter.GaussianBlur(20))
    )
    pictures, places = [], []
    for ground in (rough, smooth):
        top, left = (half * int(corner) for corner in rng.integers(0, 2, 2))
        picture = ground.copy()
        picture[top : top + half, left : left + half] = np.asarray(crop)
        where = np.zeros((SIDE, SIDE), dtype=bool)
        where[top : top + half, left : left + half] = True
        pictures.append(picture)
        places.append(where)
    return pictures[0], pictures[1], places[0], places[1]


def growth(model: Any, a: Pixels, b: Pixels, score: NDArray[np.float64]) -> float:
    """How much farther apart a pair is where the fifth of the first with the highest score is blurred."""
    hidden, picture = covered_by(a, "blur"), a.copy()
    order = np.argsort(-score, axis=None, kind="stable")[: round(SHARE * score.size)]
    where = np.zeros(score.size, dtype=bool)
    where[order] = True
    where = where.reshape(score.shape)
    picture[where] = hidden[where]
    both = vectors(model, [a, picture])
    before, after = model.space.distance(both, np.repeat(vectors(model, [b]), 2, axis=0))
    return float(after - before)


def mean_with_interval(values: list[float], seed: int) -> str:
    array = np.asarray(values)
    low, high = bootstrap_mean(array, seed=seed)
    return f"{array.mean():.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with landmarks/<landmark>/*.jpg")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    facts = machine("openvino")
    rng = np.random.default_rng(options.seed)
    model = load_model("things")
    folders = [
        folder for folder in sorted((options.data / "landmarks").iterdir()) if len(list(folder.glob("*.jpg"))) > 1
    ]
    chosen = [folders[int(row)] for row in rng.choice(len(folders), options.pairs, replace=False)]
    pairs = [rng.choice(np.array(sorted(map(str, folder.glob("*.jpg")))), 2, replace=False) for folder in chosen]
    inside: dict[str, list[float]] = {name: [] for name in METHODS}
    apart: dict[str, list[float]] = {name: [] for name in (*METHODS, "a random fifth", "the weakest fifth by grad-cam")}
    seconds: dict[str, list[float]] = {}
    maps(model, *[squared(Path(file)) for file in pairs[0]])  # what is done once only is not counted
    for number, (first, second) in enumerate(pairs):
        a, b, where_a, where_b = sharing_a_quarter(Path(first), rng)
        found, took = maps(model, a, b)
        for name, grids in found.items():
            shares = []
            for grid, where in zip(grids, (where_a, where_b), strict=True):
                mass = over(grid)
                shares.append(mass[where].sum() / max(mass.sum(), 1e-12))
            inside[name].append(float(np.mean(shares)))
        a, b = squared(Path(first)), squared(Path(second))
        found, took = maps(model, a, b)
        for name, cost in took.items():
            seconds.setdefault(name, []).append(cost)
        for name, grids in found.items():
            apart[name].append(growth(model, a, b, placed(grids[0], CORNERS, SIDE, SIDE).astype(np.float64)))
        noise = placed(rng.random((10, 10)), CORNERS, SIDE, SIDE).astype(np.float64)
        apart["a random fifth"].append(growth(model, a, b, noise))
        weakest = -placed(found["grad-cam"][0], CORNERS, SIDE, SIDE).astype(np.float64)
        apart["the weakest fifth by grad-cam"].append(growth(model, a, b, weakest))
        print(f"{number + 1} of {len(pairs)}", flush=True)
    result = {"machine": facts, "pairs": options.pairs, "inside": inside, "apart": apart, "seconds": seconds}
    lines = [
        "# Maps of what brings two photographs together",
        "",
        f"`python benchmarks/saliency.py --data DIR`, {options.pairs} landmarks, model `things`, seed {options.seed}. "
        f"Means with 95 % intervals over landmarks. {machine_line(facts)}",
        "",
        "| map | share of it in the quarter that both share (by chance 0.25) | growth of the distance, its strongest "
        "fifth blurred | processor seconds for both maps, median |",
        "|---|---:|---:|---:|",
    ]
    for name in apart:
        lines.append(
            f"| {name} | {mean_with_interval(inside[name], options.seed) if name in inside else ''} | "
            f"{mean_with_interval(apart[name], options.seed)} | "
            f"{f'{np.median(seconds[name]):.2f}' if name in seconds else ''} |"
        )
    write("saliency", result, "\n".join(lines))


CORNERS = ((0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE))

if __name__ == "__main__":
    main()
