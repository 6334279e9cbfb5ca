"""The project beside the tools that people would pick instead, and docs/peers.md.

    python benchmarks/peers/run.py --data DIR --weights DIR --peers DIR [--only training,faces,copies,arrangements]

``--peers`` is the folder of the tools' environments: each is installed on first use, from a file with exact versions,
and nothing is fetched afterwards. All of it runs on one processor, ours like the others. ``--small`` is a trial with a
few images; it writes no results unless ``--out`` is given.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import document  # noqa: E402
from section import ORDER, RESULTS, read_section  # noqa: E402

TASKS = ("signs", "faces")
MODULES = {"training": "training", "faces": "people", "copies": "copies", "arrangements": "arrangements"}


def main() -> None:
    """Run the comparisons asked for, write results and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of signs/, lfw/, landmarks/, posts/, posts_views/"
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--peers", type=Path, required=True, help="folder of the tools' environments")
    parser.add_argument("--only", default=",".join(ORDER), help="comparisons, separated by commas")
    parser.add_argument("--scratch", type=Path, help="keep what the tools wrote here; has to be new")
    parser.add_argument("--small", action="store_true", help="a trial with a few images")
    parser.add_argument(
        "--per-class", type=int, default=24, help="images of a sign trained on; of a person, half of it"
    )
    parser.add_argument("--epochs", type=int, default=12, help="of each training")
    parser.add_argument("--tasks", default=",".join(TASKS), help="what is trained on; results of others stay")
    parser.add_argument("--out", type=Path, help="folder for the results instead of benchmarks/results")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for option, asked, known in (("--only", given.only, ORDER), ("--tasks", given.tasks, TASKS)):
        if unknown := sorted(set(asked.split(",")) - set(known)):
            parser.error(f"{option}: there is no '{unknown[0]}'; there are {', '.join(known)}")
    for name in ("data", "weights", "peers"):
        setattr(given, name, getattr(given, name).expanduser().resolve())
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as temporary:
        given.scratch = (given.scratch or Path(temporary)).resolve()
        # What was found on these photographs before must not be found for nothing.
        os.environ["DOPPELGRAM_CACHE"] = str(given.scratch / "cache")
        for name in given.only.split(","):
            section = importlib.import_module(MODULES[name]).compare(given)
            if given.out or not given.small:
                kept = (given.out or RESULTS) / f"peers-{name}.json"
                if kept.is_file():
                    section.take_over(read_section(kept))
                section.write(name, given.out or RESULTS)
            print(
                "\n".join([section.title, *document.table(section), *(f"{a}: {b}" for a, b in section.cannot.items())])
            )
            print("\n".join(section.notes))
    if not given.out and not given.small:
        document.main()


if __name__ == "__main__":
    main()
