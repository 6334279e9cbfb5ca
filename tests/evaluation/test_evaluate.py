import json

import numpy as np
import pytest
from PIL import Image

from doppelgram.dataset.pairs import Pairs
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.evaluate import evaluate_embeddings, evaluate_pairs
from doppelgram.evaluation.result import METRICS
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.reports.evaluation_figures import write_figures
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.space import PairResult


def evaluated(x, y, query=None, query_labels=(), **options):
    """Evaluate arrays in Euclidean space."""
    ids = {name: options.pop(f"{name}_ids", None) for name in ("gallery", "query")}
    gallery = EmbeddedSet(x, y, ids["gallery"])
    asked = None if query is None else EmbeddedSet(query, query_labels, ids["query"])
    return evaluate_embeddings(EuclideanSpace(np.shape(x)[-1]), gallery, asked, **options)


def clustered(n=120, classes=6, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    x = (np.random.default_rng(99).normal(size=(classes, 5))[y] + noise * rng.normal(size=(n, 5))).astype(np.float32)
    return x, np.array([f"class {c}" for c in y])


def test_every_metric_by_its_name_within_its_interval():
    result = evaluated(*clustered(), knn=3)
    assert list(result.metrics) == list(METRICS)
    for name, metric in result.metrics.items():
        assert 0 <= metric.low <= metric.value <= metric.high <= 1, name
        assert metric.low < metric.high, name
    assert result["knn_accuracy"].value != result["precision_at_1"].value
    assert result.settings["leave_one_out"] is True
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()


def test_the_same_seed_gives_the_same_result_and_row_order_does_not_matter_to_values():
    x, y = clustered()
    first = evaluated(x, y, seed=4)
    assert evaluated(x, y, seed=4) == first
    shuffled = np.random.default_rng(0).permutation(len(x))
    other = evaluated(x[shuffled], y[shuffled], seed=4)
    for name in ("knn_accuracy", "balanced_ncm_accuracy", "cmc_5", "map_at_r", "pair_auc", "pair_eer"):
        assert other[name].value == pytest.approx(first[name].value, abs=1e-12)


def test_query_against_gallery_counts_queries_it_cannot_answer():
    (g, z), (x, y) = clustered(seed=1), clustered(40, seed=2)
    y[:3] = "unheard of"
    result = evaluated(g, z, x, y)
    assert result["precision_at_1"].n == result["knn_accuracy"].n == 37
    assert any("3 of 40 queries" in note for note in result.notes)
    assert result["knn_accuracy"].value == result["precision_at_1"].value


def test_copies_under_one_id_are_not_found():
    x, y = clustered(60)
    twice, labels, ids = np.concatenate([x, x]), np.concatenate([y, y]), [f"h{i}" for i in range(60)] * 2
    honest = evaluated(twice, labels, gallery_ids=ids)
    assert evaluated(twice, labels)["precision_at_1"].value == 1.0
    assert honest["precision_at_1"].value == evaluated(x, y)["precision_at_1"].value
    across = evaluated(x, y, x, y, gallery_ids=ids[:60], query_ids=ids[:60])
    assert across["map_at_r"].value == evaluated(x, y)["map_at_r"].value


def test_given_pairs_point_at_the_queries():
    (g, z), (x, y) = clustered(seed=1), clustered(40, seed=2)
    a, b = np.triu_indices(40, 1)
    result = evaluated(g, z, x, y, pairs=Pairs(a, b, y[a] == y[b]), threshold=2.5)
    distances = np.linalg.norm(x[a].astype(np.float64) - x[b], axis=1)
    direct = evaluate_pairs(PairResult(distances, None), y[a] == y[b], a.tolist(), b.tolist(), threshold=2.5)
    for name, metric in direct.metrics.items():
        assert result[name].value == pytest.approx(metric.value, abs=1e-9)
        assert result[name].n == len(a)
    with pytest.raises(DoppelgramError, match="rows 0 to 39 of the query"):
        evaluated(g, z, x, y, pairs=Pairs(a, b + 1, y[a] == y[b]))


def test_one_class_says_what_little_can_be_said():
    x, _ = clustered(10)
    result = evaluated(x, ["only"] * 10)
    assert result["precision_at_1"].value == 1.0
    assert not any(name.startswith(("pair_", "tar_")) for name in result.metrics)
    assert any("one class only" in note for note in result.notes)
    assert any("'different'" in note for note in result.notes)


def test_pairs_alone_may_be_all_there_is():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 3)).astype(np.float32)
    pairs = Pairs(np.array([0, 2]), np.array([1, 3]), np.array([True, False]))
    result = evaluated(x, list("abcdef"), pairs=pairs)
    assert "pair_auc" in result
    assert "map_at_r" not in result
    assert any("6 of 6 queries" in note for note in result.notes)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_nothing_to_compute_is_an_error(n):
    x = np.eye(3, dtype=np.float32)[:n]
    with pytest.raises(DoppelgramError, match="nothing can be computed"):
        evaluated(x, list("abc")[:n])


