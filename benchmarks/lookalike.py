"""The look-alike exercise on real photographs, cut down to an hour of one core: our figures beside the published ones.

Everything that ``doppelgram reproduce lookalike`` does, at 64x64 and with its losses, miners and sizes, but with our
small net in place of VGG16 and a bounded number of images a class. Kept are its tables; its page and pictures lie in
``--out``.

    python benchmarks/lookalike.py --data DIR     # DIR/signs, DIR/lfw, DIR/lfw62.txt
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path

from common import machine, write
from doppelgram.api.reproducing import reproduce_lookalike


def main() -> None:
    """Run the exercise and keep its tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds signs/, lfw/ and lfw62.txt")
    options.add_argument("--out", type=Path, help="folder for runs, pictures and the page; gone on with if it is there")
    options.add_argument("--images", type=int, default=40, help="most images of a class")
    options.add_argument("--epochs", type=int, default=10, help="of each training")
    given = options.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    page = reproduce_lookalike(
        given.data / "signs", given.data / "lfw", out, face_classes=given.data / "lfw62.txt", quick=True,
        most_images=given.images, epochs=given.epochs,
    )  # fmt: skip
    report = page.with_suffix(".md").read_text(encoding="utf-8")
    # Without its pictures, their captions and the headings that are left with nothing below them.
    kept = re.sub(r"!\[.*\]\(.*\)\n\n\*.*\*\n+", "", report)
    kept = re.sub(r"(?m)^### [^\n]*\n+(?=#|\Z)", "", kept)
    command = (
        "doppelgram reproduce lookalike --signs DIR/signs --faces DIR/lfw --face-classes DIR/lfw62.txt --out OUT "
        f"--quick --images {given.images} --epochs {given.epochs}"
    )
    title, _, rest = kept.partition("\n")
    text = (
        f"{title}\n\n`python benchmarks/lookalike.py --data DIR --images {given.images} --epochs "
        f"{given.epochs}`, which is `{command}`. {machine()['cores']} cores ({machine()['processor']}).\n{rest}"
    )
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    shown = {key: settings[key] for key in ("backbone", "epochs", "most_images", "dims", "seed")}
    figures = {
        folder.name: json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        for folder in sorted((out / "evaluations").iterdir())
    }
    write("reproduce-lookalike", {"machine": machine(), "settings": shown, "figures": figures}, text)


if __name__ == "__main__":
    main()
