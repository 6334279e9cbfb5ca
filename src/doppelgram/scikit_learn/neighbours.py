"""What both classifiers share: samples are embedded, and answered by their nearest training samples."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted

from doppelgram.scikit_learn.errors import UnusableValue


class EmbeddingClassifier(ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier and transformer by an embedding; a subclass fits the embedding and calls `_keep`.

    Attributes:
        classes_: the classes, (c,).
        neighbors_: scikit-learn's classifier by nearest neighbours, fitted on the embeddings of the training samples.
    """

    n_neighbors: int

    @abstractmethod
    def _embed(self, X: Any) -> NDArray[Any]:
        """Embeddings (n, dim) of samples that are checked here."""

    def _check_neighbours(self) -> None:
        """Refuse a number of neighbours that cannot be, before anything is trained."""
        if not isinstance(self.n_neighbors, (int, np.integer)) or self.n_neighbors < 1:
            raise UnusableValue(f"n_neighbors is {self.n_neighbors!r}; it must be a whole number from 1 on")

    def _keep(self, embeddings: NDArray[Any], y: Any, positions: NDArray[np.int64]) -> None:
        """Remember embeddings (n, dim) of training samples, their classes (n,) and positions in the data (n,)."""
        self.neighbors_ = KNeighborsClassifier(min(self.n_neighbors, len(embeddings))).fit(embeddings, y)
        self.classes_ = self.neighbors_.classes_
        self._n_features_out = embeddings.shape[1]
        self._positions = positions

    def transform(self, X: Any) -> Any:
        """Embeddings (n, dim) of samples."""
        check_is_fitted(self)
        return self._embed(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """The class (n,) that most of each sample's nearest training samples have."""
        check_is_fitted(self)
        found: NDArray[Any] = self.neighbors_.predict(self._embed(X))
        return found

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Of each sample's nearest training samples the share that each class has: (n, c), as in ``classes_``."""
        check_is_fitted(self)
        found: NDArray[np.float64] = self.neighbors_.predict_proba(self._embed(X))
        return found

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """The nearest training samples of each sample, nearest first.

        Args:
            X: the samples; by default the training samples that were used, none of which is its own neighbour then.
            n_neighbors: how many; the estimator's own number by default.
            return_distance: whether Euclidean distances (n, k) of the embeddings come first.

        Returns:
            Distances and positions in the training data as it was given, or the positions (n, k) alone.

        Raises:
            ValueError: there are fewer training samples.
        """
        check_is_fitted(self)
        distances, rows = self.neighbors_.kneighbors(None if X is None else self._embed(X), n_neighbors)
        positions = self._positions[rows]
        return (distances, positions) if return_distance else positions


def is_number(value: Any) -> bool:
    """Whether a parameter is a number, one of numpy's included."""
    return isinstance(value, Real)
