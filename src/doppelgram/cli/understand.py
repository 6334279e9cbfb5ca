"""Commands that explain: map, errors, pose, compare-images, export-site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import (
    PRETRAINED,
    UNDERSTAND,
    Catalog,
    Json,
    Keypoints,
    Seed,
    Things,
    View,
    Weights,
    Where,
    argument,
    at_least,
    command,
    option,
    print_json,
    progress,
    say_written,
    switch,
)
from doppelgram.cli.spellings import refuse_model_as_data
from doppelgram.cli.tables import echo_paragraph, shorten, terminal_width

_KEPT = "Maps that are kept"
OwnData = Annotated[Path | None, argument("DATA", "Labelled images. By default the run's own.")]


@command(
    "map --model run --out map.html",
    "map photos --out map.png --method pca",
    "map catalog",
    name="map",
    panel=UNDERSTAND,
)
def map_(
    data: Annotated[str | None, argument("DATA", "Images, or a catalog. By default the images of the run.")] = None,
    model: Annotated[
        str | None,
        option(
            "RUN",
            "Run or model folder, or a ready-made model by name. A catalog has its own. By default things.",
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        option("FILE", "Page (.html) or picture (.png, .svg) to write. Can be repeated. By default map.html."),
    ] = None,
    method: Annotated[str, option("pca|tsne", "How the map is computed.")] = "tsne",
    perplexity: Annotated[float, option("X", "For t-SNE: about how many neighbours count as near.")] = 30.0,
    part: Annotated[
        list[str] | None, option("PART", "Part of the run's own images: train, val, test or extra. Can be repeated.")
    ] = None,
    by: Annotated[
        str, option("PART", "With a model of places and poses: draw joint, place or pose. By default joint.")
    ] = "",
    where: Where = "",
    title: Annotated[str, option("TEXT", "Title of the map.")] = "",
    projector: Annotated[Path | None, option("DIR", "Write files for TensorBoard's projector.")] = None,
    seed: Seed = 0,
    json_: Json = False,
    save: Annotated[Path | None, option("FILE", "Keep the map, to add images to it later.", panel=_KEPT)] = None,
    onto: Annotated[Path | None, option("FILE", "Use a map kept with --save.", panel=_KEPT)] = None,
    place: Annotated[
        Path | None, option("DATA", "Add these images to the map. The others do not move.", panel=_KEPT)
    ] = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Draw the embedding space: who is near whom, who is misclassified."""
    from doppelgram.api.map import draw_map
    from doppelgram.reports.map.parts import wrong_lines
    from doppelgram.storage.resolve import in_bucket

    given = data if data is None or in_bucket(data) else Path(data)  # as text, it could be a model's name
    refuse_model_as_data("map", given, model)
    source = model or given
    if source is None:
        raise typer.BadParameter("give DATA, a catalog, or --model RUN")
    files = out or ([] if projector or save else [Path("map.html")])
    found = draw_map(
        source,
        given if model else None,
        method=method,
        out=files,
        projector=projector,
        save=save,
        place=place,
        onto=onto,
        parts=part or (),
        by=by,
        where=where,
        weights=weights,
        keypoints=keypoints,
        seed=seed,
        perplexity=perplexity,
        title=title,
        progress=progress(),
    )
    written = [*files, *(path for path in (projector, save) if path)]
    if json_:
        print_json({**found.summary(), "files": [str(path) for path in written]})
        return
    typer.echo(wrong_lines(found))
    say_written(*written)
    if projector:
        typer.echo(f"look at it with: tensorboard --logdir {projector}", err=True)


