"""Which part of its training each photograph of a catalog belongs to, where the run of its model is at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from doppelgram.catalog.folder import MODEL_FOLDER
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.splits import read_split
from doppelgram.errors import DoppelgramError
from doppelgram.models.format import DESCRIPTION_FILE
from doppelgram.teaching.learn import RUN_FOLDER
from doppelgram.training.history import find_runs
from doppelgram.training.run import SPLIT_FILE


def split_of(catalog: Catalog, runs: Path | None) -> Mapping[str, str]:
    """The part by the name of a photograph: ``train``, ``val``, ``test`` or ``extra``; empty where no run is known.

    The run is the one that teaching keeps beside a catalog that it trained, or one of the trainings that are watched,
    whose model has the catalog's fingerprint.

    Args:
        catalog: that is looked at.
        runs: folder of trainings.
    """
    for run in (catalog.folder.parent / RUN_FOLDER, *(find_runs(runs).values() if runs else ())):
        try:
            model = json.loads((run / MODEL_FOLDER / DESCRIPTION_FILE).read_text(encoding="utf-8"))
            if model["fingerprint"] == catalog.fingerprint:
                return read_split(run / SPLIT_FILE).parts
        except (OSError, ValueError, KeyError, TypeError, DoppelgramError):  # a run that is not finished, or damaged
            continue
    return {}