def test_an_empty_query_or_gallery_is_an_error():
    x, y = clustered(5)
    for arguments in ((x, y, x[:0], y[:0]), (x[:0], y[:0], x, y)):
        with pytest.raises(DoppelgramError, match="nothing can be computed"):
            evaluated(*arguments)


def test_two_images_of_one_class_and_one_of_another():
    result = evaluated(np.array([[0.0], [1.0], [5.0]], np.float32), ["a", "a", "b"])
    assert result["map_at_r"].value == 1.0
    assert result["ncm_accuracy"].value == 1.0
    assert result["precision_at_1"].n == 2


X, Y = clustered(8)
HOLED = X.copy()
HOLED[2, 1] = np.nan


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((X, Y[:7]), {}, "7 labels"),
        ((X, [None, *Y[1:]]), {}, "row 0 has no label"),
        ((X, ["", *Y[1:]]), {}, "row 0 has no label"),
        ((X, [float("nan"), *range(7)]), {}, "row 0 has no label"),
        ((X, [1, *Y[1:]]), {}, "one kind"),
        ((HOLED, Y), {}, "gallery.*row 2"),
        ((X, Y, HOLED, Y), {}, "queries.*row 2"),
        ((X, Y, X[:, :3], Y), {}, "same model"),
        ((X, Y, X), {}, "labels"),
        ((X, Y, X, Y), {"gallery_ids": list("abcdefgh")}, "both, or neither"),
        ((X, Y), {"gallery_ids": list("abc")}, "3 ids"),
        ((X, Y), {"knn": 0}, "knn is 0"),
        ((X, Y), {"threshold": float("nan")}, "threshold is nan"),
    ],
)
def test_mistakes_of_use_are_named(arguments, options, message):
    with pytest.raises(DoppelgramError, match=message):
        evaluated(*arguments, **options)


def test_lists_of_pairs_are_checked():
    with pytest.raises(DoppelgramError, match="image names"):
        evaluate_pairs(PairResult(np.array([0.1, 0.2]), None), [1, 0], ["a"], ["b", "c"])
    with pytest.raises(DoppelgramError, match="'different'"):
        evaluate_pairs(PairResult(np.array([0.1, 0.2]), None), [1, 1], ["a", "b"], ["c", "d"])
    with pytest.raises(DoppelgramError, match="pair 0"):
        evaluate_pairs(PairResult(np.array([np.nan, 0.2]), None), [1, 0], ["a", "b"], ["c", "d"])


@pytest.mark.slow
def test_figures_are_written_as_far_as_the_evidence_goes(tmp_path):
    files = write_figures(tmp_path / "all", evaluated(*clustered(noise=2.0), threshold=2.0))
    assert [file.name for file in files] == ["roc.png", "distances.png", "cmc.png", "confusions.png"]
    for file in files:
        with Image.open(file) as image:
            assert image.width == 1280
            assert len(image.convert("RGB").getcolors(10**7)) > 50
    given = evaluate_pairs(PairResult(np.array([0.1, 0.2]), None), [1, 0], ["a", "b"], ["c", "d"])
    only_pairs = write_figures(tmp_path / "pairs", given)
    assert [file.name for file in only_pairs] == ["roc.png", "distances.png"]
    assert len(list((tmp_path / "pairs").iterdir())) == 2
    perfect = evaluated(np.array([[0.0], [0.0]], np.float32), ["one", "one"])
    assert [file.name for file in write_figures(tmp_path / "few", perfect)] == ["distances.png", "cmc.png"]