@command("errors --model run --out errors.png", "errors photos --model run -n 100 --csv errors.csv", panel=UNDERSTAND)
def errors(
    data: OwnData = None,
    model: Things = None,
    part: Annotated[str, option("PART", "Part of the run's own images: train, val, test or all.")] = "all",
    out: Annotated[Path | None, option("PNG", "Draw a contact sheet.")] = None,
    csv: Annotated[Path | None, option("FILE", "Write all findings to a CSV file.")] = None,
    most: Annotated[
        int, option("N", "How many findings to show, of all kinds together.", "-n", check=at_least(1))
    ] = 40,
    json_: Json = False,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """List probable label errors, copies, wrong pairs and outliers."""
    from doppelgram.api.label_errors import list_label_errors
    from doppelgram.reports.label_errors import HEADINGS

    refuse_model_as_data("errors", data, None)
    answer = list_label_errors(
        model,
        data,
        part=part,
        out=out,
        csv=csv,
        most=most,
        weights=weights,
        keypoints=keypoints,
        progress=progress(),
    )
    if json_:
        facts = {"images": answer.images, "counts": answer.counts(), "notes": list(answer.notes)}
        print_json({**facts, "findings": [finding.to_dict() for finding in answer.findings]})
        return
    counts, shown = answer.counts(), answer.worst(most)
    for kind, (title, _) in HEADINGS.items():
        typer.echo(f"{title}: {counts[kind]:,}" if counts[kind] else f"{title}: none")
        for finding in shown:
            if finding.category == kind:
                where = f" [{finding.part}]" if finding.part else ""
                typer.echo(f"  {finding.score:.2f}  {shorten(finding.path, terminal_width() - 8 - len(where))}{where}")
                echo_paragraph(finding.reason, indent=8)
                if finding.other_path:
                    typer.echo(f"        beside {shorten(finding.other_path, terminal_width() - 15)}")
    for note in answer.notes:
        echo_paragraph(f"note: {note}")
    say_written(out, csv)


@command("pose photos --out poses.parquet --draw skeletons", "pose photo.jpg --out poses.parquet", panel=UNDERSTAND)
def pose(
    data: Annotated[Path, argument("DATA", "Folder of images, table (CSV, TSV, Parquet), or one photograph.")],
    out: Annotated[Path, option("FILE", "Table of keypoints to write (.parquet).")],
    draw: Annotated[Path | None, option("DIR", "Draw the skeletons over the photographs, into this folder.")] = None,
    cache: Annotated[
        Path | None, option("DIR", "Folder for answers, to reuse them. By default the user's cache.")
    ] = None,
    json_: Json = False,
    estimator: Annotated[
        str,
        option(
            "NAME",
            "What finds people: movenet, movenet-thorough (slower), movenet-thunder, mediapipe, vitpose, keypoints.",
            panel=PRETRAINED,
        ),
    ] = "movenet",
    pose_weights: Annotated[
        Path | None,
        option("FILE", "The estimator's own weights, or the ready-made keypoints (file or folder).", panel=PRETRAINED),
    ] = None,
    weights: Weights = None,
) -> None:
    """Find the people in photographs, and 18 keypoints of each."""
    from doppelgram.api.pose import estimate_poses

    found = estimate_poses(
        data,
        out,
        estimator=estimator,
        weights=weights,
        pose_weights=pose_weights,
        draw=draw,
        cache=cache,
        progress=progress(),
    )
    if json_:
        print_json({**found.to_dict(), "file": str(out)})
        return
    typer.echo(found.summary())
    if found.unnamed:
        count = len(found.unnamed)
        which = "1 photograph is" if count == 1 else f"{count:,} photographs are"
        typer.echo(f"{which} not named among the keypoints", err=True)
    say_written(out, draw)


@command(
    "compare-images a.jpg b.jpg --out why.png",
    "compare-images a.jpg b.jpg --estimator mediapipe",
    name="compare-images",
    panel=UNDERSTAND,
)
def compare_images(
    image_a: Annotated[Path, argument("A", "A photograph.")],
    image_b: Annotated[Path, argument("B", "Another photograph.")],
    model: Annotated[
        str | None,
        option(
            "RUN", "Run or model folder of places and poses, or a ready-made model by name. By default arrangements."
        ),
    ] = None,
    out: Annotated[Path | None, option("PNG", "Draw both photographs, their skeletons, and the reasons.")] = None,
    json_: Json = False,
    estimator: Annotated[
        str, option("NAME", "What finds people, to compare skeletons alone, without a model.", panel=PRETRAINED)
    ] = "",
    weights: Weights = None,
    keypoints: Keypoints = None,
    view: View = None,
    no_saliency: Annotated[
        bool, switch("Leave out of the picture which parts bring the photographs together.", "--no-saliency")
    ] = False,
) -> None:
    """Say whether two photographs show the same pose and place, and why."""
    from doppelgram.api.compare_images import compare_images as run_comparison
    from doppelgram.numbers import percent

    answer = run_comparison(
        image_a,
        image_b,
        model=model,
        out=out,
        estimator=estimator,
        weights=weights,
        keypoints=keypoints,
        progress=progress(),
        view=view,
        saliency=not no_saliency,
    )
    say_written(out)
    if json_:
        print_json(answer.to_dict())
        return
    chance = "" if answer.probability is None else f" (the same with probability {percent(answer.probability)})"
    typer.echo(f"{answer.verdict}{chance}")
    for sentence in answer.why:
        typer.echo(f"  {sentence}")


@command(
    "export-site catalog --out site",
    "export-site catalog --out site --blur-faces",
    name="export-site",
    panel=UNDERSTAND,
)
def export_site(
    catalog: Catalog,
    out: Annotated[Path, option("DIR", "New or empty folder, or an earlier site, which is replaced.")],
    photographs: Annotated[
        bool, switch("Copy the photographs, at most 1,600 pixels a side, without EXIF.", "--photographs")
    ] = False,
    blur_faces: Annotated[
        bool, switch("Blur the heads of the people that were found, in every picture.", "--blur-faces")
    ] = False,
    no_map: Annotated[bool, switch("Leave out the page with the map. The mosaic stays.", "--no-map")] = False,
    tables: Annotated[bool, switch("Write tables for VIKUS Viewer and PixPlot, too.", "--tables")] = False,
    title: Annotated[str, option("TEXT", "Title of the pages. By default the catalog's name.")] = "",
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Write mosaic, map and role models as pages that open without a server.

    For a thesis, an article or a talk. Small pictures are in the pages; photographs only if asked for.
    """
    from doppelgram.api.export_site import export_site as run_export

    site = run_export(
        catalog,
        out,
        photographs=photographs,
        blur_faces=blur_faces,
        map_page=not no_map,
        tables=tables,
        title=title,
        weights=weights,
        keypoints=keypoints,
        progress=progress(),
    )
    for note in site.notes:
        echo_paragraph(f"note: {note}")
    typer.echo(f"open: {site.index}")
