"""Ranking by place, by pose and by both agrees with a naive loop, ties against us."""

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.evaluate import evaluate_embeddings, evaluate_pairs
from doppelgram.evaluation.ranking import rank
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.space import arrangement
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration

JOINT = JointCalibration(
    Calibration(6.0, 4.0, 0.7, 10, 10, "pairs"), Calibration(5.0, 3.0, 0.6, 10, 10, "pairs"), 1.2, 0.8, -1.5, -0.4, 0.5
)
SPACE = ArrangementSpace(5, 4, 1, JOINT)


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors round three places and three poses, a few of nobody and a few doubled, with their labels."""
    rng = np.random.default_rng(seed)
    place, pose = rng.integers(0, 3, n), rng.integers(0, 3, n)
    parts = []
    for codes, dim in ((place, 5), (pose, 4)):
        points = np.eye(dim)[codes] + 0.6 * rng.normal(size=(n, dim))
        parts.append(points / np.linalg.norm(points, axis=1, keepdims=True))
    vectors = np.hstack(parts).astype(np.float32)
    vectors[::9, 5:] = 0
    vectors[-4:] = vectors[:4]
    return vectors, np.array([f"place{p}" for p in place]), np.array([f"pose{p}" for p in pose])


@pytest.mark.parametrize("by", ["joint", "place", "pose"])
def test_as_a_naive_loop_ranks(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """First right rank, average precision within R and the nearest image's class, in whatever blocks."""
    monkeypatch.setattr(arrangement, "_BLOCK_ELEMENTS", 200)
    vectors, places, poses = drawn(60, 0)
    labels = np.char.add(places, poses)
    task = make_task(EmbeddedSet(vectors, labels))
    ranking = rank(task, SPACE.index(vectors).ranker(by))
    for row in range(60):
        place, pose = SPACE.part_distances(np.repeat(vectors[row][None], 60, axis=0), vectors)
        key = {"joint": -JOINT.log_odds(place, pose), "place": place, "pose": np.nan_to_num(pose, nan=9.0)}[by]
        same = labels == labels[row]
        others = [j for j in np.lexsort((np.arange(60), same, np.round(key, 5))) if j != row]
        hits = same[others]
        r = hits.sum()
        assert ranking.relevant[row] == r
        if r:
            first = int(hits.argmax()) + 1
            assert ranking.first[row] in ((first,) if first <= max(20, largest(labels)) else (first, 0))
            precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
            assert ranking.average_precision[row] == pytest.approx((precision * hits)[:r].sum() / r)
        assert task.names[ranking.predicted[row]] == labels[others[0]]


def largest(labels: np.ndarray) -> int:
    return int(np.unique(labels, return_counts=True)[1].max()) - 1


def test_everything_that_is_reported() -> None:
    """Arrangements, places and poses among others and of a gallery; each with an interval and its n."""
    vectors, places, poses = drawn(80, 1)
    labels = np.char.add(places, poses)
    parts = {"place": places, "pose": poses}
    result = evaluate_embeddings(SPACE, EmbeddedSet(vectors, labels, None, parts), threshold=0.5)
    for name in ("knn_accuracy", "map_at_r", "pair_auc", "place_precision_at_1", "pose_precision_at_1"):
        assert 0 < result[name].low <= result[name].value <= result[name].high <= 1
    assert result["place_precision_at_1"].value > 0.5
    assert "ncm_accuracy" not in result
    gallery = EmbeddedSet(vectors[:50], labels[:50], None, {"place": places[:50], "pose": poses[:50]})
    across = evaluate_embeddings(SPACE, gallery, EmbeddedSet(vectors[50:], labels[50:], None, {"place": places[50:]}))
    assert across["place_precision_at_1"].n == 30
    assert "pose_precision_at_1" not in across


def test_pairs_by_both_and_by_each() -> None:
    """Place and pose alone get an area under the curve each, and pairs without a pose are counted."""
    vectors, places, poses = drawn(60, 3)
    labels = np.char.add(places, poses)
    a, b = np.triu_indices(60, 1)
    names = [str(row) for row in range(60)]
    compared = SPACE.compare(vectors[a], vectors[b])
    same = labels[a] == labels[b]
    result = evaluate_pairs(compared, same, [names[row] for row in a], [names[row] for row in b], threshold=0.5)
    for name in ("place", "pose"):
        probability = compared.parts[name].probability
        wins = (probability[same][:, None] > probability[~same]).mean()
        ties = (probability[same][:, None] == probability[~same]).mean()
        assert result[f"pair_{name}_auc"].value == pytest.approx(wins + ties / 2)
    unknown = int(np.isnan(compared.parts["pose"].distance).sum())
    assert any(f"{unknown} of" in note for note in result.notes)


def test_lone_arrangements_cannot_be_evaluated() -> None:
    """Nothing to compare is said, not computed."""
    vectors, places, _ = drawn(5, 2)
    with pytest.raises(DoppelgramError, match="nothing can be computed"):
        evaluate_embeddings(SPACE, EmbeddedSet(vectors, list("abcde")))
    with pytest.raises(DoppelgramError, match="knn is 0"):
        evaluate_embeddings(SPACE, EmbeddedSet(vectors, places), knn=0)
