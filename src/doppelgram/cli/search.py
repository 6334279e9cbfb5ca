"""Commands that find: index, search, duplicates, verify."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doppelgram.cli.app import (
    FACES,
    MACHINES,
    SEARCH,
    SPEED,
    AsOf,
    Catalog,
    Check,
    Data,
    Json,
    Keypoints,
    LabelLevel,
    Things,
    Weights,
    Where,
    argument,
    at_least,
    command,
    option,
    print_checked,
    print_json,
    progress,
    say_written,
    switch,
)
from doppelgram.cli.tables import echo_table, shorten, terminal_width

if TYPE_CHECKING:
    from doppelgram.catalog.search.searcher import Match, Neighbours
    from doppelgram.images.faces.face import FaceBox

_SHOWN = 6  # images of one group

Crop = Annotated[
    str,
    option(
        "face[:NAME]",
        "Cut out the largest face, upright. NAME: opencv or mediapipe.",
        panel=FACES,
    ),
]
Way = Annotated[
    str,
    option(
        "auto|exact|ivf",
        "How neighbours are found: all vectors in memory (exact), an index on disk (ivf), or what is quicker.",
        "--index",
    ),
]
ShowCrops = Annotated[Path | None, option("PNG", "Draw each photograph and what was cut out of it.", panel=FACES)]
Face = Annotated[
    str,
    option("FACE", "By a model of faces: which one asks: largest, all, or a number; 1 is the largest.", panel=FACES),
]


@command("index photos --catalog catalog", "index photos --model run --catalog catalog", panel=SEARCH)
def index(
    data: Data,
    catalog: Annotated[str, option("DIR", "Catalog folder, or s3://bucket/prefix. Made if it is not there.")],
    model: Annotated[
        str | None,
        option("RUN", "Run or model folder, or a ready-made model by name. By default the catalog's own, or things."),
    ] = None,
    label_level: LabelLevel = None,
    prune: Annotated[
        bool, switch("Take out images whose files are gone or have other content now.", "--prune")
    ] = False,
    beside: Annotated[
        str, option("NAME", "Put this model's vectors beside the catalog's own. 'search --vectors NAME' uses them.")
    ] = "",
    check_: Check = False,
    index_: Way = "auto",
    json_: Json = False,
    faces: Annotated[
        str,
        option(
            "largest|all",
            "By a model of faces: index the largest face of a photograph or all. The catalog remembers it.",
            panel=FACES,
        ),
    ] = "",
    crop: Crop = "",
    show_crops: ShowCrops = None,
    runtime: Annotated[
        str,
        option("auto|openvino|torch", "What runs the network; auto: the fastest on this machine.", panel=SPEED),
    ] = "auto",
    precision: Annotated[
        str,
        option(
            "auto|fp32|bf16",
            "auto: bf16 where it is faster and finds the same neighbours. Tried from 1,000 photographs on.",
            panel=SPEED,
        ),
    ] = "auto",
    weights: Weights = None,
    keypoints: Keypoints = None,
    engine: Annotated[
        str,
        option(
            "local|ray",
            "Embed by processes of this machine, or on a cluster of Ray. By default local from 10,000 images on.",
            panel=MACHINES,
        ),
    ] = "",
    address: Annotated[
        str, option("ADDRESS", "A running cluster of Ray. By default one is started on this machine.", panel=MACHINES)
    ] = "",
    workers: Annotated[
        int | None,
        option("N", "How many processes. By default one a processor.", panel=MACHINES, check=at_least(1)),
    ] = None,
) -> None:
    """Put images into a catalog, to search it later."""
    label = f"level:{label_level}" if label_level else ""
    if check_:
        from doppelgram.api.check import check as run_check

        print_checked(run_check(data, images=True, label=label), json_)
        return
    from doppelgram.api.index import index as run_index

    report = run_index(
        data,
        model,
        catalog,
        faces=faces,
        label=label,
        prune=prune,
        beside=beside,
        vector_index=index_,
        crop=crop,
        show_crops=show_crops,
        runtime=runtime,
        precision=precision,
        weights=weights,
        keypoints=keypoints,
        engine=engine,
        address=address,
        workers=workers or 0,
        progress=progress(),
    )
    say_written(show_crops)
    if not json_:
        typer.echo(report.summary())
        return
    facts = json.loads(report.to_json())
    outcomes = facts.pop("outcomes")
    facts["problems"] = [outcome for outcome in outcomes if outcome["status"] != "ok"]
    looked = [outcome for outcome in outcomes if outcome["status"] == "ok" and "faces" in outcome]
    if looked:
        facts["without_face"] = [outcome["path"] for outcome in looked if outcome["faces"] == 0]
        facts["several_faces"] = [outcome["path"] for outcome in looked if outcome["faces"] > 1]
    print_json(facts)


@command(
    "search catalog photo.jpg",
    "search catalog new/*.jpg -k 10 --montage look-alikes.png",
    "search catalog new --out found.csv",
    panel=SEARCH,
)
def search(
    catalog: Catalog,
    images: Annotated[list[Path], argument("IMAGE", "Photographs to find look-alikes of, or folders.")],
    k: Annotated[int, option("N", "How many look-alikes, 1 or more.", "-k", check=at_least(1))] = 5,
    by: Annotated[
        str,
        option("joint|place|pose", "With a model of places and poses: rank by joint (default), place or pose."),
    ] = "",
    where: Where = "",
    index_: Way = "auto",
    out: Annotated[
        Path | None,
        option("FILE", "Write the answers to many photographs as they come: .csv, or .jsonl for a line of JSON each."),
    ] = None,
    montage: Annotated[Path | None, option("PNG", "Draw the photographs and their look-alikes.")] = None,
    view: Annotated[
        bool,
        switch(
            "Say which of the first 5 show the very same view, by matched points. About 2 s a photograph.", "--view"
        ),
    ] = False,
    as_of: AsOf = "",
    vectors: Annotated[str, option("NAME", "Search by another model's vectors, put there by 'index --beside'.")] = "",
    json_: Json = False,
    face: Face = "",
    crop: Crop = "",
    show_crops: ShowCrops = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Find the images of a catalog that look most like a photograph.

    In a terminal the answer is a table. In a pipe or file it is one line a match, tabs between the cells.
    """
    if out is not None:
        from doppelgram.api.search_many import search_many

        if montage or show_crops or view or json_:
            raise typer.BadParameter("--out goes without --montage, --show-crops, --view and --json")
        told = search_many(
            catalog,
            images,
            out,
            k,
            by=by,
            where=where,
            index=index_,
            crop=crop,
            face=face,
            weights=weights,
            keypoints=keypoints,
            as_of=as_of,
            vectors=vectors,
            progress=progress(),
        )
        typer.echo(f"{told.answered:,} of {told.queries:,} photographs answered")
        say_written(out)
        return
    from doppelgram.api.search import search as run_search

    found = run_search(
        catalog,
        images,
        k,
        by=by,
        where=where,
        index=index_,
        montage=montage,
        face=face,
        crop=crop,
        show_crops=show_crops,
        weights=weights,
        keypoints=keypoints,
        view=view,
        as_of=as_of,
        vectors=vectors,
        progress=progress(),
    )
    say_written(show_crops, montage)
    if json_:
        print_json([asdict(neighbours) for neighbours in found])
    elif sys.stdout.isatty():
        for neighbours in found:
            if not neighbours.problem:
                _print_table(neighbours)
    else:
        _print_lines(found)


