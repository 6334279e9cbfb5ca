"""Maps from end to end: of a run, of a folder and of a catalog, by the library and by the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import doppelgram
from doppelgram.api.map import draw_map
from doppelgram.catalog.store import Catalog
from doppelgram.cli import main
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import split_by_image
from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower
from doppelgram.training.recipes.files import write_recipe
from doppelgram.training.recipes.schema import make_recipe
from helpers.pictures import stripes


def draw(folder: Path, classes: int, images: int, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for kind in range(classes):
        (folder / f"kind{kind}").mkdir(parents=True)
        for n in range(images):
            stripes(kind, rng).save(folder / f"kind{kind}" / f"{n}.png")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data``, a ``run`` whose model was not trained (which a map does not mind) and a ``catalog``."""
    root = tmp_path_factory.mktemp("maps")
    data = draw(root / "data", 4, 10)
    draw(root / "more", 3, 3, seed=9)
    torch.manual_seed(0)
    backbone = SmallNet(width=4)
    model = Model(ImageTower(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 8)), Framing(24)))
    run = root / "run"
    model.save(run / "model")
    facts = {"data": str(data), "seed": 0, "finished": True}
    (run / "run.json").write_text(json.dumps(facts))
    write_recipe(make_recipe({"data": {"size": 24}, "model": {"dim": 8}}), run / "recipe.toml")
    split_by_image(read_collection(data)).write(run / "split.csv")
    doppelgram.index(data, run, root / "catalog")
    return root


def test_a_runs_own_images_with_their_parts(place: Path, tmp_path: Path) -> None:
    outs = [tmp_path / f"map.{ending}" for ending in ("html", "png", "svg")]
    found = draw_map(place / "run", method="pca", out=outs, projector=tmp_path / "board")
    split = doppelgram.open_run(place / "run").split()
    assert found.summary()["parts"] == split.counts()
    assert [split.parts[name] for name in found.images.names] == found.images.parts.tolist()
    assert found.images.sheets is not None
    assert found.images.sheets.count == 40
    assert all(file.stat().st_size > 5000 for file in outs)
    assert "PCA of data" in outs[0].read_text()
    assert (tmp_path / "board/sprite.png").is_file()
    evaluated = doppelgram.evaluate(place / "run", part="test")
    assert found.misclassified()["test"]["rate"] == pytest.approx(1 - evaluated["knn_accuracy"].value)


def test_the_pictures_are_the_images(place: Path) -> None:
    found = draw_map(place / "run", method="pca", parts=["test"])
    assert set(found.images.parts) == {"test"}
    assert found.images.sheets is not None
    for name, tile in zip(found.images.names, found.images.sheets.tiles(), strict=True):
        with Image.open(place / "data" / name) as image:
            wanted = np.asarray(image.convert("RGB").resize((24, 24)).resize(tile.shape[:2]))
        assert np.corrcoef(tile.ravel(), wanted.ravel())[0, 1] > 0.9, name


def test_other_images_by_the_runs_model(place: Path) -> None:
    found = draw_map(place / "run", place / "more", method="pca")
    assert len(found.points) == 9
    assert set(found.images.labels) == {"kind0", "kind1", "kind2"}
    of_model = draw_map(place / "run" / "model", place / "more", method="pca")
    np.testing.assert_array_equal(of_model.points, found.points)


def test_a_catalogs_vectors(place: Path) -> None:
    catalog = Catalog.open(place / "catalog")
    found = draw_map(place / "catalog", method="pca")
    assert found.fingerprint == catalog.fingerprint
    assert set(found.images.ids) == catalog.hashes()
    own = draw_map(place / "run", place / "data", method="pca")
    order = {name: row for row, name in enumerate(own.images.names)}
    rows = [order[name] for name in found.images.names]
    np.testing.assert_allclose(found.images.vectors, own.images.vectors[rows], atol=1e-5)
    assert found.images.sheets is not None


