"""The ready-made model ``faces`` on LFW, beside the recipe ``faces`` trained on it: the protocols of ``faces.py``.

The 62 identities of ``lfw62.txt``: 1-NN of the test photographs among the training ones. Then pairs of 50 people whom
neither the recipe's training nor the ready-made model's calibration, which was fitted on 50 others, has seen; and pairs
of all people but the 62 and those 50, two photographs of each, whom the ready-made model alone has not seen. A
photograph in which no face is found gives no numbers; it is counted, and once counted as wrong.

    python benchmarks/ready_made_faces.py --data DIR [--cache FILE]      # DIR/lfw/<Name>/<Name>_0001.jpg, DIR/lfw62.txt
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common import RESULTS, SHOWN, machine, machine_line, metric_table, write
from doppelgram.api.split import split_data
from doppelgram.dataset.splits import read_split
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.images.faces.detectors import face_detector
from doppelgram.images.faces.dlib import DlibFaces
from doppelgram.models.bundle import load_model
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.weights import find_weights
from faces import HELD_OUT, STEPS, hold_out

SAMPLE = 200  # photographs for comparing detectors and for times


def embedded(model: Embedder, lfw: Path, names: list[str], cache: Path | None) -> dict[str, np.ndarray]:
    """Numbers of each photograph, by its name; none where no face was found."""
    kept: dict[str, np.ndarray] = {}
    if cache is not None and cache.is_file():
        with np.load(cache) as file:
            kept = dict(zip(file["names"].tolist(), file["vectors"], strict=True))
    missing = [name for name in names if name not in kept]
    for start in range(0, len(missing), 256):
        part = missing[start : start + 256]
        files = embed_files(model, [lfw / name for name in part], keep_duplicates=True)
        kept |= {name: np.full(model.dim, np.nan, dtype=np.float32) for name in part}
        kept |= {part[position]: vector for position, vector in zip(files.kept, files.vectors, strict=True)}
        if cache is not None:
            np.savez(cache, names=np.array(list(kept)), vectors=np.stack(list(kept.values())))
    return {name: kept[name] for name in names if np.isfinite(kept[name]).all()}


def among(vectors: dict[str, np.ndarray], names: list[str]) -> EmbeddedSet:
    """Those of the photographs in which a face was found, labelled by the people's names."""
    found = [name for name in names if name in vectors]
    return EmbeddedSet(np.stack([vectors[name] for name in found]), np.array([name.split("/")[0] for name in found]))


def detectors(lfw: Path, names: list[str]) -> dict[str, dict[str, float]]:
    """In how many photographs each detector finds a face, and processor time a photograph."""
    ours = DlibFaces(find_weights("dlib_face_landmarks"))
    haar = face_detector("opencv")
    found: dict[str, dict[str, float]] = {}
    images = [Image.open(lfw / name).convert("RGB") for name in names]
    for name, detect in (("dlib", ours.detect), ("opencv", lambda image: haar.detect(np.asarray(image)))):
        started = time.process_time()
        counts = [len(detect(image)) for image in images]
        seconds = (time.process_time() - started) / len(images)
        found[name] = {"found": sum(map(bool, counts)), "of": len(images), "seconds": seconds}
    return found


