"""The images that a model gets most wrong, for a person who wants to clean the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from doppelgram.api.chosen import chosen_model
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.collection import embed_collection
from doppelgram.files import keep_inputs
from doppelgram.label_errors.duplicates import copies
from doppelgram.label_errors.find import find_label_errors
from doppelgram.label_errors.findings import LabelErrors, findings_of, write_csv
from doppelgram.label_errors.images import appearance_of, images_and_parts
from doppelgram.label_errors.neighbourhood import LabelledImages
from doppelgram.models.bundle import load_model
from doppelgram.models.ready_made.registry import ready_made
from doppelgram.reports.contact_sheet import draw_contact_sheet
from doppelgram.reports.label_errors import sections as sheet_sections
from doppelgram.training.run import Run


def list_label_errors(
    run: Run | Path | str | None,
    data: Collection | Path | str | None = None,
    *,
    part: str = "all",
    out: Path | str | None = None,
    csv: Path | str | None = None,
    most: int = 40,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> LabelErrors:
    """Find suspected label errors, copies, wrong pairs and outliers with a trained model.

    Args:
        run: run or its folder, or if ``data`` is given a model folder or the name of a ready-made model, by default
            ``things``.
        data: labelled images, a folder, a table or a collection; by default all images of the run.
        part: ``train``, ``val`` or ``test`` reports on that part of the run alone (all others still are neighbours).
        out: PNG for a contact sheet.
        csv: CSV for all findings.
        most: findings on the contact sheet, shared out among the categories.
        weights: for a model of places and poses: folder in which what finds people is looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: no such model or images, a part that is not there, or a file that cannot be written.
    """
    progress = progress or TerminalProgress()
    if run is None and data is None:
        raise DoppelgramError("name labelled images, or a run with --model")
    run = chosen_model(run, "things", progress)
    name = ready_made(run)
    if name and data is None:
        raise DoppelgramError(f"the ready-made model '{name}' has no images of its own; give DATA")
    out, csv = (Path(file).expanduser() if file is not None else None for file in (out, csv))
    if out is not None and out.suffix.lower() != ".png":
        raise DoppelgramError(f"{out}: a contact sheet is a PNG; let its name end in .png")
    if part not in ("all", "train", "val", "test"):
        raise DoppelgramError(f"--part is '{part}'; it is train, val, test or all")
    if most < 1:
        raise DoppelgramError(f"-n is {most}; ask for 1 finding or more")
    model = load_model(run, weights=weights, keypoints=keypoints)
    run = Path(run).expanduser()
    collection, parts = images_and_parts(run, data, part, str(model.recipe.get("data", {}).get("label", "")))
    keep_inputs(
        [file for file in (out, csv) if file is not None], [Path(str(run if data is None else data)), *collection.paths]
    )
    part_of = dict(zip(collection.names, parts.tolist(), strict=True))
    # Copies are what is looked for here, so they are kept.
    found = embed_collection(model, collection, progress, keep_duplicates=True, note=appearance_of)
    collection = found.collection
    parts = np.array([part_of[name] for name in collection.names], dtype=np.str_)
    requested = None if part == "all" else parts == part
    space = found.space.adapted(found.vectors)
    images = LabelledImages(space, found.vectors, collection.labels, found.hashes, parts, requested)
    errors = find_label_errors(images, copies(found.hashes, np.stack(found.notes)))
    notes = []
    if (np.isin(parts, ("train", "extra"))).any():
        notes.append(
            "Training draws an image to the others of its label, so errors among training images hide; "
            "to bring more of them out, train on the other parts or stop earlier."
        )
    answer = LabelErrors(len(collection), findings_of(errors, collection, parts), notes)
    if csv is not None:
        write_csv(answer.findings, csv)
    if out is not None:
        subtitle = f"{len(collection):,} images of {run}" + (f", the {part} part" if part != "all" else "")
        sections = sheet_sections(errors, collection, parts, most)
        draw_contact_sheet("What the metric gets most wrong", subtitle, sections, out)
    return answer
