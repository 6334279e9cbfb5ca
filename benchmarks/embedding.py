"""From JPEG files to stored vectors: photographs a second, beside a plain loop and beside what the machine can reach.

Usage: python benchmarks/embedding.py --data DIR --weights DIR [--photographs 256] [--repeats 3]

Photographs of ``DIR/landmarks`` are put together to JPEG files of 500 to 1,000 pixels. ResNet-50 at 224 has random
weights, on which speed does not depend; the weights of MobileNetV2 are ImageNet's. Everything is measured in turns, so
that other programs disturb all alike.

The *plain loop* decodes a file with Pillow, resizes it, runs the torch network eagerly in fp32 on one image, and adds
one row to a table. *Ours* is what `doppelgram index` does: hash, decode, thumbnail, vector, row. Two ceilings: the
smaller of decoding alone and computing alone, each on all processors; and that of both taking turns on the same
processors, 1 / (1 / decoding + 1 / computing), which is all that a machine without a graphics card can reach.

*Agreement* is that of `models/precision.py`: nearest neighbours of fp32 queries among bf16 vectors, beside those among
fp32 vectors, and verdicts of pairs. In precision `auto` bf16 is used only from 99 % on.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from common import RESULTS, machine, machine_line, write
from doppelgram.catalog.embed import THUMBNAIL_SIDE
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.images.batch import load_pixels
from doppelgram.images.framing import Framing
from doppelgram.images.read import Want
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from doppelgram.models.export.files import require_format, write_part
from doppelgram.models.export.parts import exportable
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.precision import tried
from doppelgram.models.runtime import Runtime, bf16_is_fast, in_bulk
from doppelgram.models.towers import ImageTower
from doppelgram.speed.measure import embedding_rate, reading_rate

SIZE = 224
LOOP, LEAST = 5.0, 8  # seconds of a plain loop, and photographs that it does however long they take


def make_photographs(source: Path, out: Path, count: int) -> list[Path]:
    """JPEG files of 500 to 1,000 pixels, each of nine photographs side by side."""
    rng = np.random.default_rng(0)
    files = sorted(source.rglob("*.jpg"))
    out.mkdir(parents=True)
    for number in range(count):
        canvas = Image.new("RGB", (1000, 1000))
        for place, row in enumerate(rng.integers(len(files), size=9)):
            tile = Image.open(files[row]).convert("RGB").resize((334, 334), Image.Resampling.BICUBIC)
            canvas.paste(tile, (334 * (place % 3), 334 * (place // 3)))
        width, height = rng.integers(500, 1001, size=2)
        canvas.crop((0, 0, int(width), int(height))).save(out / f"{number:05d}.jpg", quality=88)
    return sorted(out.glob("*.jpg"))


def plain_rate(files: list[Path], embed: Callable[[np.ndarray], np.ndarray], folder: Path) -> float:
    """Photographs a second by a loop that does one thing after the other."""
    import lancedb

    table = None
    done, start = 0, time.perf_counter()
    for file in files:
        image = Image.open(file).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        row = {"path": str(file), "vector": embed(np.asarray(image)[None])[0]}
        if table is None:
            table = lancedb.connect(folder).create_table("rows", [row])
        else:
            table.add([row])
        done += 1
        if done >= LEAST and time.perf_counter() - start > LOOP:
            break
    return done / (time.perf_counter() - start)


def eager(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    network = model.tower.network.eval()

    @torch.inference_mode()
    def embed(pixels: np.ndarray) -> np.ndarray:
        return network(torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float() / 255).numpy()

    return embed


def by_onnxruntime(model: Model, files: list[Path], folder: Path) -> Callable[[np.ndarray], np.ndarray] | str:
    """The network by ONNX Runtime, or why not."""
    try:
        import onnxruntime

        require_format("onnx")
        (part,), _ = exportable(model)
        folder.mkdir()
        file = write_part(part, folder, "onnx", load_pixels(files[:2], model.framing).pixels).file
    except (ImportError, DoppelgramError) as problem:
        return str(problem)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixels": pixels})[0]


def index_rate(model: Embedder, source: Path | str, files: list[Path], folder: Path) -> float:
    """Photographs a second from files to rows, as `doppelgram index` makes them."""
    shutil.rmtree(folder, ignore_errors=True)
    catalog = Catalog.open_or_create(folder, model, source)
    collection = Collection(files[0].parent, pd.DataFrame({"path": [file.name for file in files]}, dtype=str))
    start = time.perf_counter()
    index_collection(collection, model, catalog)
    return len(files) / (time.perf_counter() - start)


def runtimes() -> dict[str, Runtime]:
    exact = in_bulk()
    return {"fp32": exact, **({"bf16": replace(exact, precision="bf16")} if bf16_is_fast(exact) else {})}


def measure_network(model: Model, files: list[Path], work: Path, repeats: int, seconds: float) -> dict[str, Any]:
    source = model.save(work / "model")
    models = {name: model.with_runtime(runtime) for name, runtime in runtimes().items()}
    pixels = load_pixels(files[:64], model.framing).pixels
    loop, onnx = eager(model), by_onnxruntime(model, files, work / "onnx")
    for name, each in models.items():  # translation and first runs do not count
        index_rate(each, source, files[:8], work / name)
    rates: dict[str, list[float]] = {}

    def note(name: str, rate: float) -> None:
        rates.setdefault(name, []).append(rate)
        print(f"  {name}: {rate:.1f} a second", file=sys.stderr)

    for repeat in range(repeats):
        note("plain loop", plain_rate(files, loop, work / f"plain{repeat}"))
        if not isinstance(onnx, str):
            note("plain loop, ONNX Runtime", plain_rate(files, onnx, work / f"onnx{repeat}"))
        note("decoding alone", reading_rate(files, Want(model.framing, thumbnail=THUMBNAIL_SIDE), seconds))
        for name, each in models.items():
            note(f"computing alone, {name}", embedding_rate(model, pixels, each.runtime, seconds))
            note(
                f"ours, {name}",
                index_rate(each, source, files[: len(files) // (4 if name == "fp32" else 1)], work / name),
            )
    found: dict[str, Any] = {"rates": rates, "onnxruntime": onnx if isinstance(onnx, str) else "", "ratios": {}}
    for name in models:
        ours, decoding = rates[f"ours, {name}"], rates["decoding alone"]
        computing = rates[f"computing alone, {name}"]
        found["ratios"][name] = {
            "of the plain loop": [a / b for a, b in zip(ours, rates["plain loop"], strict=True)],
            "of the smaller ceiling": [a / min(b, c) for a, b, c in zip(ours, decoding, computing, strict=True)],
            "of the ceiling of both in turns": [
                a * (1 / b + 1 / c) for a, b, c in zip(ours, decoding, computing, strict=True)
            ],
        }
    return found


def agreements(model: Embedder, files: list[Path]) -> dict[str, float] | None:
    if "bf16" not in runtimes() or model.with_runtime(in_bulk()).runtime is None:
        return None
    exact, quick = (model.with_runtime(runtime) for runtime in runtimes().values())
    found = tried(exact, quick, files, model.want)
    return {
        "photographs": found.photographs,
        "same_neighbour": found.same_neighbour,
        "same_verdict": 1 - found.other_verdict,
    }


def embedding_model(backbone: str, pretrained: bool) -> Model:
    torch.manual_seed(0)
    made = make_backbone(backbone, pretrained=pretrained)
    head = EmbeddingHead(made.dim, made.dim, linear=False)
    network = EmbeddingNetwork(made, head).to(memory_format=torch.channels_last)
    return Model(ImageTower(network.eval(), Framing(SIZE)))


def spread(values: list[float], digits: int = 1) -> str:
    middle = sorted(values)[len(values) // 2]
    return f"{middle:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def markdown(result: dict[str, Any]) -> str:
    lines = ["# From files to stored vectors", ""]
    for name, network in result["networks"].items():
        lines += [f"## {name}", "", "| what | photographs a second |", "|---|---:|"]
        lines += [f"| {what} | {spread(rates)} |" for what, rates in network["rates"].items()]
        lines += [
            "",
            "| ours in | times the plain loop | of the smaller ceiling | of both in turns |",
            "|---|---:|---:|---:|",
        ]
        for precision, ratios in network["ratios"].items():
            lines.append(f"| {precision} | " + " | ".join(spread(values, 2) for values in ratios.values()) + " |")
        decoding, computing = (
            np.median(network["rates"][key]) for key in ("decoding alone", f"computing alone, {precision}")
        )
        limit = "computing" if computing < decoding else "decoding"
        lines += ["", f"In {precision}, {limit} takes longer: it limits.", ""]
    lines += ["## Ready-made models", "", "| model | photographs | milliseconds a photograph |", "|---|---:|---:|"]
    lines += [f"| {name} | {one['photographs']} | {one['ms']} |" for name, one in result["ready_made"].items()]
    lines += [
        "",
        "## Agreement of bf16 with fp32",
        "",
        "| network | photographs | same nearest neighbour | same verdict |",
    ]
    lines.append("|---|---:|---:|---:|")
    for name, one in result["agreement"].items():
        if one:
            same, verdict = 100 * one["same_neighbour"], 100 * one["same_verdict"]
            lines.append(f"| {name} | {one['photographs']} | {same:.1f} % | {verdict:.2f} % |")
    return "\n".join([*lines, "", machine_line(result["machine"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--photographs", type=int, default=256)
    parser.add_argument("--agreement", type=int, default=400, help="photographs of which neighbours are compared")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="for which each ceiling is measured")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    result: dict[str, Any] = {
        "machine": machine("openvino", "pillow"),
        "networks": {},
        "ready_made": {},
        "agreement": {},
    }
    real = sorted((options.data / "landmarks").rglob("*.jpg"))
    real = [real[row] for row in np.linspace(0, len(real) - 1, options.agreement).astype(int)]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        files = make_photographs(options.data / "landmarks", work / "photographs", options.photographs)
        networks = {
            "ResNet-50": embedding_model("resnet50", False),
            "MobileNetV2": embedding_model(str(options.weights / "mobilenet_v2_imagenet"), True),
        }
        for name, model in networks.items():
            print(name, file=sys.stderr)
            result["networks"][name] = measure_network(model, files, work / name, options.repeats, options.seconds)
            result["agreement"][name] = agreements(model, real)
        for name, count in (
            ("things", options.photographs // 4),
            ("arrangements", options.photographs // 10),
            ("faces", options.photographs // 10),
        ):
            try:
                model = load_model(name, weights=options.weights)
            except DoppelgramError as problem:
                print(f"{name}: {problem}", file=sys.stderr)
                continue
            people = sorted((options.data / ("lfw" if name == "faces" else "posts")).rglob("*.jpg"))
            shown = work / f"shown-{name}"
            shown.mkdir()
            for number, file in enumerate(people[:: max(1, len(people) // count)][: count + 4]):
                shutil.copy(file, shown / f"{number:03d}.jpg")
            copies = sorted(shown.glob("*.jpg"))
            index_rate(model, name, copies[count:], work / f"first-{name}")
            rate = index_rate(model, name, copies[:count], work / f"catalog-{name}")
            result["ready_made"][name] = {"photographs": count, "ms": round(1000 / rate)}
            result["agreement"][name] = agreements(model, real if name == "things" else copies)
    write("embedding", result, markdown(result), options.out)


if __name__ == "__main__":
    main()
