"""The demo's first answer: a ready-made model, no label and no training."""

from __future__ import annotations

from pathlib import Path

from doppelgram.api.index import index
from doppelgram.api.search import search
from doppelgram.console import Progress
from doppelgram.dataset.read import read_collection
from doppelgram.models.ready_made.registry import READY_MADE
from doppelgram.weights import command_for

MODEL = "things"
# Photographs that are looked through: enough for an answer, few enough for seconds.
_COUNT = 96


def first_answer(images: Path, catalog: Path, montage: Path, progress: Progress) -> bool:
    """Find look-alikes among some rendered images by a ready-made model; false where its weights are not here.

    Args:
        images: folder of labelled images; their labels are not looked at.
        catalog: where the catalog is made.
        montage: PNG to draw the look-alikes into.
        progress: where progress is shown.
    """
    if missing := READY_MADE[MODEL].missing():
        progress.note(f"  left out: the ready-made model '{MODEL}' is not here; {command_for(missing)}")
        return False
    collection = read_collection(images)
    some = collection.take(range(0, len(collection), max(1, len(collection) // _COUNT)))
    index(some, MODEL, catalog, progress=progress)
    search(catalog, list(some.paths[:: max(1, len(some) // 4)][:4]), 6, montage=montage, progress=progress)
    progress.note(
        "  Its probabilities are fitted on photographs of landmarks and say too much of signs; training mends that."
    )
    return True


def next_commands() -> tuple[str, ...]:
    """What to type next for one's own photographs."""
    return (
        "doppelgram serve PHOTOS",
        "doppelgram index PHOTOS --catalog catalog",
        "doppelgram search catalog PHOTO.jpg --montage look-alikes.png",
        "doppelgram trace POSTS --out traced",
    )
