"""The group of commands that look after a catalog."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doppelgram.cli.app import (
    SEARCH,
    AsOf,
    Catalog,
    Json,
    Program,
    Where,
    app,
    argument,
    at_least,
    command,
    option,
    print_json,
    progress,
    say_written,
    show_examples,
    switch,
)
from doppelgram.cli.tables import echo_paragraph, echo_table
from doppelgram.errors import DoppelgramError

if TYPE_CHECKING:
    from doppelgram.api.catalog import Changed

_SHOWN = 10

catalog_app = typer.Typer(
    help="Look after a catalog: what is in it, labels, versions, files for other programs.",
    epilog=show_examples("catalog info catalog", "catalog export catalog --out catalog.parquet"),
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.add_typer(catalog_app, cls=Program, name="catalog", rich_help_panel=SEARCH)

Try = Annotated[bool, switch("Say what would be done, and do nothing.", "--check")]
Yes = Annotated[bool, switch("Do not ask.", "--yes")]


@command("catalog info catalog", "catalog info s3://photos/catalog --json", program=catalog_app)
def info(catalog: Catalog, as_of: AsOf = "", json_: Json = False) -> None:
    """Say what is in a catalog: images, labels, model, size, versions, index."""
    from doppelgram.catalog.store import Catalog
    from doppelgram.catalog.upkeep.info import info_of

    found = info_of(Catalog.open(catalog, as_of=as_of))
    if json_:
        print_json(found.to_dict())
        return
    for line in found.lines():
        echo_paragraph(line)


@command(
    "catalog delete catalog photos/a.jpg photos/b.jpg",
    "catalog delete catalog --where \"author = 'ann'\" --check",
    program=catalog_app,
)
def delete(
    catalog: Catalog,
    images: Annotated[list[str] | None, argument("IMAGE", "Images to take out, by path, name or id.")] = None,
    where: Where = "",
    check: Try = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Take images out of a catalog. The photographs themselves stay.

    Until the catalog is compacted, earlier versions of it still have them.
    """
    from doppelgram.api.catalog import delete_images

    asked = delete_images(catalog, images or (), where=where, check=True)
    if check or not _goes_on(asked, "taken out", yes):
        _tell(asked, "would be taken out", json_)
        return
    _tell(delete_images(catalog, images or (), where=where), "taken out", json_)


@command(
    "catalog relabel catalog labels.csv",
    "catalog relabel catalog --where \"place = 'luvre'\" --column place --to Louvre",
    program=catalog_app,
)
def relabel(
    catalog: Catalog,
    labels: Annotated[Path | None, argument("LABELS", "Table: path (or id), and label or label columns.")] = None,
    where: Where = "",
    label: Annotated[str | None, option("TEXT", "With --where: their new label.", "--to")] = None,
    column: Annotated[str, option("NAME", "With --where: which label column, such as place.")] = "label",
    check: Try = False,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Give images of a catalog other labels."""
    from doppelgram.api.catalog import relabel_images

    asked = relabel_images(catalog, labels, where=where, label=label, column=column, check=True)
    if check or not _goes_on(asked, "relabelled", yes):
        _tell(asked, "would be relabelled", json_)
        return
    done = relabel_images(catalog, labels, where=where, label=label, column=column)
    _tell(done, "relabelled", json_)


@command(
    "catalog versions catalog",
    "catalog versions catalog --keep before-cleaning",
    "catalog versions catalog --keep june --of 2026-06-30",
    program=catalog_app,
)
def versions(
    catalog: Catalog,
    keep: Annotated[str, option("NAME", "Keep a version under this name. It is never cleaned up.")] = "",
    of: Annotated[
        str, option("VERSION|TIME", "With --keep: which, by number or time. By default the latest.", "--of")
    ] = "",
    release: Annotated[str, option("NAME", "Take this name away, so that the version can be cleaned up.")] = "",
    json_: Json = False,
) -> None:
    """List the versions of a catalog that can be read with --as-of, or keep one."""
    from doppelgram.catalog.store import Catalog

    if of and not keep:
        raise DoppelgramError("--of goes with --keep: the version to keep")
    store = Catalog.open(catalog)
    if release:
        store.release(release)
    if keep:
        store.keep(keep, of)
    there = store.versions()
    if json_:
        print_json([asdict(one) for one in there])
        return
    rows = [(f"{one.number}", f"{one.when:%Y-%m-%d %H:%M:%S}", f"{one.rows:,}", ", ".join(one.names)) for one in there]
    echo_table(("version", "time (UTC)", "rows", "kept as"), rows, names=("kept as",))


@command("catalog compact catalog", "catalog compact catalog --keep-days 30", program=catalog_app)
def compact(
    catalog: Catalog,
    keep_days: Annotated[
        float,
        option("DAYS", "Versions of the last days that stay. 0 only while nobody else writes.", check=at_least(0)),
    ] = 7.0,
    json_: Json = False,
) -> None:
    """Remove old versions that nobody kept, and join what many writes left behind."""
    from doppelgram.catalog.store import Catalog
    from doppelgram.numbers import count, size

    with progress().bar("compacting", 0):
        done = Catalog.open(catalog).compact(keep_days)
    if json_:
        print_json(asdict(done))
        return
    echo_paragraph(
        f"{count(done.fragments_before, 'fragment')} before, {done.fragments:,} now; "
        f"{count(done.versions_removed, 'version')} removed, {size(done.bytes_removed)} freed"
    )


@command(
    "catalog export catalog --out catalog.parquet",
    "catalog export catalog --out shards/photos.tar --originals",
    program=catalog_app,
)
def export(
    catalog: Catalog,
    out: Annotated[Path, option("FILE", "File to write: .csv, .parquet, .npy (and .csv), or .tar (several).")],
    where: Where = "",
    as_of: AsOf = "",
    originals: Annotated[
        bool, switch("With .tar: the photographs themselves, not small pictures of them.", "--originals")
    ] = False,
    per_shard: Annotated[int, option("N", "With .tar: images in a file.", check=at_least(1))] = 10_000,
    json_: Json = False,
) -> None:
    """Write a catalog as a table, a matrix of vectors, or tar files of pictures and JSON."""
    from doppelgram.api.export_catalog import export_catalog
    from doppelgram.numbers import count

    done = export_catalog(
        catalog, out, where=where, as_of=as_of, originals=originals, per_shard=per_shard, progress=progress()
    )
    if json_:
        print_json(asdict(done))
        return
    typer.echo(f"{count(done.images, 'image')} exported")
    say_written(*done.files)


def _goes_on(asked: Changed, done: str, yes: bool) -> bool:
    """Whether the user wants that.

    Raises:
        DoppelgramError: nobody can be asked.
    """
    from doppelgram.numbers import count

    if yes or not asked.rows:
        return True
    if not sys.stdin.isatty():
        raise DoppelgramError(
            f"{count(asked.rows, 'row')} would be {done}; give --yes to do it, or --check to see them"
        )
    for path in asked.paths[:_SHOWN]:
        typer.echo(path, err=True)
    return typer.confirm(f"{count(asked.rows, 'row')} {done}?", err=True)


def _tell(changed: Changed, done: str, json_: bool) -> None:
    from doppelgram.numbers import count

    if json_:
        print_json(asdict(changed))
        return
    typer.echo(f"{count(changed.rows, 'row')} {done}")
    for path in changed.paths[:_SHOWN]:
        typer.echo(f"  {path}")
    if len(changed.paths) > _SHOWN:
        typer.echo(f"  and {len(changed.paths) - _SHOWN:,} more")