def test_images_placed_now_and_later(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.npz"
    first = draw_map(place / "run", method="tsne", save=file, perplexity=5)
    later = draw_map(place / "run", place=place / "more", onto=file, out=tmp_path / "later.html")
    np.testing.assert_array_equal(later.points[:40], first.points)
    assert later.images.parts[40:].tolist() == ["new"] * 9
    assert later.images.labels[40:].tolist() == sorted(later.images.labels[40:].tolist())
    now = draw_map(place / "run", method="tsne", perplexity=5, place=place / "more")
    np.testing.assert_array_equal(now.points, later.points)
    by_catalog = draw_map(place / "catalog", place=place / "more", onto=file)
    np.testing.assert_allclose(by_catalog.points, later.points)


def test_images_without_labels(place: Path, tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir()
    for file in (place / "more" / "kind0").iterdir():
        shutil.copy(file, tmp_path / "loose")
    found = draw_map(place / "run", tmp_path / "loose", method="pca", out=tmp_path / "map.png")
    assert found.misclassified() == {}


def test_what_cannot_be_mapped(place: Path, tmp_path: Path) -> None:
    run, catalog, data = place / "run", place / "catalog", place / "data"
    empty = Catalog.create(tmp_path / "empty", run).folder
    draw(tmp_path / "few", 2, 1)
    other = tmp_path / "other"
    backbone = SmallNet(width=4)
    Model(ImageTower(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 5)), Framing(24))).save(other)
    draw_map(run, method="pca", save=tmp_path / "map.npz")
    cases: list[tuple[str, dict[str, object]]] = [
        ("no such catalog or run", {"source": tmp_path / "nowhere"}),
        ("the catalog is empty", {"source": empty}),
        ("holds 2 images; a map needs 3", {"source": run, "data": tmp_path / "few"}),
        (r"\.html, \.png or \.svg", {"source": run, "out": tmp_path / "map.gif"}),
        ("is a folder", {"source": run, "out": tmp_path / "x.png"}),
        ("--method is 'umap'", {"source": run, "method": "umap"}),
        ("--perplexity", {"source": run, "method": "tsne", "perplexity": 0.0}),
        ("--part is 'tset'", {"source": run, "parts": ["tset"]}),
        ("part extra", {"source": run, "parts": ["extra"]}),
        ("does not go with DATA", {"source": run, "data": data, "parts": ["test"]}),
        ("brings its own images", {"source": catalog, "data": data}),
        ("knows no parts", {"source": catalog, "parts": ["test"]}),
        ("model without its run", {"source": run / "model"}),
        ("--onto goes with --place", {"source": run, "onto": tmp_path / "map.npz"}),
        ("no such saved map", {"source": run, "onto": tmp_path / "nowhere.npz", "place": data}),
        ("another model", {"source": other, "onto": tmp_path / "map.npz", "place": data}),
        ("do not go with it", {"source": run, "data": data, "onto": tmp_path / "map.npz", "place": data}),
    ]
    (tmp_path / "x.png").mkdir()
    for said, arguments in cases:
        with pytest.raises(DoppelgramError, match=said):
            draw_map(**{"method": "pca", **arguments})  # type: ignore[arg-type]


def run_command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main(["map", *map(str, arguments)])
    assert isinstance(left.value.code, int)
    return left.value.code


def test_the_command(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not run_command(
        *("--model", place / "run", "--method", "pca", "--out", "a.html", "--out", "b.png"),
        *("--part", "train", "--part", "test", "--place", place / "more", "--save", "map.npz", "--json"),
    )
    facts = json.loads(capsys.readouterr().out)
    assert facts["files"] == ["a.html", "b.png", "map.npz"]
    assert set(facts["parts"]) == {"train", "test", "new"}
    assert facts["misclassified"]["new"]["n"] == 9
    assert {file.name for file in tmp_path.iterdir()} == {"a.html", "b.png", "map.npz"}
    assert not run_command(place / "catalog", "--method", "pca")
    assert "of 40 images misclassified" in capsys.readouterr().out
    assert (tmp_path / "map.html").is_file()


def test_the_command_says_what_is_wrong(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(place / "nowhere") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no such catalog or run" in said
    (tmp_path / "file").touch()
    assert run_command("--model", place / "run", "--method", "pca", "--save", tmp_path / "file" / "map.npz") == 2
    assert run_command("--model", place / "run", "--save", tmp_path) == 2
    assert "is a folder" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
