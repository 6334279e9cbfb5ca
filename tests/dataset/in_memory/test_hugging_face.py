"""Datasets of Hugging Face's library, in and out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import doppelgram
from doppelgram import Catalog, DoppelgramError, SilentProgress, read_collection, save_images
from doppelgram.images.batch import content_hash

datasets = pytest.importorskip(
    "datasets", reason="NOT TESTED: Hugging Face's datasets is not installed (pip install 'doppelgram[datasets]')"
)
QUIET = SilentProgress()
PLACES = ["attic", "bath", "cellar"]


@pytest.fixture(autouse=True)
def _own_cache_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()


@pytest.fixture
def files(draw_folder: Callable[..., Path], tmp_path: Path) -> list[Path]:
    return sorted(draw_folder(tmp_path / "pictures").rglob("*.jpg"))


def _dataset(values: list[Any], **columns: list[Any]) -> Any:
    codes = [at * 3 // len(values) for at in range(len(values))]
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "image": datasets.Image(),
            "place": datasets.ClassLabel(names=PLACES),
            **{name: datasets.Value("string") for name in columns},
        }
    )
    ids = [f"n{at}" for at in range(len(values))]
    return datasets.Dataset.from_dict({"id": ids, "image": values, "place": codes, **columns}, features=features)


def test_paths_stay_where_they_are(files: list[Path]) -> None:
    found = read_collection(_dataset([str(file) for file in files], author=["ada"] * 12))
    assert found.paths == files
    assert found.label == "place"
    assert found.labels.tolist() == [PLACES[at // 4] for at in range(12)]
    assert found.table["author"].tolist() == ["ada"] * 12
    assert read_collection(_dataset([str(file) for file in files]), label="id").labels[3] == "n3"


def test_images_in_memory_are_written_as_the_files_they_are(files: list[Path], tmp_path: Path) -> None:
    dataset = _dataset([{"bytes": file.read_bytes(), "path": file.name} for file in files])
    with pytest.raises(DoppelgramError, match="save_images"):
        read_collection(dataset)
    found = save_images(dataset.shuffle(seed=0).select(range(6)), tmp_path / "kept", progress=QUIET)
    assert sorted(path.stem for path in found.paths) == sorted(
        content_hash(files[int(text[1:])]) for text in found.column("id")
    )
    assert all(path.suffix == ".jpg" for path in found.paths)
    pictures = _dataset([Image.open(file) for file in files]).with_format("torch")
    assert len(save_images(pictures, tmp_path / "pixels", progress=QUIET)) == 12


def test_splits_become_parts(files: list[Path]) -> None:
    paths = [str(file) for file in files]
    parts = {"train": _dataset(paths[:8]), "validation": _dataset(paths[8:10]), "test": _dataset(paths[10:])}
    found = read_collection(datasets.DatasetDict(parts))
    assert found.table["part"].tolist() == ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    assert found.label == "place"
    with pytest.raises(DoppelgramError, match="split 'odd'"):
        read_collection(datasets.DatasetDict({"odd": _dataset(paths)}))


def test_a_dataset_that_streams_is_refused(files: list[Path]) -> None:
    with pytest.raises(DoppelgramError, match="streams"):
        read_collection(_dataset([str(file) for file in files]).to_iterable_dataset())


def test_its_parquet_files_read_by_arrow_have_names_of_classes(files: list[Path], tmp_path: Path) -> None:
    import pyarrow.parquet

    _dataset([{"bytes": file.read_bytes(), "path": None} for file in files]).to_parquet(tmp_path / "d.parquet")
    found = save_images(pyarrow.parquet.read_table(tmp_path / "d.parquet"), tmp_path / "kept", progress=QUIET)
    assert found.labels.tolist() == [PLACES[at // 4] for at in range(12)]


def test_embedding_searching_and_the_way_out(
    files: list[Path], save_model: Callable[..., Path], tmp_path: Path
) -> None:
    model = save_model(tmp_path / "model")
    in_memory = _dataset([{"bytes": file.read_bytes(), "path": None} for file in files])
    vectors = doppelgram.embed(in_memory, model, progress=QUIET)
    assert np.array_equal(vectors, doppelgram.load_model(model).embed_images([Image.open(file) for file in files]))
    collection = save_images(in_memory, tmp_path / "kept", progress=QUIET)
    doppelgram.index(collection, model, tmp_path / "catalog", progress=QUIET)
    found = doppelgram.search(tmp_path / "catalog", in_memory.select([5]), k=1, progress=QUIET)
    assert found[0].matches[0].id == content_hash(files[5])
    out = doppelgram.to_hugging_face(Catalog.open(tmp_path / "catalog"), where="label = 'bath'")
    assert out.num_rows == 4
    assert set(out["label"]) == {"bath"}
    first = out[0]
    assert np.array_equal(np.asarray(first["image"]), np.asarray(Image.open(first["path"])))
    assert np.allclose(doppelgram.vectors_of(out)[0], first["vector"])
    again = read_collection(out, label="label")
    assert again.labels.tolist() == ["bath"] * 4
    of_collection = doppelgram.to_hugging_face(collection)
    assert of_collection[2]["image"].size == Image.open(files[2]).size
    assert of_collection["place"][0] == "attic"
