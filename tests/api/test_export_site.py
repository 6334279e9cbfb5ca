"""A site from a catalog on disk: pages that open without a server, blurred heads, and no path of the machine."""

from __future__ import annotations

import csv
import json
from io import BytesIO
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from PIL import Image

from doppelgram.api.export_site import Site, export_site
from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.cli import main
from doppelgram.console import SilentProgress
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model
from doppelgram.reports.role_models.files import write_csv, write_summary
from doppelgram.reports.role_models.kept import KEPT_FOLDER
from doppelgram.reports.role_models.summary import summary
from doppelgram.rolemodels.kept_posts import KeptPosts
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.space.arrangement import ArrangementSpace
from helpers.catalogs import _draw_folder as draw_pictures
from helpers.page import posts_catalog


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A catalog of posts that was traced, and the file of their keypoints."""
    catalog, keypoints = posts_catalog(tmp_path_factory.mktemp("world"))
    space = load_model(catalog.folder / "model", keypoints=keypoints).space
    assert isinstance(space, ArrangementSpace)
    found = KeptPosts.of_catalog(catalog).trace(catalog, space, TraceSettings(draws=19, bootstraps=10))
    kept = catalog.folder / KEPT_FOLDER
    write_csv(found, kept)
    write_summary(summary(found), kept)
    return catalog.folder, keypoints


@pytest.fixture(scope="module")
def site(world: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Everything that can be exported."""
    out = tmp_path_factory.mktemp("out") / "site"
    catalog, keypoints = world
    asked: dict[str, Any] = {"title": "Poses <before> places", "keypoints": keypoints, "progress": SilentProgress()}
    return export_site(catalog, out, photographs=True, tables=True, **asked)


