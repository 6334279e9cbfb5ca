"""From posts and their vectors to role models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.rolemodels import tables
from doppelgram.rolemodels.attribution import Matches, attribute, closeness
from doppelgram.rolemodels.averaging import averaged_places, neighbours_of
from doppelgram.rolemodels.candidates import find_pairs, neighbours_per_post
from doppelgram.rolemodels.clusters import Links, cluster
from doppelgram.rolemodels.groups import number_by_size
from doppelgram.rolemodels.influence import influence, originality, trees
from doppelgram.rolemodels.notes import count, notes
from doppelgram.rolemodels.null import shuffled_clock
from doppelgram.rolemodels.originator import originator_probability
from doppelgram.rolemodels.posts import PostTable, unset_clocks
from doppelgram.rolemodels.ranks import rank_intervals, ranks, sensitivity, thresholds_around
from doppelgram.rolemodels.reposts import reposts_of
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.scoring import Bool, Float32, Int64, JointScorer, PlaceScorer, logit
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.spread import spread
from doppelgram.rolemodels.traced import Findings, Grouping
from doppelgram.space.arrangement import ArrangementSpace

# Neighbours by place that hold a place together.
_PLACE_NEIGHBOURS = 16


def trace_posts(
    posts: PostTable,
    vectors: NDArray[Any],
    space: ArrangementSpace,
    settings: TraceSettings | None = None,
    progress: Callable[[int], None] | None = None,
    photograph: Int64 | None = None,
) -> RoleModels:
    """Find the arrangements, order each in time, and say which posts set them.

    Bare places, where nobody is seen, form no arrangement; posts without a usable time belong to arrangements but not
    to the graph. Nothing is written.

    Args:
        posts: who posted what, when and, if known, where.
        vectors: (n, space.dim) embeddings of an ArrangementModel, in the order of the posts.
        space: how they are made up and what their distances mean; adapted to the posts here.
        settings: parameters; the defaults if None.
        progress: called with 1 as work goes on, `TraceSettings.steps` times in all.
        photograph: (n,) number of the photograph of each post, the same for copies (`images.near_copies` or other
            knowledge); None: no two are the same.

    Raises:
        DoppelgramError: vectors do not fit, or hold a NaN.
    """
    settings = settings or TraceSettings()
    advance = progress or (lambda _: None)
    vectors = _checked(vectors, len(posts), space)
    space = space.adapted(vectors)
    neighbours = neighbours_of(len(posts), space)
    vectors, space = averaged_places(vectors, space, exact=len(posts) <= settings.exact_up_to, seed=settings.seed)
    threshold = space.calibration.threshold if settings.threshold is None else settings.threshold
    clocks = unset_clocks(posts.timestamp)
    again = reposts_of(posts, photograph, clocks)
    aside = (again >= 0) & (settings.reposts == "aside")
    groups = group_posts(posts, vectors, space, threshold, settings, aside)
    groups.arrangement[aside] = groups.arrangement[again[aside]]
    advance(2)
    usable = groups.people & ~aside & ~np.isnan(posts.timestamp) & ~clocks
    kept = vectors[usable]

    def pose_distance(left: Int64, right: Int64) -> NDArray[np.float64]:
        return space.part_distances(kept[left], kept[right])[1]

    found = _trace(posts, groups, usable, threshold, settings, pose_distance, advance)
    advance(1)
    every, edges = tables.role_models(posts, groups, found, clocks, again, aside), tables.edges(posts, groups, found)
    counts, evidence = count(posts, groups, found, clocks, again, aside, len(edges)), found.evidence
    counts["place_neighbours"] = neighbours
    result = RoleModels(
        role_models=tables.best_first(every),
        edges=edges,
        arrangements=tables.arrangements(every, found.spread),
        authors=tables.authors(every),
        places=tables.places(every),
        curve=evidence.curve,
        robustness=found.robustness,
        counts=counts,
        overall={
            "attributed": evidence.overall,
            "expected": evidence.overall_expected,
            "p_value": evidence.overall_p,
        },
        settings=settings,
        threshold=threshold,
        decay_days=found.edges.decay,
        notes=notes(posts, groups, found, counts, settings),
    )
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


def group_posts(
    posts: PostTable,
    vectors: Float32,
    space: ArrangementSpace,
    threshold: float,
    settings: TraceSettings,
    aside: Bool | None = None,
) -> Grouping:
    """Find matching pairs, arrangements and places; times do not matter here. Posts ``aside`` (n,) form none."""
    cut = logit(threshold)
    floor = min(thresholds_around(threshold).values())
    people = np.asarray((np.abs(space.split(vectors)[1]).sum(axis=2) > 0).any(axis=1))
    rows = np.flatnonzero(people if aside is None else people & ~aside)
    scorer = JointScorer(vectors[rows], space, floor)
    exact = len(posts) <= settings.exact_up_to
    neighbours = neighbours_per_post(len(rows), settings.neighbours)
    pairs = find_pairs(scorer, floor, neighbours=neighbours, exact=exact, seed=settings.seed)
    odds, place, pose = scorer.compare(pairs.left, pairs.right)
    strong = odds >= cut
    links = Links(pairs.left[strong], pairs.right[strong], odds[strong])
    labels = cluster(scorer, links, cut, seed=settings.seed)
    arrangement = np.full(len(posts), -1, dtype=np.int64)
    arrangement[rows] = number_by_size(labels, settings.min_posts)
    codes = posts.author_codes[rows]
    kept = (odds >= floor) & (labels[pairs.left] == labels[pairs.right]) & (arrangement[rows[pairs.left]] >= 0)
    left, right = pairs.left[kept], pairs.right[kept]
    same_author = codes[left] == codes[right]
    matches = Matches(rows[left], rows[right], odds[kept], place[kept], pose[kept], same_author, np.ones(len(left)))
    return Grouping(people, arrangement, _places(vectors, space, exact, settings.seed), matches, pairs)


def _places(vectors: Float32, space: ArrangementSpace, exact: bool, seed: int) -> Int64:
    """Places by the embeddings: posts that show the same place with a probability of a half or more, on average."""
    scorer = PlaceScorer(vectors, space, 0.0)
    pairs = find_pairs(scorer, 0.0, neighbours=_PLACE_NEIGHBOURS, exact=exact, seed=seed)
    links = Links(pairs.left, pairs.right, scorer.pairs(pairs.left, pairs.right))
    return number_by_size(cluster(scorer, links, 0.0, seed=seed), 1)


def matches_among(groups: Grouping, usable: Bool, threshold: float, gamma: float) -> tuple[Int64, Matches, Matches]:
    """The posts that can be traced, and the matches between them by their positions among these.

    ``usable`` (n,) says which posts to keep; ``threshold`` and ``gamma`` are as in `TraceSettings`.

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
    usable: Bool,
    threshold: float,
    settings: TraceSettings,
    pose_distance: Callable[[Int64, Int64], NDArray[np.float64]],
    advance: Callable[[int], None],
) -> Findings:
    rows, loose, matches = matches_among(groups, usable, threshold, settings.gamma)
    time = posts.timestamp[rows]
    edges = attribute(matches, time, innovation=settings.innovation, decay=settings.decay_days)
    reach = influence(edges, time, settings.damping)
    original = originality(edges, matches, len(rows))
    score, place = original * reach, tables.place_codes(posts, groups.place)[rows]
    rank = ranks(score)
    grouped = groups.arrangement[rows]
    tests = spread(grouped, time, posts.author_codes[rows], place, pose_distance, settings)
    advance(1)
    evidence = shuffled_clock(matches, time, place, settings, edges.decay, advance)
    low, high = rank_intervals(edges, time, original, settings)
    decays = [edges.decay / 2, edges.decay, edges.decay * 2]
    varied = sensitivity(loose, time, score, settings, thresholds_around(threshold), decays)
    varied["used"] = (varied["threshold"] == threshold) & (varied["decay_days"] == edges.decay)
    return Findings(
        rows=rows,
        time=time,
        matches=matches,
        edges=edges,
        influence=reach,
        originality=original,
        score=score,
        trees=trees(edges, time),
        evidence=evidence,
        spread=tests,
        origin=originator_probability(edges, matches, grouped, time),
        rank=rank,
        rank_low=np.minimum(low, rank),
        rank_high=np.maximum(high, rank),
        robustness=varied,
    )
