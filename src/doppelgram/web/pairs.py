"""Two photographs side by side: what the page draws over them, and the verdict in words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.models.arrangement import require_arrangement
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.numbers import probability
from doppelgram.pose.normalise import normalised
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import KEYPOINT_NAMES, mirrored, present
from doppelgram.reports.pair import SeenPhotograph, by_model, compared_by, with_view
from doppelgram.view.finder import asked_view

if TYPE_CHECKING:
    from doppelgram.view.finder import ViewFinder
    from doppelgram.view.same_view import SameView

# Cells along the longer side of what is covered: enough for a veil over a photograph.
_CELLS = 64


def compared(model: Embedder, faces: str, a: Path, b: Path, *, weights: Path | None = None) -> dict[str, Any]:
    """What two photographs have in common, ready for JSON.

    Args:
        model: of any kind.
        faces: which faces the catalog holds.
        a: a photograph.
        b: another.
        weights: folder in which weights are looked up first.

    Returns:
        ``verdict``, ``same``, ``probability``, ``threshold`` (a probability), ``distance``, ``parts``, ``why``
        (sentences), ``sides`` (for each photograph ``people``, ``shown`` and ``covered``), ``joints`` (of the two
        people that were compared: name and distance in lengths of the torso), ``limbs`` (name and degrees),
        ``mirrored``, ``lines`` (x and y in the first photograph, x and y in the second, as shares).
    """
    if model.space.parts:
        return _by_place_and_pose(model, a, b, weights)
    return _as_a_whole(model, faces, a, b)


def _as_a_whole(model: Embedder, faces: str, a: Path, b: Path) -> dict[str, Any]:
    files = embed_files(model, [a, b], keep_duplicates=True, requested=True)
    found = model.space.compare(files.vectors[:1], files.vectors[1:])
    distance, even = float(found.distance[0]), model.space.even
    chance = None if found.probability is None else float(found.probability[0])
    why = [f"The photographs lie {distance:.3f} apart."]
    if even is not None and chance is not None:
        why.append(f"At {even:.3f} same and different would be equally likely; {probability(chance)} likely the same.")
    same = None if even is None else distance <= even
    verdict = {True: "Probably the same", False: "Probably different", None: "Not judged: no calibration"}[same]
    return {
        "verdict": verdict,
        "same": same,
        "probability": chance,
        "threshold": None if even is None else 0.5,
        "distance": distance,
        "parts": {},
        "why": why,
        "sides": [{"people": [], "shown": None, "covered": []} for _ in range(2)],
        "joints": [],
        "limbs": [],
        "mirrored": False,
        "lines": [],
    }


def _by_place_and_pose(model: Embedder, a: Path, b: Path, weights: Path | None) -> dict[str, Any]:
    arrangement = require_arrangement(model, "this model compares whole images")
    photographs, result = compared_by(arrangement, [a, b], ["the first photograph", "the second photograph"])
    answer, _, which = by_model(arrangement, photographs, result)
    views = _views(weights)
    lines: list[list[float]] = []
    if views is not None:
        view = views.compare([(a, b)])[0]
        if view is not None:
            answer = with_view(answer, view, asked=False)
            lines = _lines(view)
    return {
        "verdict": answer.verdict,
        "same": answer.same,
        "probability": answer.probability,
        "threshold": answer.threshold,
        "distance": float(result.distance[0]),
        "parts": {"place": answer.place_probability, "pose": answer.pose_probability},
        "why": answer.why,
        "sides": [_side(one, shown) for one, shown in zip(photographs, which, strict=True)],
        "joints": _joints(photographs, which, answer.mirrored),
        "limbs": [{"name": name, "degrees": round(degrees, 1)} for name, degrees in answer.limbs.items()],
        "mirrored": answer.mirrored,
        "lines": lines,
    }


@cache
def _views(weights: Path | None) -> ViewFinder | None:
    return asked_view(None, weights)


def _lines(view: SameView) -> list[list[float]]:
    return [[round(float(value), 4) for value in place.ravel()] for place in view.places] if view.said else []


def _side(photograph: SeenPhotograph, shown: int | None) -> dict[str, Any]:
    return {
        "people": skeletons(photograph.people),
        "shown": shown,
        "covered": _rows(photograph) if photograph.mask is not None else [],
    }


def skeletons(people: People) -> list[list[list[float] | None]]:
    """Each person's 18 keypoints as shares of the photograph's width and height; None where one is missing."""
    size = np.array([people.width, people.height], dtype=np.float64)
    return [
        [
            [round(float(x), 4), round(float(y), 4)] if known else None
            for (x, y), known in zip(person[:, :2] / size, present(person), strict=True)
        ]
        for person in people.keypoints
    ]


def _rows(photograph: SeenPhotograph) -> list[str]:
    """Where people cover the place, as rows of 0 and 1."""
    assert photograph.mask is not None
    width, height = photograph.mask.width, photograph.mask.height
    scale = _CELLS / max(width, height)
    mask = photograph.mask.at(max(1, round(width * scale)), max(1, round(height * scale)))
    return ["".join("1" if cell else "0" for cell in row) for row in mask]


def _joints(
    photographs: Sequence[SeenPhotograph], which: tuple[int | None, int | None], turned: bool
) -> list[dict[str, Any]]:
    """How far each joint that both people show is from its partner, torsos laid over each other."""
    if which[0] is None or which[1] is None:
        return []
    first, second = (one.people.keypoints[number] for one, number in zip(photographs, which, strict=True))
    pair: NDArray[Any] = normalised(np.stack([first, mirrored(second) if turned else second]))
    known = present(pair[0]) & present(pair[1])
    far = np.linalg.norm(pair[0, :, :2] - pair[1, :, :2], axis=1)
    return [
        {"name": name, "distance": round(float(distance), 3)}
        for name, distance, shown in zip(KEYPOINT_NAMES, far, known, strict=True)
        if shown and np.isfinite(distance)
    ]