def main() -> None:
    """Embed, evaluate, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds lfw/ and lfw62.txt")
    options.add_argument("--cache", type=Path, help="file in which the numbers are kept")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    lfw, model = given.data / "lfw", load_model("faces")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "split.csv"
        split_data(lfw, "image", whole, seed=given.seed, evaluate_on=given.data / "lfw62.txt")
        split, held = hold_out(read_split(whole), given.seed)
        parts = read_split(whole).parts
    strangers = sorted(name for name in parts if name.split("/")[0] in held[HELD_OUT // 2 :])
    everybody = [
        name
        for person in sorted({name.split("/")[0] for name, part in parts.items() if part == "extra"})
        if person not in held[: HELD_OUT // 2]
        for name in sorted(name for name in parts if name.startswith(f"{person}/"))[:2]
    ]
    gallery, queries = (
        sorted(name for name, part in split.parts.items() if part == which) for which in ("train", "test")
    )
    vectors = embedded(model, lfw, [*gallery, *queries, *strangers, *everybody], given.cache)
    closed = evaluate_embeddings(
        model.space, among(vectors, gallery), among(vectors, queries), seed=given.seed
    ).to_dict()
    opened = evaluate_embeddings(
        model.space, among(vectors, strangers), threshold=model.space.threshold, seed=given.seed
    ).to_dict()
    all_people = evaluate_embeddings(
        model.space, among(vectors, everybody), threshold=model.space.threshold, seed=given.seed
    ).to_dict()
    faceless = {
        name: sum(each not in vectors for each in names)
        for name, names in (
            ("gallery", gallery),
            ("queries", queries),
            ("strangers", strangers),
            ("everybody", everybody),
        )
    }
    right = closed["knn_accuracy"]["value"] * (len(queries) - faceless["queries"])
    sample = list(np.random.default_rng(given.seed).permutation([*queries, *strangers])[:SAMPLE])
    started = time.process_time()
    model.embed_images([lfw / name for name in sample if name in vectors][:32])
    seconds = (time.process_time() - started) / 32
    trained = json.loads((RESULTS / "faces.json").read_text(encoding="utf-8"))
    ours, ours_opened = trained[STEPS[-1][0]]["test"], trained["strangers"]
    result: dict[str, Any] = {
        "machine": machine("dlib-bin", "face-recognition-models"),
        "closed": closed,
        "strangers": opened,
        "everybody": all_people,
        "photographs": {"gallery": len(gallery), "queries": len(queries), "strangers": len(strangers)},
        "faceless": faceless,
        "accuracy_with_faceless_wrong": right / len(queries),
        "seconds": seconds,
        "detectors": detectors(lfw, sample),
    }
    known = {key: value for key, value in SHOWN.items() if key in closed and key in ours}
    pairs = {key: value for key, value in SHOWN.items() if key.startswith(("pair", "tar")) and key in opened}
    rows = [
        f"| {name} | {each['found']} of {each['of']} | {1000 * each['seconds']:.0f} ms |"
        for name, each in result["detectors"].items()
    ]
    text = "\n".join(
        [
            "# Faces, ready-made",
            "",
            f"`python benchmarks/ready_made_faces.py --data DIR`: LFW, the protocols of [faces](faces.md). "
            f"{machine_line(result['machine'])}",
            "",
            f"The 62 identities with 20 photographs or more: {len(queries)} queries among {len(gallery)}. No face was "
            f"found in {faceless['queries']} of the queries and {faceless['gallery']} of the others, which are left "
            f"out; with these queries counted as wrong 1-NN is right in {100 * right / len(queries):.1f} %.",
            "",
            metric_table({"ready-made `faces`": closed, "recipe `faces`, trained on LFW": ours}, known),
            "",
            f"Pairs of {HELD_OUT - HELD_OUT // 2} people never seen ({len(strangers)} photographs, no face found in "
            f"{faceless['strangers']}), at the threshold of the ready-made model's calibration and at one chosen on "
            f"{HELD_OUT // 2} others:",
            "",
            metric_table({"ready-made `faces`": opened, "recipe `faces`, trained on LFW": ours_opened}, pairs),
            "",
            f"Pairs of all {len({name.split('/')[0] for name in everybody})} people but the 62 and those 50, two "
            f"photographs of each (no face found in {faceless['everybody']} of {len(everybody)}):",
            "",
            metric_table({"ready-made `faces`": all_people}, pairs),
            "",
            f"A photograph of 250 pixels takes {1000 * seconds:.0f} ms of processor time, face found, aligned and "
            "described. Whether a face is found, and how long that takes:",
            "",
            "| detector | photographs | processor time |",
            "|---|---:|---:|",
            *rows,
        ]
    )
    write("ready_made_faces", result, text)


if __name__ == "__main__":
    main()
