"""From posts and their vectors to role models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.rolemodels import tables
from doppelgram.rolemodels.attribution import Attribution, Matches, attribute, closeness
from doppelgram.rolemodels.candidates import Candidates, find_pairs, kept_neighbours
from doppelgram.rolemodels.clusters import cluster
from doppelgram.rolemodels.influence import Trees, influence, originality, trees
from doppelgram.rolemodels.notes import count, notes
from doppelgram.rolemodels.null import Evidence, shuffled_clock
from doppelgram.rolemodels.posts import PostTable, unset_clocks
from doppelgram.rolemodels.ranks import Variation, rank_intervals, ranks, sensitivity, thresholds_around
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.scoring import Float32, Float64, Int64, JointScorer, PlaceScorer, logit
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.space.arrangement import ArrangementSpace

# Neighbours by place that hold a place together.
_PLACE_NEIGHBOURS = 16


@dataclass(frozen=True)
class Grouping:
    """Which posts belong together, whatever their times; arrays (n,).

    Attributes:
        people: whether somebody is seen; only such posts have a pose and so an arrangement.
        arrangement: number of the arrangement, 0 the largest; -1 for posts that share theirs with too few.
        place: number of the place by the embeddings, 0 the largest.
        matches: pairs within an arrangement whose log-odds reach the lowest threshold of the sensitivity table. A pair
            that matches by itself while the groups around it do not is taken for a chance likeness.
        candidates: how these were found.
    """

    people: NDArray[np.bool_]
    arrangement: Int64
    place: Int64
    matches: Matches
    candidates: Candidates


@dataclass(frozen=True)
class Findings:
    """What is known of the m posts that were traced; every array (m,) unless its class says otherwise."""

    rows: Int64
    time: Float64
    matches: Matches
    edges: Attribution
    influence: Float64
    originality: Float64
    score: Float64
    trees: Trees
    evidence: Evidence
    rank: Int64
    rank_low: Int64
    rank_high: Int64
    robustness: list[Variation]


def trace_posts(
    posts: PostTable,
    vectors: NDArray[Any],
    space: ArrangementSpace,
    settings: TraceSettings | None = None,
    progress: Callable[[int], None] | None = None,
) -> RoleModels:
    """Find the arrangements, order each in time, and say which posts set them.

    Bare places, where nobody is seen, form no arrangement; posts without a usable time belong to arrangements but not
    to the graph. Nothing is written.

    Args:
        posts: who posted what, when and, if known, where.
        vectors: (n, space.dim) embeddings of an ArrangementModel, in the order of the posts.
        space: how they are made up and what their distances mean.
        settings: parameters; the defaults if None.
        progress: called with 1 as work goes on, `TraceSettings.steps` times in all.

    Raises:
        DoppelgramError: vectors do not fit, or hold a NaN.
    """
    settings = settings or TraceSettings()
    advance = progress or (lambda _: None)
    vectors = _checked(vectors, len(posts), space)
    threshold = settings.threshold if settings.threshold is not None else space.calibration.threshold
    groups = group(posts, vectors, space, threshold, settings)
    advance(2)
    clocks = unset_clocks(posts.timestamp)
    usable = groups.people & ~np.isnan(posts.timestamp) & ~clocks
    found = _trace(posts, groups, usable, threshold, settings, advance)
    advance(1)
    result = _assemble(posts, groups, found, clocks, threshold, settings)
    advance(1)
    return result


def _checked(vectors: NDArray[Any], n: int, space: ArrangementSpace) -> Float32:
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.shape != (n, space.dim):
        raise DoppelgramError(
            f"there are {n} posts and vectors of shape {vectors.shape}, where ({n}, {space.dim}) is needed; embed all "
            "posts with the model whose space is given"
        )
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise DoppelgramError(f"the embedding in row {int(np.argmin(finite))} holds a NaN; embed that post again")
    return vectors


def group(
    posts: PostTable, vectors: Float32, space: ArrangementSpace, threshold: float, settings: TraceSettings
) -> Grouping:
    """Find matching pairs, arrangements and places; times are not looked at."""
    cut = logit(threshold)
    floor = thresholds_around(threshold)[1][0]
    people = np.asarray((np.abs(space.split(vectors)[1]).sum(axis=2) > 0).any(axis=1))
    seen = np.flatnonzero(people)
    scorer = JointScorer(vectors[seen], space, floor)
    exact = len(posts) <= settings.exact_up_to
    neighbours = kept_neighbours(len(seen), settings.neighbours)
    candidates = find_pairs(scorer, floor, neighbours=neighbours, exact=exact, seed=settings.seed)
    odds, place, pose = scorer.judge(candidates.left, candidates.right)
    strong = odds >= cut
    labels = cluster(scorer, candidates.left[strong], candidates.right[strong], odds[strong], cut, seed=settings.seed)
    arrangement = np.full(len(posts), -1, dtype=np.int64)
    arrangement[seen] = _by_size(labels, settings.least)
    codes = posts.author_codes[seen]
    kept = (odds >= floor) & (labels[candidates.left] == labels[candidates.right])
    kept &= arrangement[seen[candidates.left]] >= 0
    left, right = candidates.left[kept], candidates.right[kept]
    matches = Matches(
        seen[left], seen[right], odds[kept], place[kept], pose[kept], codes[left] == codes[right], np.ones(len(left))
    )
    return Grouping(people, arrangement, _places(vectors, space, exact, settings.seed), matches, candidates)


def _places(vectors: Float32, space: ArrangementSpace, exact: bool, seed: int) -> Int64:
    """Places by the embeddings: posts that show the same place with a probability of a half or more, on average."""
    scorer = PlaceScorer(vectors, space, 0.0)
    pairs = find_pairs(scorer, 0.0, neighbours=_PLACE_NEIGHBOURS, exact=exact, seed=seed)
    odds = scorer.pairs(pairs.left, pairs.right)
    return _by_size(cluster(scorer, pairs.left, pairs.right, odds, 0.0, seed=seed), 1)


def _by_size(labels: Int64, least: int) -> Int64:
    """Groups numbered from the largest on, the earlier row first among equals; -1 for those smaller than ``least``."""
    sizes = np.bincount(labels, minlength=1)
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.asarray(np.where(sizes[labels] >= least, number[labels], -1), dtype=np.int64)


def among(
    groups: Grouping, usable: NDArray[np.bool_], threshold: float, gamma: float
) -> tuple[Int64, Matches, Matches]:
    """The posts that can be traced, and the matches between them by their positions among these.

    Args:
        groups: of all posts.
        usable: (n,) which posts to keep.
        threshold: probability from which on posts match.
        gamma: as in `TraceSettings`.

    Returns:
        Rows of the m posts kept; matches at the lowest threshold of the sensitivity table; those at ``threshold``.
    """
    rows = np.flatnonzero(usable)
    position = np.full(len(usable), -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    both = groups.matches.take(usable[groups.matches.left] & usable[groups.matches.right])
    loose = replace(both, left=position[both.left], right=position[both.right])
    strong = loose.take(loose.odds >= logit(threshold))
    return rows, loose, replace(strong, closeness=closeness(strong.odds, gamma))


def _trace(
    posts: PostTable,
    groups: Grouping,
    usable: NDArray[np.bool_],
    threshold: float,
    settings: TraceSettings,
    advance: Callable[[int], None],
) -> Findings:
    rows, loose, matches = among(groups, usable, threshold, settings.gamma)
    time = posts.timestamp[rows]
    edges = attribute(matches, time, innovation=settings.innovation, decay=settings.decay_days)
    reach = influence(edges, time, settings.passing_on)
    original = originality(edges, matches, len(rows))
    score = original * reach
    evidence = shuffled_clock(
        matches,
        time,
        tables.place_codes(posts, groups.place)[rows],
        groups.arrangement[rows],
        decay=edges.decay,
        innovation=settings.innovation,
        draws=settings.draws,
        seed=settings.seed,
        progress=advance,
    )
    low, high = rank_intervals(
        edges,
        time,
        original,
        innovation=settings.innovation,
        passing_on=settings.passing_on,
        draws=settings.bootstraps,
        seed=settings.seed,
    )
    thresholds, cuts = thresholds_around(threshold)
    thresholds[1], cuts[1] = threshold, logit(threshold)
    decays = [edges.decay / 2, edges.decay, edges.decay * 2]
    robustness = sensitivity(loose, time, settings, thresholds, decays, score, cuts)
    rank = ranks(score)
    return Findings(
        rows,
        time,
        matches,
        edges,
        reach,
        original,
        score,
        trees(edges, time),
        evidence,
        rank,
        np.minimum(low, rank),
        np.maximum(high, rank),
        robustness,
    )


def _assemble(
    posts: PostTable,
    groups: Grouping,
    found: Findings,
    clocks: NDArray[np.bool_],
    threshold: float,
    settings: TraceSettings,
) -> RoleModels:
    every = tables.role_models(posts, groups, found, clocks)
    edges = tables.edges(posts, groups, found)
    arrangements = tables.arrangements(every, found.evidence)
    places = tables.places(every)
    counts = count(posts, groups, found, clocks, len(edges))
    return RoleModels(
        tables.best_first(every),
        edges,
        arrangements,
        tables.authors(every),
        places,
        tables.curve(found.evidence),
        tables.robustness(found, threshold),
        counts,
        {
            "attributed": found.evidence.overall,
            "expected": found.evidence.overall_expected,
            "p_value": found.evidence.overall_p,
        },
        settings,
        threshold,
        found.edges.decay,
        notes(posts, groups, found, counts, settings),
    )
