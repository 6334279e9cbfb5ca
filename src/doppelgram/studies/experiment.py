"""The folder of a long experiment: its settings are written down, and only the same settings may resume it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole

SETTINGS_FILE = "settings.json"


def open_experiment(
    out: Path, settings: Mapping[str, Any], *, results: Sequence[str], prepared: Sequence[str] = ()
) -> None:
    """Create the folder, or check that it has the same settings; these may change while there are no results.

    Args:
        out: the folder.
        settings: JSON-ready values.
        results: names of its folders that hold expensive results.
        prepared: names of its folders that follow from the settings; they are removed when the settings change.

    Raises:
        DoppelgramError: the folder holds something else, or results of other settings.
    """
    file = out / SETTINGS_FILE
    if file.is_file():
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise DoppelgramError(f"{file}: is damaged; choose another --out") from None
        # Another program's file may have the same name; its folder is not ours to clear.
        if not isinstance(before, dict) or set(before) != set(settings):
            raise DoppelgramError(
                f"{out}: holds something else, or was started by another version; choose another --out"
            )
        differing = sorted(key for key in settings if before[key] != settings[key])
        if not differing:
            return
        if any((out / name).exists() for name in results):
            raise DoppelgramError(
                f"{out}: was started with other settings ({', '.join(differing)}); repeat them or choose another --out"
            )
        for name in prepared:
            shutil.rmtree(out / name, ignore_errors=True)
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DoppelgramError(f"{out}: holds something else; choose another --out")
    with written_whole(file) as aside:
        aside.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
