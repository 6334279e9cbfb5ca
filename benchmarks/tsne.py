"""Time and quality of t-SNE, ours beside scikit-learn's, on the same vectors in the same run.

Usage: python benchmarks/tsne.py [--rows 9228 --dim 64 --classes 81 --perplexity 30]
       python benchmarks/tsne.py --model RUN --data DIR     # the real ones: all images of a folder, embedded by a model

Each side runs in a process of its own on all cores, from vectors to places, imports and a small warming-up run not
counted. Quality is trustworthiness at 12 neighbours (Venna and Kaski 2001), and the share of images whose nearest
neighbour on the map is of their class. Both use 750 steps or more, their own defaults.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from common import in_subprocess, machine, machine_line, write
from doppelgram.numbers import percent

SHAPE = ("rows", "dim", "classes", "perplexity")


def embeddings(rows: int, dim: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian clusters of about equal size on the unit sphere, near enough to touch."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    x = rng.normal(size=(classes, dim))[labels] + 0.6 * rng.normal(size=(rows, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels


def vectors(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """The vectors to draw and their labels: embedded photographs, or made-up ones."""
    if options.vectors:
        kept = np.load(options.vectors)
        return kept["x"], kept["labels"]
    return embeddings(options.rows, options.dim, options.classes)


def embedded(model_folder: Path, data: Path, file: Path) -> None:
    """Embed every image of a folder."""
    from doppelgram.dataset.read import read_collection
    from doppelgram.images.batch import load_pixels
    from doppelgram.models.bundle import load_model

    model, images = load_model(model_folder), read_collection(data)
    loaded = load_pixels(images.paths, model.framing, keep_duplicates=True)
    np.savez(file, x=model.embed_pixels(loaded.pixels), labels=images.labels[loaded.kept])


def ours(x: np.ndarray, perplexity: float) -> np.ndarray:
    from doppelgram.maps.projection import project

    return project(x, "tsne", perplexity=perplexity).points


def peer(x: np.ndarray, perplexity: float) -> np.ndarray:
    from sklearn.manifold import TSNE

    return TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=-1).fit_transform(x)


def measure(which: str, options: argparse.Namespace) -> dict[str, object]:
    run = {"ours": ours, "peer": peer}[which]
    run(embeddings(60, options.dim, 4)[0], 5.0)
    x, _ = vectors(options)
    start = time.perf_counter()
    points = run(x, options.perplexity)
    seconds = time.perf_counter() - start
    np.save(options.out.with_suffix(".npy"), points)
    return {"seconds": seconds}


def quality(points: np.ndarray, x: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    from sklearn.manifold import trustworthiness

    from doppelgram.space.exact import nearest

    rows = np.arange(len(x))
    _, near = nearest(points.astype(np.float32), points.astype(np.float32), 1, query_ids=rows, gallery_ids=rows)
    # Trustworthiness ranks all pairs; 3,000 images are enough for three digits.
    some = np.random.default_rng(0).permutation(len(x))[:3000]
    return {
        "trustworthiness": float(trustworthiness(x[some], points[some], n_neighbors=12)),
        "same_class": float((labels[near[:, 0]] == labels).mean()),
    }


def measured(which: str, options: argparse.Namespace) -> tuple[dict[str, object], np.ndarray] | str:
    """Measure in a fresh process; the reason, in words, if that did not work out."""
    arguments = {"measure": which, **{name: getattr(options, name) for name in SHAPE}}
    if options.vectors:
        arguments["vectors"] = options.vectors
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        answer = in_subprocess(__file__, arguments, out, options.limit)
        return answer if isinstance(answer, str) else (answer, np.load(out.with_suffix(".npy")))


def table(report: dict[str, object]) -> str:
    lines = ["| who | seconds | trustworthiness | nearest on the map is of the class |", "|---|---:|---:|---:|"]
    for entry in report["runs"]:
        if "failed" in entry:
            lines.append(f"| {entry['who']} | {entry['failed']} | | |")
            continue
        figures = f"{entry['seconds']:.1f} | {entry['trustworthiness']:.4f} | {percent(entry['same_class'])}"
        lines.append(f"| {entry['who']} | {figures} |")
    ratio = report["ratio"]
    said = f"Ours takes {ratio:.2f} of the peer's time." if ratio else "No comparison."
    what = (
        f"{report['what']}: {report['rows']:,} vectors of {report['dim']} dimensions, {report['classes']} classes, "
        f"perplexity {report['perplexity']:g}."
    )
    return "\n".join(["# t-SNE", "", what, "", *lines, "", said, "", machine_line(report["machine"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=9_228)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--classes", type=int, default=81)
    parser.add_argument("--perplexity", type=float, default=30)
    parser.add_argument("--limit", type=float, default=900, help="seconds one side may take")
    parser.add_argument("--model", type=Path, help="run whose model embeds --data")
    parser.add_argument("--data", type=Path, help="folder of labelled images")
    parser.add_argument("--vectors", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", choices=["ours", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        options.out.write_text(json.dumps(measure(options.measure, options)))
        return
    facts = machine("openTSNE", "scikit-learn")
    scratch = tempfile.TemporaryDirectory()
    if options.model and options.data:
        options.vectors = Path(scratch.name) / "vectors.npz"
        embedded(options.model, options.data, options.vectors)
    x, labels = vectors(options)
    options.rows, options.dim, options.classes = *x.shape, len(np.unique(labels))
    names = {"ours": "doppelgram (openTSNE)", "peer": "scikit-learn"}
    runs: list[dict[str, object]] = []
    for who, name in names.items():
        answer = measured(who, options)
        if isinstance(answer, str):
            runs.append({"who": name, "failed": answer})
        else:
            runs.append({"who": name, **answer[0], **quality(answer[1], x, labels)})
    whole = all("failed" not in entry for entry in runs)
    report = {name: getattr(options, name) for name in SHAPE}
    report["what"] = f"Images of {options.data.name}, embedded" if options.vectors else "Made-up clusters"
    report |= {"machine": facts, "runs": runs}
    report["ratio"] = runs[0]["seconds"] / runs[1]["seconds"] if whole else None
    write("tsne", report, table(report))


if __name__ == "__main__":
    main()
