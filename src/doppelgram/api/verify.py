"""Say whether two photographs show the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from doppelgram.api.chosen import chosen_model
from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.files import keep_inputs
from doppelgram.images.face_framing import ALL
from doppelgram.models.bundle import load_model
from doppelgram.models.embed_files import embed_files
from doppelgram.models.verdict import Verdict
from doppelgram.reports.crops import (
    asked_detector,
    check_png,
    draw_model_crops,
    faces_report,
    tell_faces,
)
from doppelgram.reports.verdict_picture import draw_verdict
from doppelgram.saliency.pair import pair_saliency
from doppelgram.space.space import unknown_notes, unknown_parts
from doppelgram.training.run import Run


def verify(
    image_a: Path | str,
    image_b: Path | str,
    *,
    model: Run | Path | str | None = None,
    crop: str = "",
    show_crops: Path | str | None = None,
    face: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Say whether two photographs show the same, as a model sees them.

    Args:
        image_a: a photograph.
        image_b: another.
        model: run, or its folder, a model folder, or the name of a ready-made model; ``things`` by default.
        crop: ``face`` (or ``face:NAME`` of a detector) to cut the largest face out of both.
        show_crops: PNG to draw them into, with what is cut from each.
        face: by a model of faces, which face of each is compared: ``largest`` (the default) or a number for both, or
            two with a comma between them.
        weights: as for `index`.
        keypoints: as for `index`; of both photographs.
        out: PNG to draw both photographs into, and which of their parts bring them together; see `compute_saliency`.
        progress: where remarks go; the terminal by default.

    Raises:
        DoppelgramError: no such model, or an image that cannot be read.
    """
    progress = progress or TerminalProgress()
    if out is not None:
        check_png(out)
    loaded = load_model(chosen_model(model, "things", progress), weights=weights, keypoints=keypoints)
    loaded = loaded.with_face(asked_detector(crop, show_crops, loaded))
    images = [Path(image).expanduser() for image in (image_a, image_b)]
    written = [Path(file).expanduser() for file in (show_crops, out) if file is not None]
    keep_inputs(written, images)
    first, second = (loaded.with_faces(which) for which in faces_of_both(face))
    files = [
        embed_files(model, [image], keep_duplicates=True, requested=True)
        for image, model in zip(images, (first, second), strict=True)
    ]
    for outcome in (outcome for file in files for outcome in file.report.problems()):
        raise DoppelgramError(f"{outcome.path}: {outcome.reason or outcome.status}")
    faces_a, faces_b = (file.faces[0] for file in files)
    tell_faces(progress, faces_report(images, [faces_a, faces_b]))
    if show_crops is not None:
        draw_model_crops(images, loaded, show_crops, progress)
    space = loaded.space
    vectors = np.concatenate([file.vectors for file in files])
    unknown = unknown_parts(space, vectors)
    for image, missing in zip((image_a, image_b), unknown, strict=True):
        for note in unknown_notes(image, missing):
            progress.warning(note)
    compared = space.compare(vectors[:1], vectors[1:])
    distance, threshold = float(compared.distance[0]), space.even
    verdict = Verdict(
        str(image_a),
        str(image_b),
        distance,
        None if compared.probability is None else float(compared.probability[0]),
        threshold,
        None if threshold is None else distance <= threshold,
        faces_a=faces_a,
        faces_b=faces_b,
        parts={name: float(part.probability[0]) for name, part in compared.parts.items()},
        unknown_a=unknown[0],
        unknown_b=unknown[1],
        face_a=files[0].shown[0],
        face_b=files[1].shown[0],
        picture=None if out is None else str(out),
    )
    if out is not None:
        found = pair_saliency((first, second), images, progress=progress)
        footer = f"Model {loaded.fingerprint[:8]} ({loaded.name or Path(str(model)).name})"
        draw_verdict(verdict, found, footer, Path(out).expanduser())
    return verdict


def faces_of_both(face: str) -> tuple[str, str]:
    """Which face of the first photograph, and which of the second."""
    if face.count(",") > 1:
        raise DoppelgramError(
            f"--face is '{face}'; verify compares one face of each photograph: give one number for both, or two, as 1,2"
        )
    first, comma, second = face.partition(",")
    if ALL in (first, second):
        raise DoppelgramError("--face all goes with search; verify compares one face of each: give two numbers, as 1,2")
    return first, second if comma else first