def files_of(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_nothing_of_the_machine_is_in_any_file(site: Site, world: tuple[Path, Path]) -> None:
    folder = site.index.parent
    names = {str(file.relative_to(folder)) for file in files_of(folder)}
    assert {"index.html", "map.html", "role-models.html", "photographs.html", "mosaic.png", "citation.bib"} <= names
    assert not [entry for entry in folder.parent.iterdir() if entry != folder]
    for file in files_of(folder):
        assert str(world[0].parent).encode() not in file.read_bytes(), file
    assert "Poses &lt;before&gt; places" in site.index.read_text(encoding="utf-8")


def test_photographs_are_small_jpegs_without_exif(
    site: Site, world: tuple[Path, Path], tmp_path: Path, model_folder: Path
) -> None:
    rows = Catalog.open(world[0]).rows(["path"])
    photographs = sorted((site.index.parent / "photographs").iterdir())
    assert len(photographs) == len(rows)
    source = tmp_path / "photos"
    draw_pictures(source)
    exif = Image.Exif()
    exif[0x010F] = "the maker"
    Image.effect_noise((2000, 1000), 40).convert("RGB").save(source / "large.jpg", exif=exif)
    catalog = Catalog.create(tmp_path / "catalog", model_folder)
    files = sorted(source.rglob("*.*"))
    lines = ["path,label", *(f"{file},{file.parent.name}" for file in files)]  # whole paths, as some tables have them
    (tmp_path / "photos.csv").write_text("\n".join(lines), encoding="utf-8")
    index_collection(read_collection(tmp_path / "photos.csv"), catalog.load_model(), catalog)
    next(file for file in files if file.name != "large.jpg").unlink()
    asked: dict[str, Any] = {"photographs": True, "tables": True, "progress": SilentProgress()}
    export_site(catalog.folder, tmp_path / "site", **asked)
    assert (tmp_path / "site" / "map.html").is_file()
    for file in files_of(tmp_path / "site"):
        assert str(tmp_path).encode() not in file.read_bytes(), file
    found = export_site(catalog.folder, tmp_path / "site", map_page=False, **asked)
    copies = sorted((tmp_path / "site" / "photographs").iterdir())
    assert len(copies) == 13
    assert [note for note in found.notes if note.startswith("1 photograph could not be read again and is")]
    assert not (tmp_path / "site" / "map.html").exists()
    assert any("not traced" in note for note in found.notes)
    sizes = []
    for copy in copies:
        with Image.open(copy) as image:
            sizes.append(image.size)
            assert image.format == "JPEG"
            assert not image.getexif()
    assert max(sizes) == (1600, 800)


def test_the_mosaic_holds_every_photograph_once(site: Site, world: tuple[Path, Path]) -> None:
    rows = Catalog.open(world[0]).rows(["thumbnail"])
    with Image.open(site.index.parent / "mosaic.png") as picture:
        mosaic = np.asarray(picture.convert("RGB").resize((picture.width // 24, picture.height // 24)), dtype=float)
    cells = mosaic.reshape(mosaic.shape[0] // 10, 10, -1, 10, 3).mean(axis=(1, 3)).reshape(-1, 3)
    shown = cells[(cells < 250).any(axis=1)]
    assert len(shown) == len(rows)
    means = [
        np.asarray(Image.open(BytesIO(jpeg)).convert("RGB"), dtype=float).mean(axis=(0, 1))
        for jpeg in rows["thumbnail"]
    ]
    # Each photograph's mean colour is found in a cell; cutting to a square and the gap change it a little.
    assert all(np.abs(shown - mean).max(axis=1).min() < 25 for mean in means)


def test_tables_name_the_files_that_there_are(site: Site) -> None:
    folder = site.index.parent

    def table(name: str) -> list[dict[str, str]]:
        with (folder / "tables" / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    files = {file.name for file in (folder / "photographs").iterdir()}
    vikus, places, pixplot = (table(name) for name in ("vikus/data.csv", "vikus/map.csv", "pixplot/metadata.csv"))
    assert {f"{row['id']}.jpg" for row in vikus} == {row["filename"] for row in pixplot} == files
    assert list(vikus[0]) == ["id", "imageid", "keywords", "year", "_name", "_author", "_date"]
    assert list(pixplot[0]) == ["filename", "category", "tags", "description", "permalink", "year"]
    assert {row["id"] for row in places} <= {row["id"] for row in vikus}
    assert all(np.isfinite(float(row["x"])) for row in places)
    assert all(row["year"] == "undated" or row["year"].isdigit() for row in vikus)
    assert all(row["year"] == "" or row["year"].isdigit() for row in pixplot)


def test_heads_are_blurred_everywhere(site: Site, world: tuple[Path, Path], tmp_path: Path) -> None:
    catalog, keypoints = world
    asked: dict[str, Any] = {"photographs": True, "blur_faces": True, "keypoints": keypoints}
    blurred = export_site(catalog, tmp_path / "site", progress=SilentProgress(), **asked)
    plain = site.index.parent
    columns = Catalog.open(catalog).rows(["columns"])["columns"]
    nobody = sum(
        not json.loads(text).get("people found") or not json.loads(json.loads(text)["people found"])["keypoints"]
        for text in columns
    )
    assert nobody > 0
    assert blurred.notes[0].startswith(f"{nobody} photograph")
    copies = sorted((tmp_path / "site" / "photographs").iterdir())
    assert len(copies) == len(columns) - nobody
    changed = 0
    for copy in copies:
        with Image.open(copy) as one, Image.open(plain / "photographs" / copy.name) as other:
            changed += int(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max() > 20)
    assert changed > 0.9 * len(copies)
    for name in ("map.html", "role-models.html", "mosaic.png"):
        assert (tmp_path / "site" / name).read_bytes() != (plain / name).read_bytes()
    assert "blurred" in blurred.index.read_text(encoding="utf-8")


def test_an_earlier_site_is_replaced_and_nothing_else(
    site: Site, world: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog, keypoints = world
    again = tmp_path / "again"
    copytree(site.index.parent, again)
    words = ["export-site", str(catalog), "--out", str(again), "--keypoints", str(keypoints)]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip().endswith("index.html")
    assert not (again / "photographs").exists()
    (again / "thesis.pdf").write_text("mine")
    for out, said in ((again, "holds something else"), (catalog / "site", "lies in the catalog")):
        with pytest.raises(DoppelgramError, match=said):
            export_site(catalog, out, progress=SilentProgress())
    assert (again / "thesis.pdf").read_text() == "mine"


def test_heads_that_nobody_looked_for_cannot_be_blurred(tmp_path: Path, model_folder: Path) -> None:
    catalog = Catalog.create(tmp_path / "catalog", model_folder)
    index_collection(read_collection(draw_pictures(tmp_path / "photos")), catalog.load_model(), catalog)
    with pytest.raises(DoppelgramError, match="nobody was found in its photographs"):
        export_site(catalog.folder, tmp_path / "site", blur_faces=True, progress=SilentProgress())
    assert not (tmp_path / "site").exists()


def test_pages_open_from_a_disk_and_ask_nobody(site: Site, browser: Any) -> None:
    folder = site.index.parent.resolve().as_uri()
    wrong: list[str] = []
    tab = browser.new_page()
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda problem: wrong.append(str(problem)))
    tab.on(
        "request",
        lambda asked: None if asked.url.startswith((folder, "data:", "blob:")) else wrong.append(asked.url),
    )
    tab.goto(f"{folder}/index.html")
    assert tab.inner_text("h1") == "Poses <before> places"
    assert tab.evaluate("document.querySelector('.mosaic img').naturalWidth") > 100
    links = [link.get_attribute("href") for link in tab.query_selector_all(".pages a")]
    assert links == ["map.html", "role-models.html", "photographs.html"]
    for link in links:
        tab.goto(f"{folder}/index.html")
        tab.click(f".pages a[href='{link}']")
        assert tab.url == f"{folder}/{link}"
        assert tab.inner_text("h1")
    assert tab.evaluate("[...document.images].every(image => image.naturalWidth)")
    tab.close()
    assert not wrong, wrong
