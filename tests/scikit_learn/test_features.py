"""`MetricLearner` as scikit-learn wants an estimator to be."""

from __future__ import annotations

import pickle
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from doppelgram import DoppelgramError, MetricLearner
from doppelgram.learning.registry import list_losses

# No check is expected to fail.
EXPECTED: dict[str, str] = {}


@pytest.mark.slow
@parametrize_with_checks(
    [MetricLearner(4, epochs=20), MetricLearner(4, loss="cosface", hidden=8, epochs=20, n_neighbors=1)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_scikit_learn_s_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)
