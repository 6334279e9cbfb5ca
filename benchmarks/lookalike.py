"""The look-alike exercise on real photographs, whole: our figures beside the published ones.

Everything that ``doppelgram reproduce lookalike`` does: VGG16 and our small net from random weights at 64x64,
contrastive and triplet loss, random, semi-hard and batch-hard mining, 2 to 64 dimensions, and the questions of the
exercise answered from the figures. Interrupted, it is resumed by the same call with ``--out``.

The report becomes ``docs/NAME.md``, with maps of points in ``docs/NAME/``. The whole report with all maps and
the look-alikes themselves, which show photographs, stays in ``--out``.

    python benchmarks/lookalike.py --data DIR [--out DIR] [--name NAME]     # DIR/signs, DIR/lfw, DIR/lfw62.txt
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from common import machine
from doppelgram.studies.lookalike.plan import FULL
from doppelgram.studies.lookalike.reproduce import reproduce_lookalike

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 900  # pixels of a kept map
COLOURS = 64  # of its palette


def main() -> None:
    """Run the exercise, and keep its tables, answers and the maps of points."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds signs/, lfw/ and lfw62.txt")
    options.add_argument("--out", type=Path, help="folder for runs, pictures and the page; resumed if it is there")
    options.add_argument("--epochs", type=int, default=FULL.epochs, help="of each training (default %(default)s)")
    options.add_argument("--images", type=int, default=0, help="at most so many a class (default: all)")
    options.add_argument("--backbone", action="append", default=[], help="network; can be repeated")
    options.add_argument("--set", action="append", default=[], help="change to every recipe, as the command has it")
    options.add_argument("--name", default="lookalike", help="of the result and the page (default %(default)s)")
    given = options.parse_args()
    facts = machine()
    out = given.out or Path(tempfile.mkdtemp())
    backbones = given.backbone or FULL.backbones
    page = reproduce_lookalike(
        given.data / "signs",
        given.data / "lfw",
        out,
        face_classes=given.data / "lfw62.txt",
        epochs=given.epochs,
        most_images=given.images,
        backbones=backbones,
        overrides=given.set,
    )
    result, written = ROOT / f"benchmarks/results/{given.name}.json", ROOT / f"docs/{given.name}.md"
    result.write_text(json.dumps({"machine": facts, **figures(out)}, indent=1) + "\n", encoding="utf-8")
    text = kept_report(page.with_suffix(".md").read_text(encoding="utf-8"), out, ROOT / "docs" / given.name)
    title, _, rest = text.partition("\n")
    written.write_text(
        f"{title}\n\nMade by `python benchmarks/lookalike.py --data DIR{changes(given)}`, which is\n"
        "`doppelgram reproduce lookalike --signs DIR/signs --faces DIR/lfw --face-classes DIR/lfw62.txt --out OUT"
        f"{changes(given)}`.\n"
        f"{facts['cores']} cores ({facts['processor']}). The look-alikes themselves show photographs that are not "
        f"part of this\nrepository; the command writes them, and all maps, to `OUT/report.html`.\n{rest}",
        encoding="utf-8",
    )
    print(written.read_text(encoding="utf-8"))


def changes(given: argparse.Namespace) -> str:
    """The options that decide the figures, as this script and the command both have them."""
    words = [f"--epochs {given.epochs}"]
    words += [f"--images {given.images}"] if given.images else []
    words += [f"--backbone {name}" for name in given.backbone] + [f"--set {change}" for change in given.set]
    return "".join(f" {word}" for word in words)


def figures(out: Path) -> dict[str, Any]:
    """Settings, and the metrics of every network."""
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    shown = {key: settings[key] for key in ("backbones", "epochs", "most_images", "set", "dims", "seed")}
    found = {
        folder.name: json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        for folder in sorted((out / "evaluations").iterdir())
    }
    return {"settings": shown, "figures": found}


def kept_report(report: str, out: Path, pictures: Path) -> str:
    """The report with its maps of 2 and of 64 dimensions, made small, and without the pictures of photographs."""
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()

    def picture(match: re.Match[str]) -> str:
        file = out / match["file"]
        # Maps of 2 dimensions, and those of 64, whose names have no size.
        if "look-alikes" in file.name or re.search(r"-dim(?!2-)\d+-", file.name):
            return ""
        with Image.open(file) as opened:
            small = opened.convert("RGB").resize((WIDTH, round(WIDTH * opened.height / opened.width)), Image.LANCZOS)
        small.quantize(COLOURS).save(pictures / file.name, optimize=True)
        return f"![{match['title']}]({pictures.name}/{file.name})\n\n*{match['caption']}*\n\n"

    kept = re.sub(
        r"!\[(?P<title>.*)\]\((?P<file>.*)\)\n\n\*(?P<caption>.*)\*\n+", picture, report.rstrip("\n") + "\n\n"
    )
    # Headings that are left with nothing below them.
    return re.sub(r"(?m)^### [^\n]*\n+(?=#|\Z)", "", kept).rstrip("\n") + "\n"


if __name__ == "__main__":
    main()