def _print_table(neighbours: Neighbours) -> None:
    """The answers to one photograph, for a person."""
    arranged = any(match.parts for match in neighbours.matches)
    numbers = ("place", "pose", "both") if arranged else ("distance", "probability")
    looked = any(match.view_points is not None for match in neighbours.matches)
    rows = []
    for match in neighbours.matches:
        probability = _shown(match.probability)
        cells = (*_parts(match, _shown), probability) if arranged else (f"{match.distance:.3f}", probability)
        face = (_which(match.face),) if neighbours.face else ()
        seen = ((f"{match.view_points} points" if match.view_points else ""),) if looked else ()
        # Where nothing is labelled, how many pairs of the catalog are as near stands in the label's place.
        known = match.label if match.as_near is None else f"1 in {1 / match.as_near:,.0f}"
        rows.append((str(match.rank), known, *cells, *face, *seen, match.path))
    query = neighbours.query + (f" (face {_which(neighbours.face)})" if neighbours.face else "")
    typer.echo(shorten(query, terminal_width()))
    told = "label" if all(match.as_near is None for match in neighbours.matches) else "pairs as near"
    more = (*(("face",) if neighbours.face else ()), *(("same view",) if looked else ()))
    echo_table(("rank", told, *numbers, *more, "path"), rows, names=(told, "path"))
    typer.echo()


def _print_lines(found: list[Neighbours]) -> None:
    """All answers, for another program: nothing is cut."""
    parts = next((tuple(match.parts) for neighbours in found for match in neighbours.matches), ())
    looked = any(match.view_points is not None for neighbours in found for match in neighbours.matches)
    view = ("view_points",) if looked else ()
    face = ("query face", "face") if any(neighbours.face for neighbours in found) else ()
    typer.echo("\t".join(("query", "rank", "label", "distance", "probability", *parts, *face, *view, "path")))
    for neighbours in found:
        for match in neighbours.matches:
            numbers = (f"{match.distance:.4f}", _exact(match.probability), *_parts(match, _exact))
            which = (_which(neighbours.face), _which(match.face)) if face else ()
            seen = ("" if match.view_points is None else str(match.view_points),) if looked else ()
            cells = (neighbours.query, str(match.rank), match.label, *numbers, *which, *seen, match.path)
            typer.echo("\t".join(" ".join(cell.split()) for cell in cells))


def _which(face: FaceBox | None) -> str:
    """Which face of how many, the largest being 1."""
    return "" if face is None else f"{face.number} of {face.count}"


