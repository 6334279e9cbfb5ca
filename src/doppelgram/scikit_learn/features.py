"""`MetricLearner`: metric learning on rows of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_random_state, validate_data

from doppelgram.scikit_learn.errors import UnusableValue
from doppelgram.scikit_learn.head import HeadSettings, embed, train_head
from doppelgram.scikit_learn.neighbours import EmbeddingClassifier, is_number
from doppelgram.training.recipes.sections import Optimiser

_MOST_DIM = 2048


class MetricLearner(EmbeddingClassifier):
    """An embedding of features in which samples of a class lie near each other, for scikit-learn.

    A linear layer, or one behind a hidden layer, maps each row to a point on the unit sphere. It is trained by the
    losses and miners that networks on photographs are trained with. Features should be on one scale: put a
    `StandardScaler` before it.

    Args:
        embedding_dim: size of the embedding, 2 to 2048.
        loss: name of the loss: ``triplet``, ``contrastive``, ``bce``, or one of pytorch-metric-learning such as
            ``cosface``.
        loss_params: its parameters, ``{"margin": 0.2}``.
        miner: name of the miner, such as ``semihard``; None compares all samples of a batch.
        miner_params: its parameters.
        hidden: width of a hidden layer with ReLU before the last; 0 for none, which makes a linear map.
        epochs: how often each sample is shown.
        learning_rate: of AdamW, at its highest.
        batch_size: samples in a batch, at least 4.
        n_neighbors: training samples that vote in `predict`; all of them where there are fewer.
        random_state: of the first weights, the batches and random miners; a number gives the same again.

    Attributes:
        classes_: the classes, (c,).
        loss_curve_: mean loss of each epoch.
        head_: the trained head, a torch module.
        neighbors_: scikit-learn's classifier by nearest neighbours on the embeddings of the training samples.
        n_features_in_: number of features.
        feature_names_in_: their names, where X was a table with names.
    """

    def __init__(
        self,
        embedding_dim: int = 32,
        *,
        loss: str = "triplet",
        loss_params: Mapping[str, Any] | None = None,
        miner: str | None = None,
        miner_params: Mapping[str, Any] | None = None,
        hidden: int = 0,
        epochs: int = 100,
        learning_rate: float = 0.01,
        batch_size: int = 128,
        n_neighbors: int = 5,
        random_state: Any = None,
    ) -> None:
        self.embedding_dim = embedding_dim
        self.loss = loss
        self.loss_params = loss_params
        self.miner = miner
        self.miner_params = miner_params
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_neighbors = n_neighbors
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the embedding from features (n, d) and their classes (n,).

        Raises:
            ValueError: X, y or a parameter cannot be used.
            DoppelgramError: there is no such loss or miner, it refuses its parameters, or the training diverged.
        """
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise UnusableValue(f"y has one class only, {classes[0]!r}; learning what looks alike needs two or more")
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        features, codes = X.astype(np.float32), codes.astype(np.int64)
        self.head_, self.loss_curve_ = train_head(features, codes, self._settings(), seed)
        self._keep(embed(self.head_, X).astype(X.dtype), y, np.arange(len(X)))
        return self

    def _embed(self, X: Any) -> NDArray[Any]:
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        found: NDArray[Any] = embed(self.head_, X).astype(X.dtype)
        return found

    def _settings(self) -> HeadSettings:
        for name, lowest in (("embedding_dim", 2), ("hidden", 0), ("epochs", 1), ("batch_size", 4)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < lowest:
                raise UnusableValue(f"{name} is {value!r}; it must be a whole number from {lowest} on")
        if self.embedding_dim > _MOST_DIM:
            raise UnusableValue(f"embedding_dim is {self.embedding_dim}; it must be {_MOST_DIM} at most")
        for name, kind, what in (("loss", str, "a name"), ("miner", str | None, "a name or None")):
            if not isinstance(getattr(self, name), kind):
                raise UnusableValue(f"{name} is {getattr(self, name)!r}; it must be {what}")
        for name in ("loss_params", "miner_params"):
            if not isinstance(getattr(self, name), Mapping | None):
                raise UnusableValue(f"{name} is {getattr(self, name)!r}; it must be a dictionary or None")
        self._check_neighbours()
        rate = self.learning_rate
        if not is_number(rate) or not 0 < rate < np.inf:
            raise UnusableValue(f"learning_rate is {rate!r}; it must be a number above 0")
        return HeadSettings(
            int(self.embedding_dim),
            int(self.hidden),
            self.loss,
            self.loss_params or {},
            self.miner or "",
            self.miner_params or {},
            int(self.batch_size),
            Optimiser(lr=float(rate), epochs=int(self.epochs)),
        )

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn has to know: numbers of the precision of X come back."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
