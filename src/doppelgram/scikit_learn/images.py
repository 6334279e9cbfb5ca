"""`ImageEmbedder` and `ImageMetricLearner`: photographs in the place of features."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, column_or_1d

from doppelgram.console import SilentProgress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.in_memory.kept import KeptImages
from doppelgram.dataset.in_memory.values import in_a_row, source_of
from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Source
from doppelgram.models.bundle import load_model
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.scikit_learn.errors import UnusableValue
from doppelgram.scikit_learn.neighbours import EmbeddingClassifier, is_number
from doppelgram.training.job import Job
from doppelgram.training.recipes.files import read_recipe
from doppelgram.training.recipes.schema import MetricRecipe
from doppelgram.training.start import run_training

LABEL = "label"


class ImageEmbedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Photographs to the vectors of a model that is there already, for scikit-learn; nothing is learned.

    With `MetricLearner` behind it, it is a frozen network with a head that is trained: put both into a pipeline.

    Args:
        model: name of a ready-made model, or a run or a model folder.
        weights: folder in which pretrained weights are looked up first.

    Attributes:
        fingerprint_: of the model: vectors of two fingerprints do not compare.
    """

    def __init__(self, model: Any = "things", *, weights: Path | str | None = None) -> None:
        self.model = model
        self.weights = weights

    def fit(self, X: Any, y: Any = None) -> Self:
        """Load the model; X and y do not matter.

        Raises:
            DoppelgramError: there is no such model, or weights are missing.
        """
        self._loaded = load_model(self.model, weights=self.weights)
        self.fingerprint_ = self._loaded.fingerprint
        self._n_features_out = self._loaded.dim
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Vectors, float32 (n, dim), of paths, Pillow images, bytes or arrays.

        Raises:
            DoppelgramError: an image is missing or cannot be read, or another model lies now where it was.
        """
        check_is_fitted(self)
        if self._loaded is None:
            self._loaded = load_model(self.model, weights=self.weights)
            if self._loaded.fingerprint != self.fingerprint_:
                raise UnusableValue(f"{self.model}: is another model now than the one that was fitted; fit again")
        return self._loaded.embed_images(images_of(X))

    _loaded: Embedder | None = None

    def __getstate__(self) -> Any:
        """All but the model, which is loaded again: what runs it is of this process."""
        return {**super().__getstate__(), "_loaded": None}

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn has to know: X is a list of images."""
        return _of_images(super().__sklearn_tags__())


