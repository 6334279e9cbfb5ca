"""Which parts of two photographs bring them together, as maps."""

from __future__ import annotations

from pathlib import Path

from doppelgram.api.chosen import chosen_model
from doppelgram.api.verify import faces_of_both
from doppelgram.console import Progress, TerminalProgress
from doppelgram.models.bundle import load_model
from doppelgram.saliency.maps import PairSaliency
from doppelgram.saliency.pair import pair_saliency
from doppelgram.training.run import Run


def compute_saliency(
    image_a: Path | str,
    image_b: Path | str,
    *,
    model: Run | Path | str | None = None,
    method: str = "",
    face: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> PairSaliency:
    """Which parts of two photographs bring them together, as a model sees them.

    Args:
        image_a: a photograph.
        image_b: another.
        model: as for `verify`.
        method: ``grad-cam`` or ``occlusion``; by default the first where the model's networks allow it.
        face: as for `verify`.
        weights: as for `index`.
        keypoints: as for `index`; of both photographs.
        progress: where occlusion, which takes long, shows how far it is; the terminal by default.

    Raises:
        DoppelgramError: no such model or method, or an image that cannot be read.
    """
    progress = progress or TerminalProgress()
    loaded = load_model(chosen_model(model, "things", progress), weights=weights, keypoints=keypoints)
    first, second = (loaded.with_faces(which) for which in faces_of_both(face))
    paths = [Path(image).expanduser() for image in (image_a, image_b)]
    return pair_saliency((first, second), paths, method=method, progress=progress)
