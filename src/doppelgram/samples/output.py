"""Writing a rendered folder so that a second run replaces the first one and touches nothing else."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doppelgram.errors import DoppelgramError

MARKER = ".world.json"


@contextmanager
def fresh(out: Path) -> Iterator[Path]:
    """A staging folder inside ``out``, whose contents move into ``out`` when the block ends without an error.

    What an earlier run put there (it is listed in a marker file) is replaced; anything else stays.

    Raises:
        DoppelgramError: ``out`` is a file, or holds something of somebody else's under a name that is needed.
    """
    if out.exists() and not out.is_dir():
        raise DoppelgramError(f"{out} is a file; give a folder to render the sample world into")
    out.mkdir(parents=True, exist_ok=True)
    staging = out / ".rendering"
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir()
    try:
        yield staging
        _publish(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _publish(staging: Path, out: Path) -> None:
    names = sorted(entry.name for entry in staging.iterdir())
    marker = out / MARKER
    try:
        mine = set(json.loads(marker.read_text(encoding="utf-8"))["entries"]) if marker.exists() else set()
    except (ValueError, KeyError, TypeError):
        mine = set()
    for name in names:
        if (out / name).exists() and name not in mine:
            raise DoppelgramError(f"{out / name} exists and was not rendered here; choose an empty folder")
    for name in sorted(mine):
        # a name from the marker must be a plain entry of this folder before anything is deleted
        if not name or name in {".", ".."} or Path(name).name != name:
            continue
        entry = out / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    marker.write_text(json.dumps({"entries": names}) + "\n", encoding="utf-8")
    for name in names:
        (staging / name).rename(out / name)