class ImageMetricLearner(EmbeddingClassifier):
    """A network on photographs, trained by a recipe, for scikit-learn.

    Training is that of `doppelgram.train`, in a folder that is deleted afterwards; ``model_.save(folder)`` keeps the
    model. A frozen pretrained network is ``overrides=["model.train=head"]`` with a recipe whose backbone has weights.

    Args:
        recipe: name of a shipped recipe of task ``metric``, or a TOML file.
        overrides: changes to the recipe, ``["optimiser.epochs=4"]``.
        weights: folder to look pretrained weights up in.
        validation_fraction: share of the photographs that choose the best epoch and calibrate the model; 0 for none.
        n_neighbors: training photographs that vote in `predict`; all of them where there are fewer.
        random_state: of the first weights, the parts and the batches; a number gives the same again.
        verbose: whether training shows how far it is.

    Attributes:
        classes_: the classes, (c,).
        model_: the trained model, a `doppelgram.Model`.
        neighbors_: scikit-learn's classifier by nearest neighbours on the vectors of the training photographs.
    """

    def __init__(
        self,
        recipe: Any = "signs",
        *,
        overrides: Sequence[str] = (),
        weights: Path | str | None = None,
        validation_fraction: float = 0.2,
        n_neighbors: int = 5,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.recipe = recipe
        self.overrides = overrides
        self.weights = weights
        self.validation_fraction = validation_fraction
        self.n_neighbors = n_neighbors
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Self:
        """Train on photographs and their classes (n,).

        A photograph that cannot be read is left aside with a warning; of images in memory copies are written for the
        time of the training.

        Args:
            X: n paths, Pillow images, bytes, or uint8 arrays (h, w, 3).
            y: their classes.

        Raises:
            ValueError: X, y or a parameter cannot be used.
            DoppelgramError: the recipe cannot be used, or training failed.
        """
        images, y = images_of(X), column_or_1d(y)
        check_classification_targets(y)
        if len(images) != len(y):
            raise UnusableValue(f"X has {len(images)} images and y {len(y)} classes; give one class an image")
        names = [str(label) for label in y.tolist()]
        if len(set(names)) < 2 or not all(names):
            raise UnusableValue("y holds an empty text or one class only; learning what looks alike needs two or more")
        if isinstance(self.overrides, str):  # is a sequence of texts, too
            raise UnusableValue(f"overrides is {self.overrides!r}; give a list of them")
        recipe = read_recipe(self.recipe, self.overrides)
        if not isinstance(recipe, MetricRecipe):
            raise UnusableValue(
                f"recipe '{recipe.name}' is of task '{recipe.task}'; this trains those of task 'metric'"
            )
        least, counts = recipe.data.min_images, Counter(names)
        large = sum(count >= least for count in counts.values())
        if large < 2:
            raise UnusableValue(
                f"{large} of the {len(counts)} classes have {least} images or more; training needs two such classes"
            )
        share = self.validation_fraction
        if not is_number(share) or not 0 <= share < 1:
            raise UnusableValue(f"validation_fraction is {share!r}; it must be a number from 0 to below 1")
        self._check_neighbours()
        parts = {"by": "image", "val": float(share), "test": 0.0}
        recipe = recipe.with_values(split=parts, data={"label": LABEL})
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        with TemporaryDirectory(prefix="doppelgram-") as folder:
            keep = KeptImages(Path(folder) / "images")
            paths = [os.path.abspath(keep.folder / keep(image, f"image {at}")) for at, image in enumerate(images)]
            table = pd.DataFrame({"path": paths, LABEL: names}, dtype=object)
            job = Job(
                data=Collection(keep.folder, table, LABEL),
                recipe=recipe,
                out=Path(folder) / "run",
                weights=Path(self.weights).expanduser() if self.weights is not None else None,
                seed=seed,
            )
            run = run_training(job, TerminalProgress() if self.verbose else SilentProgress())
            self.model_ = load_model(run)
        files = embed_files(self.model_, images, keep_duplicates=True)
        if files.report.problems():
            warnings.warn(files.report.summary(), stacklevel=2)
        self._keep(files.vectors, y[files.kept], files.kept)
        return self

    def _embed(self, X: Any) -> NDArray[Any]:
        return self.model_.embed_images(images_of(X))

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn has to know: X is a list of images."""
        return _of_images(super().__sklearn_tags__())


def images_of(X: Any) -> list[Source]:
    """Photographs as scikit-learn hands them on, as a list of paths, bytes, Pillow images and arrays.

    Args:
        X: a list, a column of a table, an array (n,) or (n, 1), or pixels uint8 (n, h, w, 3).

    Raises:
        ValueError: there are none, one alone, or several columns.
        DoppelgramError: something is no image.
    """
    try:
        X = in_a_row(X)
    except DoppelgramError as problem:
        raise UnusableValue(f"X: {problem}") from None
    if isinstance(X, pd.DataFrame) or (isinstance(X, np.ndarray) and X.ndim == 2):
        if X.shape[1] != 1:
            raise UnusableValue(f"X has {X.shape[1]} columns; give the column of images alone")
        X = X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X[:, 0]
    images = [source_of(image, f"image {at}") for at, image in enumerate(X)]
    if not images:
        raise UnusableValue("X has 0 images; give one at least")
    return images


def _of_images(tags: Any) -> Any:
    tags.input_tags.two_d_array = False
    tags.input_tags.one_d_array = True
    tags.input_tags.string = True
    return tags