def _shown(value: float | None) -> str:
    from doppelgram.numbers import probability

    return "" if value is None else probability(value)


def _exact(value: float | None) -> str:
    """Four digits; all of them where four would make a probability below one certain, or one above zero impossible."""
    if value is None:
        return ""
    return repr(value) if 0 < value < 1 and round(value, 4) in (0, 1) else f"{value:.4f}"


def _parts(match: Match, spelled: Callable[[float], str]) -> tuple[str, ...]:
    """Place and pose of an answer by a model that knows them; a pose that could not be compared says so."""
    return tuple("unknown" if name in match.unknown else spelled(value) for name, value in match.parts.items())


@command(
    "duplicates catalog --csv copies.csv",
    "duplicates catalog --montage copies.png --where \"author = 'ada'\"",
    panel=SEARCH,
)
def duplicates(
    catalog: Catalog,
    distance: Annotated[
        float | None,
        option("X", "Two images this near are copies, whatever their pictures show. By default the pictures decide."),
    ] = None,
    where: Where = "",
    csv: Annotated[Path | None, option("FILE", "Write all groups to a CSV file.")] = None,
    montage: Annotated[Path | None, option("PNG", "Draw the 30 largest groups.")] = None,
    most: Annotated[int, option("N", "How many groups to show.", "-n", check=at_least(1))] = 20,
    json_: Json = False,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """List photographs that a catalog holds more than once.

    It finds what was saved again, made smaller, brighter or without colours.
    Files with the same bytes are one image of a catalog; 'index' names them.
    """
    from doppelgram.api.duplicates import duplicates as run_duplicates
    from doppelgram.numbers import count

    found = run_duplicates(
        catalog,
        distance=distance,
        where=where,
        csv=csv,
        montage=montage,
        weights=weights,
        keypoints=keypoints,
        progress=progress(),
    )
    say_written(csv, montage if found.groups else None)
    if json_:
        print_json({**asdict(found), "copies": found.copies})
        return
    how = "pictures are the same" if found.pictures else "vectors are this near"
    typer.echo(
        f"{count(len(found.groups), 'group')} of near copies; {found.copies:,} of {count(found.images, 'image')} are "
        f"beyond the first of a group (distance up to {found.reach:.3g}; {how})"
    )
    if found.without_picture:
        typer.echo(
            f"{count(found.without_picture, 'image')} without a small picture of their own not compared; --distance X "
            "compares by vectors alone"
        )
    for number, group in enumerate(found.groups[:most], 1):
        typer.echo(f"{number}. {count(len(group), 'image')}")
        for copy in group[:_SHOWN]:
            typer.echo(f"   {copy.distance:.3f}  {shorten(copy.path, terminal_width() - 10)}")
        if len(group) > _SHOWN:
            typer.echo(f"   and {len(group) - _SHOWN:,} more")
    if len(found.groups) > most:
        typer.echo(f"and {len(found.groups) - most:,} more (-n, --csv)")


@command(
    "verify a.jpg b.jpg",
    "verify a.jpg b.jpg --out why.png",
    "verify a.jpg b.jpg --model run --crop face --json",
    panel=SEARCH,
)
def verify(
    image_a: Annotated[Path, argument("A", "A photograph.")],
    image_b: Annotated[Path, argument("B", "Another photograph.")],
    model: Things = None,
    out: Annotated[
        Path | None, option("PNG", "Draw both photographs, and which of their parts bring them together.")
    ] = None,
    json_: Json = False,
    face: Annotated[
        str,
        option("FACE", "By a model of faces: the number of the one compared, or two for A and B: 1,2.", panel=FACES),
    ] = "",
    crop: Crop = "",
    show_crops: ShowCrops = None,
    weights: Weights = None,
    keypoints: Keypoints = None,
) -> None:
    """Say whether two photographs show the same, and how sure that is."""
    from doppelgram.api.verify import verify as run_verify
    from doppelgram.numbers import probability

    verdict = run_verify(
        image_a,
        image_b,
        model=model,
        face=face,
        crop=crop,
        show_crops=show_crops,
        weights=weights,
        keypoints=keypoints,
        out=out,
        progress=progress(),
    )
    say_written(show_crops, out)
    if json_:
        print_json(verdict.to_dict())
        return
    if verdict.probability is None:
        typer.echo(f"distance {verdict.distance:.4f}; the model is not calibrated, so there is no probability")
        return
    what, why = "the same", f"distance {verdict.distance:.4f}, threshold {verdict.threshold:.4f}"
    if verdict.parts:
        what, pose = "the same pose in front of the same place", probability(verdict.parts["pose"])
        nobody = [image for image, missing in ((image_a, verdict.unknown_a), (image_b, verdict.unknown_b)) if missing]
        if nobody:
            pose = f"unknown, taken as {pose}: nobody in {' and '.join(map(str, nobody))}"
        why = f"place {probability(verdict.parts['place'])}, pose {pose}"
    word = "same" if verdict.same else "different"
    typer.echo(f"{word}: probability {probability(verdict.probability)} that they show {what} ({why})")
