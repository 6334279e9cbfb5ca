"""Two rows of a catalog compared by their vectors alone, where a photograph itself is gone."""

from __future__ import annotations

from typing import Any

from doppelgram.numbers import probability
from doppelgram.pose.findings import summary
from doppelgram.space.exact import Float32
from doppelgram.space.space import Space, unknown_parts

NO_FILE = (
    "Skeletons, what people cover and matched points are worked out from the photographs themselves. Put the missing "
    "one back where it was, or index it from where it is now, to see them."
)


def compared_by_vectors(space: Space, a: Float32, b: Float32) -> dict[str, Any]:
    """What the vectors of two photographs say, as `doppelgram.web.pairs.compared` says it.

    Args:
        space: of the model that made them.
        a: float32 (1, dim).
        b: likewise.
    """
    found = space.compare(a, b)
    distance, even = float(found.distance[0]), space.even
    chance = None if found.probability is None else float(found.probability[0])
    same = None if even is None else distance <= even
    unknown = {*unknown_parts(space, a)[0], *unknown_parts(space, b)[0]}
    parts = {name: float(part.probability[0]) for name, part in found.parts.items()}
    why = [f"The photographs lie {distance:.3f} apart by what the catalog keeps of them."]
    for name, share in parts.items():
        likely = probability(share)
        said = f"counts as unknown, which is taken as {likely}" if name in unknown else f"{likely} likely the same"
        why.append(f"{name.capitalize()}: {said}.")
    threshold = None if even is None else 1 - even if parts else 0.5
    if threshold is not None and chance is not None:
        why.append(f"Together: {probability(chance)}. From {probability(threshold)} on they count as the same.")
    verdict = {True: "Probably the same", False: "Probably different", None: "Not judged: no calibration"}[same]
    if same is not None and parts:
        verdict = summary(same, parts["place"], None if "pose" in unknown else parts["pose"])
    return {
        "verdict": verdict,
        "same": same,
        "probability": chance,
        "threshold": threshold,
        "distance": distance,
        "parts": parts,
        "why": why,
        "sides": [{"people": [], "shown": None, "covered": []} for _ in range(2)],
        "joints": [],
        "limbs": [],
        "mirrored": False,
        "lines": [],
        "missing": NO_FILE,
    }
