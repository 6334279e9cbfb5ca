"""The look-alike exercise on real photographs, cut down: our figures beside the published ones.

Everything that ``doppelgram reproduce lookalike`` does, from scratch, at 64x64 and with its losses, miners and sizes,
but with our small net in place of VGG16 and on at most 40 images of a class. Kept are its tables; its page and pictures
lie in ``--out``. ``--whole`` trains what the exercise trained, on all images, which takes a night.

    python benchmarks/lookalike.py --data DIR     # DIR/signs, DIR/lfw, DIR/lfw62.txt
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path

from common import machine, write
from doppelgram.studies.lookalike.reproduce import reproduce_lookalike

SMALL = ("model.backbone=small", "optimiser.lr=0.002")
MOST = 40


def main() -> None:
    """Run the exercise and keep its tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="folder that holds signs/, lfw/ and lfw62.txt")
    options.add_argument("--out", type=Path, help="folder for runs, pictures and the page; resumed if it is there")
    options.add_argument("--whole", action="store_true", help="VGG16, on all images")
    given = options.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    changes = () if given.whole else SMALL
    page = reproduce_lookalike(
        given.data / "signs",
        given.data / "lfw",
        out,
        face_classes=given.data / "lfw62.txt",
        overrides=changes,
        most_images=None if given.whole else MOST,
    )
    report = page.with_suffix(".md").read_text(encoding="utf-8")
    # Without its pictures, their captions and the headings that are left with nothing below them.
    kept = re.sub(r"!\[.*\]\(.*\)\n\n\*.*\*\n+", "", report)
    kept = re.sub(r"(?m)^### [^\n]*\n+(?=#|\Z)", "", kept)
    command = (
        "doppelgram reproduce lookalike --signs DIR/signs --faces DIR/lfw --face-classes DIR/lfw62.txt "
        "--out OUT" + f" --images {MOST}" * (not given.whole) + "".join(f" --set {change}" for change in changes)
    )
    title, _, rest = kept.partition("\n")
    text = (
        f"{title}\n\n`python benchmarks/lookalike.py --data DIR{' --whole' * given.whole}`, which is "
        f"`{command}`. {machine()['cores']} cores ({machine()['processor']}).\n{rest}"
    )
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    shown = {key: settings[key] for key in ("backbone", "epochs", "most_images", "set", "dims", "seed")}
    figures = {
        folder.name: json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        for folder in sorted((out / "evaluations").iterdir())
    }
    write("reproduce-lookalike", {"machine": machine(), "settings": shown, "figures": figures}, text)


if __name__ == "__main__":
    main()
