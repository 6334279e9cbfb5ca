"""Estimators whose samples are photographs."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from doppelgram import DoppelgramError, ImageEmbedder, ImageMetricLearner, MetricLearner, load_model
from doppelgram.scikit_learn.images import images_of

QUICK = ["optimiser.epochs=3", "data.size=32", "sampler.batch=32"]


@pytest.fixture
def photographs(class_folder: Callable[..., Path]) -> tuple[list[str], list[str]]:
    files = sorted(class_folder(classes=3, images=10).rglob("*.png"))
    return [str(file) for file in files], [file.parent.name for file in files]


# Of scikit-learn's checks those that make up no features.
WITHOUT_DATA = (
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_valid_tag_types,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_mixin_order,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
)


@pytest.mark.parametrize("estimator", [ImageEmbedder(), ImageMetricLearner()], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("check", WITHOUT_DATA, ids=lambda check: check.__name__)
def test_scikit_learn_s_own_checks_without_data(estimator: Any, check: Callable[..., None]) -> None:
    check(type(estimator).__name__, estimator)


def test_an_embedder_gives_the_vectors_of_its_model(
    photographs: tuple[list[str], list[str]], save_model: Callable[..., Path], tmp_path: Path
) -> None:
    files, _ = photographs
    folder = save_model(tmp_path / "model")
    embedder = ImageEmbedder(str(folder)).set_output(transform="pandas").fit(files)
    found = embedder.transform(files)
    assert np.array_equal(found, load_model(folder).embed_images(files))
    assert list(found.columns) == [f"imageembedder{n}" for n in range(8)]
    again = pickle.loads(pickle.dumps(embedder))
    assert np.array_equal(again.transform(files[:2]), found[:2])
    save_model(folder, seed=1)
    with pytest.raises(ValueError, match="another model"):
        pickle.loads(pickle.dumps(embedder)).transform(files)


def test_a_frozen_network_with_a_head_in_a_pipeline(
    photographs: tuple[list[str], list[str]], save_model: Callable[..., Path], tmp_path: Path
) -> None:
    files, labels = photographs
    embedder = ImageEmbedder(save_model(tmp_path / "model"))
    pipeline = make_pipeline(embedder, StandardScaler(), MetricLearner(4, epochs=20, random_state=0))
    grid = GridSearchCV(pipeline, {"metriclearner__hidden": [0, 8]}, cv=2).fit(files, labels)
    assert cross_val_score(pipeline, np.array(files), labels, cv=2).shape == (2,)
    assert grid.score(files, labels) > 0.8


@pytest.mark.slow
def test_training_by_a_recipe(photographs: tuple[list[str], list[str]]) -> None:
    files, labels = photographs
    learner = ImageMetricLearner("signs", overrides=QUICK, n_neighbors=3, random_state=0)
    seen, new, seen_labels, new_labels = train_test_split(files, labels, stratify=labels, random_state=0)
    first = learner.fit(seen, seen_labels)
    assert first.score(new, new_labels) > 0.5
    assert first.transform(new).shape == (len(new), first.model_.dim)
    assert np.allclose(np.asarray(first.predict_proba(new)).sum(axis=1), 1)
    assert first.kneighbors(seen[:4], 1, return_distance=False).ravel().tolist() == [0, 1, 2, 3]
    assert len(first.get_feature_names_out()) == first.model_.dim
    again = pickle.loads(pickle.dumps(first))
    assert np.array_equal(again.transform(new), first.transform(new))
    same = clone(learner).fit(seen, seen_labels)
    assert np.array_equal(same.transform(new), first.transform(new))
    once = [*QUICK, "optimiser.epochs=1"]
    grid = GridSearchCV(learner, {"overrides": [once, [*once, "loss.name=triplet", "loss.params={}"]]}, cv=2)
    assert grid.fit(files, labels).best_score_ > 0.3


@pytest.mark.slow
def test_images_in_memory_and_broken_files(photographs: tuple[list[str], list[str]], tmp_path: Path) -> None:
    files, labels = photographs
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    learner = ImageMetricLearner("signs", overrides=QUICK, random_state=0)
    with pytest.warns(UserWarning, match="broken"):
        learner.fit([broken, *files], [labels[0], *labels])
    assert learner.kneighbors(files[:4], 1, return_distance=False).ravel().tolist() == [1, 2, 3, 4]
    opened = [Image.open(file).convert("RGB") for file in files]
    pixels = ImageMetricLearner("signs", overrides=QUICK, random_state=0).fit(opened, labels)
    assert np.allclose(pixels.transform(files), learner.transform(files))
    with pytest.raises(DoppelgramError, match=r"broken\.png"):
        learner.predict([broken])


def test_what_counts_as_images(photographs: tuple[list[str], list[str]]) -> None:
    files = photographs[0][:2]
    expected = [Path(file) for file in files]
    given: list[Any] = [
        files,
        tuple(expected),
        np.array(files),
        np.array(files, dtype=object).reshape(-1, 1),
        pd.Series(files),
        pd.DataFrame({"path": files}),
    ]
    assert all(images_of(X) == expected for X in given)
    pixels = np.zeros((2, 8, 8, 3), np.uint8)
    assert [np.shape(image) for image in images_of(pixels)] == [(8, 8, 3)] * 2
    with pytest.raises(ValueError, match="2 columns"):
        images_of(pd.DataFrame({"path": files, "label": files}))
    with pytest.raises(ValueError, match="0 images"):
        images_of([])
    for alone in (files[0], expected[0], pixels[0]):
        with pytest.raises(ValueError, match="one image alone"):
            images_of(alone)
    assert images_of([expected[0].read_bytes()]) == [expected[0].read_bytes()], "decoded only when it is embedded"
    with pytest.raises(DoppelgramError, match="image 0"):
        images_of([1.5])


def test_what_cannot_be_trained_is_refused(photographs: tuple[list[str], list[str]]) -> None:
    files, labels = photographs
    with pytest.raises(ValueError, match="30 images and y 29"):
        ImageMetricLearner().fit(files, labels[:-1])
    with pytest.raises(ValueError, match="one class"):
        ImageMetricLearner().fit(files, ["same"] * len(files))
    for share in (1, "0.2", None):
        with pytest.raises(ValueError, match="validation_fraction"):
            ImageMetricLearner(validation_fraction=share).fit(files, labels)
    with pytest.raises(ValueError, match="n_neighbors"):  # before anything is trained
        ImageMetricLearner(n_neighbors=0).fit(files, labels)
    with pytest.raises(ValueError, match="1 of the 2 classes have 2 images or more"):
        ImageMetricLearner().fit(files[:3], ["a", "b", "b"])
    with pytest.raises(ValueError, match="give a list"):
        ImageMetricLearner(overrides="optimiser.epochs=1").fit(files, labels)
    with pytest.raises(ValueError, match="posts"):
        ImageMetricLearner("posts").fit(files, labels)
    with pytest.raises(DoppelgramError, match="no recipe"):
        ImageMetricLearner("nothing").fit(files, labels)
