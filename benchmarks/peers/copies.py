"""Near copies in a folder, and the first answer to a search in it: seconds, commands, and what is found."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from common import machine
from environments import SOURCES, TOOLS, CannotRun, Used, environment, measured, run_tool, versions, written_lines
from section import Section

OURS, HASHES, DEDUP, NETWORK, RCLIP = "Doppelgram", "imagehash", "imagededup, hash", "imagededup, network", "rclip"
NO_SEARCH = "no search"
# What stands in the way where one of these does not run.
NEEDS: Mapping[str, str] = {
    NETWORK: "fetches its weights from the network on first use, and no package carries them",
    RCLIP: "fetches its CLIP network from a model hub on first use, and no package carries it",
}
Change = Callable[[Image.Image], tuple[Image.Image, int]]
# Kind of copy, and what makes it: the picture and its JPEG quality.
KINDS: Mapping[str, Change] = {
    "half the size, quality 60": lambda image: (image.resize((image.width // 2, image.height // 2)), 60),
    "quality 30": lambda image: (image, 30),
    "a fifth brighter": lambda image: (ImageEnhance.Brightness(image).enhance(1.2), 90),
    "grey": lambda image: (ImageOps.grayscale(image).convert("RGB"), 90),
    "cropped by 5 %": lambda image: (image.crop(_inner(image, 0.05)), 90),
    "mirrored": lambda image: (ImageOps.mirror(image), 90),
}


def _inner(image: Image.Image, share: float) -> tuple[int, int, int, int]:
    across, down = round(image.width * share), round(image.height * share)
    return across, down, image.width - across, image.height - down


def compare(options: Any) -> Section:
    """Make the folder, and let each tool look at it."""
    folder = options.scratch / "photographs"
    truth = make_folder(options.data, folder, 60 if options.small else 600, options.seed)
    count = len(list(folder.iterdir()))
    section = Section(
        "Near copies, and searching a folder",
        f"{count - len(truth):,} photographs in one folder, half of landmarks and half of LFW, and copies of "
        f"{len(truth):,} of them, a sixth of each kind; no side is longer than 640 pixels. Each tool works at "
        "its own threshold, if it has one, and starts from nothing; ours embeds every photograph (`things`) and keeps "
        "a catalog that can be searched, the others compare hashes and keep nothing.",
        [OURS],
        [OURS, HASHES, DEDUP, NETWORK, RCLIP],
        machine=machine(),
    )
    catalog, indexed = _index(folder, options)
    runs: dict[str, Callable[[], tuple[list[tuple[str, str]], Used]]] = {
        OURS: lambda: _ours(catalog, indexed),
        HASHES: lambda: _tool("imagehash", "copies_imagehash.py", {}, folder, options),
        DEDUP: lambda: _tool("imagededup", "copies_imagededup.py", {"method": "hash"}, folder, options),
        NETWORK: lambda: _tool("imagededup", "copies_imagededup.py", {"method": "network"}, folder, options),
    }
    found, used = {}, {}
    for tool, run in runs.items():
        print(f"near copies by {tool}", flush=True)
        try:
            found[tool], used[tool] = run()
        except CannotRun as problem:
            section.cannot[tool] = f"{NEEDS.get(tool, 'did not run')}: {problem}"
    for kind in KINDS:
        wanted = {pair for pair, of in truth.items() if of == kind}
        shares = {tool: round(len(wanted & set(pairs)) / len(wanted), 3) for tool, pairs in found.items()}
        section.add("copies found", kind, "higher", "%", shares)
    wrong = {tool: len(set(pairs) - set(truth)) for tool, pairs in found.items()}
    section.add("copies", "false pairs", "lower", "", wrong)
    section.add(
        "copies",
        "folder to groups, processor time",
        "lower",
        "s",
        {tool: taken.processor for tool, taken in used.items()},
    )
    section.add("copies", "most memory", "lower", "MB", {tool: round(taken.peak_mb) for tool, taken in used.items()})
    section.add("copies", "lines that a user writes", "lower", "", {tool: lines()[tool] for tool in found})
    _search(section, folder, catalog, indexed, options)
    section.notes += [
        "imagehash gives distances and no threshold: joined is what differs in 10 bits of 64 or fewer, as imagededup "
        "does by itself.",
        "False pairs: joined, though neither is a copy of the other. Photographs that were there twice "
        "before would count among them.",
        "imagehash and imagededup compare all with all and have no search of their own. Nothing of ours is searched "
        "by words, which is what rclip is for.",
    ]
    section.versions = {
        HASHES: versions("imagehash", "ImageHash"),
        DEDUP: versions("imagededup", "imagededup", "torch", "torchvision"),
        RCLIP: versions("rclip", "rclip"),
    }
    return section


def make_folder(data: Path, folder: Path, count: int, seed: int) -> dict[tuple[str, str], str]:
    """Photographs and, of two fifths, a copy beside them; pairs of names in order, with the kind of copy."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name in ("landmarks", "lfw"):
        all_files = sorted((data / name).glob("*/*.jpg"))
        files += [all_files[row] for row in rng.permutation(len(all_files))[: count // 2]]
    kinds, truth = list(KINDS), {}
    copied = set(rng.permutation(len(files))[: 2 * len(files) // 5].tolist())
    for row, file in enumerate(files):
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        image.thumbnail((640, 640))
        name = f"{row:05}.jpg"
        image.save(folder / name, quality=90)
        if row in copied:
            kind = kinds[len(truth) % len(kinds)]
            changed, quality = KINDS[kind](image)
            changed.save(folder / f"{row:05}-copy.jpg", quality=quality)
            truth[f"{row:05}-copy.jpg", name] = kind
    return truth


def lines() -> dict[str, int]:
    """Lines of code, or of commands, until there are groups."""
    return {
        OURS: 2,
        HASHES: written_lines(TOOLS / "copies_imagehash.py"),
        DEDUP: written_lines(TOOLS / "copies_imagededup.py"),
        NETWORK: written_lines(TOOLS / "copies_imagededup.py"),
    }


def _command(*words: str, folder: Path) -> Used:
    return measured(
        [sys.executable, "-m", "doppelgram", *words],
        folder,
        PYTHONPATH=str(SOURCES),
        DOPPELGRAM_CACHE=str(folder / "cache"),
    )


def _together(*parts: Used) -> Used:
    return Used(
        sum(part.seconds for part in parts), sum(part.processor for part in parts), max(part.peak_mb for part in parts)
    )


def _index(folder: Path, options: Any) -> tuple[Path, Used]:
    """Our catalog of the folder, and what making it took."""
    out = options.scratch / "copies-ours"
    out.mkdir(parents=True, exist_ok=True)
    catalog = out / "catalog"
    return catalog, _command("index", str(folder), "--catalog", str(catalog), folder=out)


def _ours(catalog: Path, indexed: Used) -> tuple[list[tuple[str, str]], Used]:
    out = catalog.parent
    grouped = _command("duplicates", str(catalog), "--csv", str(out / "groups.csv"), folder=out)
    members: dict[str, list[str]] = {}
    with (out / "groups.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            members.setdefault(row["group"], []).append(Path(row["path"]).name)
    pairs = [_pair(*two) for names in members.values() for two in combinations(names, 2)]
    return pairs, _together(indexed, grouped)


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _tool(
    name: str, script: str, job: Mapping[str, Any], folder: Path, options: Any
) -> tuple[list[tuple[str, str]], Used]:
    python = environment(name, options.peers)
    out = options.scratch / f"copies-{script.removesuffix('.py')}-{job.get('method', '')}"
    answer, used = run_tool(python, script, {**job, "folder": str(folder)}, out)
    return [_pair(*two) for two in answer["pairs"]], used


def _search(section: Section, folder: Path, catalog: Path, indexed: Used, options: Any) -> None:
    """From the folder to the first answer, by a photograph, ours; and rclip, which searches by words or photographs."""
    photograph = str(sorted(folder.iterdir())[0])
    answered = _command("search", str(catalog), photograph, "--json", folder=catalog.parent)
    cells: dict[str, dict[str, Any]] = {
        OURS: {"first": round(indexed.seconds + answered.seconds, 1), "next": answered.seconds, "commands": 2}
    }
    try:
        python = environment("rclip", options.peers)
        aside = options.scratch / "rclip"
        aside.mkdir(parents=True, exist_ok=True)
        (aside / "job.json").write_text(json.dumps({}), encoding="utf-8")
        first = measured([str(python.parent / "rclip"), "-f", "-t", "5", photograph], aside, cwd=folder)
        again = measured([str(python.parent / "rclip"), "-f", "-n", "-t", "5", photograph], aside, cwd=folder)
        cells[RCLIP] = {"first": first.seconds, "next": again.seconds, "commands": 1}
    except CannotRun as problem:
        section.cannot[RCLIP] = f"{NEEDS[RCLIP]}: {problem}"
    none = dict.fromkeys((HASHES, DEDUP, NETWORK), NO_SEARCH)
    for measure, unit, key in (
        ("folder to first answer, by the clock", "s", "first"),
        ("next answer, a new process, by the clock", "s", "next"),
        ("commands", "", "commands"),
    ):
        section.add("search", measure, "lower", unit, {**none, **{tool: cell[key] for tool, cell in cells.items()}})
