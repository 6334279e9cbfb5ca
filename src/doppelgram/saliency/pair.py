"""What brings two photographs together, by whatever model: Grad-CAM where its networks allow it, else occlusion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.images.read import read_all
from doppelgram.models.arrangement import require_arrangement
from doppelgram.models.embedder import Embedder
from doppelgram.models.finder import people_in
from doppelgram.saliency.arrangement import Side, arrangement_saliency
from doppelgram.saliency.maps import GRAD_CAM, OCCLUSION, PairSaliency
from doppelgram.saliency.squares import square_saliency

METHODS = (GRAD_CAM, OCCLUSION)


def pair_saliency(
    models: tuple[Embedder, Embedder], paths: Sequence[Path], *, method: str = "", progress: Progress
) -> PairSaliency:
    """Which parts of two photographs bring them together.

    Args:
        models: with which either photograph is looked at: one model, or the same one for another face.
        paths: of both photographs.
        method: ``grad-cam`` or ``occlusion``; by default the first where the model's networks allow it.
        progress: gets a bar for occlusion, which takes long.

    Raises:
        DoppelgramError: a photograph cannot be read, there is no such method, or Grad-CAM is asked for where the model
            has no map of features.
    """
    if method not in ("", *METHODS):
        raise DoppelgramError(f"the method of a map is '{method}'; it is one of {', '.join(METHODS)}")
    model = models[0]
    if not model.space.parts:
        return square_saliency(models, paths, method=method, progress=progress)
    arrangement = require_arrangement(model, "there are no maps of what this model compares")
    arrangement.require_named(paths, every=True)
    photographs = read_all(paths, arrangement.want)
    vectors = arrangement.embed(photographs).vectors
    a, b = (
        Side(photograph.pixels, *people_in(photograph), vector)  # type: ignore[arg-type]  # pixels were asked for
        for photograph, vector in zip(photographs, vectors, strict=True)
    )
    return arrangement_saliency(arrangement, (a, b), method=method, progress=progress)
