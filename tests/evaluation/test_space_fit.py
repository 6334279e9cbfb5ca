from dataclasses import replace

import numpy as np
import pytest

from doppelgram.evaluation.answers import nearest_answers
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.evaluation.sampling import hard_pairs, mixed_pairs
from doppelgram.evaluation.space_fit import calibrate_embedding
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.reports.evaluation import evaluation_markdown
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace

CENTRES = np.random.default_rng(5).normal(size=(12, 6))


def images(n, seed, noise=0.9):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 12, n)
    return EmbeddedSet((CENTRES[y] + noise * rng.normal(size=(n, 6))).astype(np.float32), y)


def test_hard_pairs_are_the_nearest_of_other_classes_by_a_loop():
    some = replace(images(60, 0), ids=np.arange(60) // 2)
    task = make_task(some)
    a, b = hard_pairs(task, EuclideanSpace(6).index(some.vectors).ranker(), 3)
    for row in range(60):
        distance = np.linalg.norm(some.vectors - some.vectors[row], axis=1)
        distance[(some.labels == some.labels[row]) | (some.ids == some.ids[row])] = np.inf
        assert set(b[a == row]) == set(np.argsort(distance)[:3])


def test_the_mix_is_as_it_is_stated():
    task = make_task(images(200, 0))
    a, b, same = mixed_pairs(task, EuclideanSpace(6).index(task.gallery).ranker())
    codes = task.gallery_codes
    np.testing.assert_array_equal(codes[a] == codes[b], same)
    hard = set(zip(*hard_pairs(task, EuclideanSpace(6).index(task.gallery).ranker()), strict=True))
    different = list(zip(a[~same].tolist(), b[~same].tolist(), strict=True))
    assert len(different) // 2 <= sum(pair in hard for pair in different) < 0.6 * len(different)


@pytest.mark.slow
def test_both_hold_on_images_kept_out_in_galleries_of_any_size():
    calibration = calibrate_embedding(images(500, 1), images(1200, 2, 0.85), fitted_on="val")
    assert Calibration.from_dict(calibration.to_dict()) == calibration
    space = EuclideanSpace(6, calibration)
    for gallery in (images(1200, 2, 0.85), images(300, 4), None):
        query = images(600, 3)
        result = evaluate_embeddings(space, *((query,) if gallery is None else (gallery, query)))
        assert result.reliability["search"].worst < 0.1
        assert result.reliability["verify"].worst < 0.1
    text = evaluation_markdown(result)
    assert "expected calibration error" in text
    # What was said before, fitted to random pairs and read beside the nearest images:
    old = EuclideanSpace(6, replace(calibration, pairs=None, search=None))
    before = evaluate_embeddings(old, images(300, 4), images(600, 3)).reliability["search"]
    after = evaluate_embeddings(space, images(300, 4), images(600, 3)).reliability["search"]
    assert before.worst > 0.2
    assert after.log_loss < before.log_loss


def test_models_of_earlier_builds_say_what_they_said():
    old = {"slope": 4.0, "intercept": 2.0, "threshold": 0.4, "n_same": 9, "n_different": 9, "fitted_on": "val"}
    calibration = Calibration.from_dict(old)
    assert calibration.pairs is calibration.search is None
    assert calibration.search_probability(0.3) == calibration.probability(0.3) == pytest.approx(1 / (1 + np.exp(-0.8)))
    assert calibration.even == 0.4


def test_answers_are_the_nearest_of_others():
    some = replace(images(50, 0), ids=np.arange(50) // 2)
    task = make_task(some)
    found = nearest_answers(EuclideanSpace(6), task, 4)
    assert (found.query // 2 != found.column // 2).all()
    assert (np.bincount(found.query) == 4).all()
    np.testing.assert_array_equal(found.right, some.labels[found.query] == some.labels[found.column])
