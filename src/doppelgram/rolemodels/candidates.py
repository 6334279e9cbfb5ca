"""Pairs of posts that may be of one arrangement, found without comparing all pairs.

Posts are put into cells by their place embeddings (k-means), and only posts of cells near each other are compared, a
block at a time by matrix products: an inverted file as in Sivic and Zisserman, Video Google (ICCV 2003), whose lists
are read for a whole cell of queries at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.groups import members_of
from doppelgram.rolemodels.scoring import Float32, Int64, Scorer
from doppelgram.space.parallel import in_parallel

# Posts in a cell on average, and cells compared with each. Measured in tests/rolemodels/test_candidates.py and
# benchmarks/rolemodels_scale.py.
CELL = 256
PROBES = 16
# Rows of one block of log-odds.
_ROWS = 512
# Matches of all posts together that are kept at least: with fewer than a thousand posts nothing is cut off.
_BUDGET = 1_000_000
_NEIGHBOURS = 64
# Log-odds within which matches count as equally good where only some are kept; rounding alone moves them by as much.
_TIE = np.float32(0.01)


@dataclass(frozen=True)
class Candidates:
    """Pairs of posts, each once, ``left < right``, sorted.

    Attributes:
        left, right: (m,) positions.
        capped: how many posts had more matches than were kept.
        exact: whether all pairs were compared.
    """

    left: Int64
    right: Int64
    capped: int
    exact: bool


def neighbours_per_post(posts: int, requested: int | None) -> int:
    """How many matches each post keeps: as many as requested, or more the fewer posts there are."""
    return requested if requested is not None else max(_NEIGHBOURS, _BUDGET // max(posts, 1))


def find_pairs(
    scorer: Scorer, floor: float, *, neighbours: int, exact: bool, seed: int, probes: int = PROBES
) -> Candidates:
    """All pairs whose log-odds reach ``floor``; of a post with more than ``neighbours`` only the best.

    A pair is kept if it is among the best of either post. That does not depend on time, so that the pairs are the
    same for every shuffle of the clock.

    Args:
        scorer: gives log-odds, and place embeddings of shape (n, d) to make cells of.
        floor: lowest log-odds.
        neighbours: matches kept for each post.
        exact: compare all pairs; few posts always are.
        seed: of the cells.
        probes: cells compared with each cell; more find more and take longer.
    """
    n = len(scorer.place)
    if n < 2:
        nobody = np.empty(0, dtype=np.int64)
        return Candidates(nobody, nobody, 0, True)
    exact = exact or n <= 2 * CELL
    jobs = list(blocks(scorer.place, exact=exact, seed=seed, probes=probes))
    codes: list[Int64] = [np.empty(0, dtype=np.int64)] * len(jobs)
    full = [0] * len(jobs)

    def compare(job: int) -> None:
        rows, columns = jobs[job]
        odds = scorer.block(rows, columns, bounded=True)
        hit = odds >= np.float32(floor)
        hit &= rows[:, None] != columns
        many = np.flatnonzero(hit.sum(axis=1) > neighbours)
        full[job] = len(many)
        if len(many):
            # Among equally good matches chance decides, or all posts would keep the same few.
            ties = np.random.default_rng([seed, 17, job]).random((len(many), len(columns)), dtype=np.float32)
            masked = np.where(hit[many], odds[many] + _TIE * ties, -np.inf)
            best = np.argpartition(-masked, neighbours - 1, axis=1)[:, :neighbours]
            hit[many] = False
            hit[many[:, None], best] = True
        where, which = np.nonzero(hit)
        a, b = rows[where], columns[which]
        codes[job] = np.minimum(a, b) * n + np.maximum(a, b)

    in_parallel(compare, range(len(jobs)))
    pairs = np.sort(np.concatenate(codes))
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])] if len(pairs) else pairs
    return Candidates(pairs // n, pairs % n, sum(full), exact)


def blocks(place: Float32, *, exact: bool, seed: int, probes: int = PROBES) -> Iterator[tuple[Int64, Int64]]:
    """Rows, each once, and the columns to compare them with: all, or those of cells near by; see `find_pairs`."""
    few = len(place) <= 2 * CELL
    return _all_blocks(len(place)) if exact or few else _cell_blocks(place, probes, seed)


def _all_blocks(n: int) -> Iterator[tuple[Int64, Int64]]:
    everything = np.arange(n)
    for start in range(0, n, _ROWS):
        yield everything[start : start + _ROWS], everything


def _cell_blocks(place: Float32, probes: int, seed: int) -> Iterator[tuple[Int64, Int64]]:
    """Blocks of posts of one cell, and all posts of the cells nearest to it."""
    cells, centres = make_cells(place, max(2, round(len(place) / CELL)), seed)
    members_by_cell = members_of(cells, len(centres))
    gaps = np.linalg.norm(centres[:, None] - centres, axis=2) if len(centres) < 1000 else _gaps(centres)
    near = np.argpartition(gaps, min(probes, len(centres) - 1), axis=1)[:, :probes]
    for cell, members in enumerate(members_by_cell):
        if len(members):
            columns = np.sort(np.concatenate([members_by_cell[k] for k in near[cell]]))
            for start in range(0, len(members), _ROWS):
                yield members[start : start + _ROWS], columns


def _gaps(centres: Float32) -> NDArray[np.float32]:
    norms = np.einsum("ij,ij->i", centres, centres)
    return np.asarray(np.maximum(norms[:, None] + norms - 2 * centres @ centres.T, 0))


def make_cells(place: Float32, count: int, seed: int, *, rounds: int = 8) -> tuple[Int64, Float32]:
    """Cell of each post, (n,), and centres of the cells, (c, d), by k-means (Lloyd 1982) on a sample of the posts.

    A cell of more than four times the average is cut into pieces of its posts in order of their first principal
    component, so that many posts of one place do not make one block of all pairs.
    """
    rng = np.random.default_rng([seed, 11])
    n = len(place)
    sample = place[np.sort(rng.permutation(n)[: max(64 * count, 4096)])]
    centres = sample[rng.permutation(len(sample))[:count]].copy()
    for _ in range(rounds):
        cells = _assign(sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, cells, sample)
        sizes = np.bincount(cells, minlength=len(centres))
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres).astype(np.float32)
    return _split_large(place, _assign(place, centres), centres, 4 * n // len(centres))


def _assign(points: Float32, centres: Float32) -> Int64:
    half = 0.5 * np.einsum("ij,ij->i", centres, centres)
    cells = np.empty(len(points), dtype=np.int64)
    step = max(1, 8_000_000 // len(centres))
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        cells[part] = np.argmax(points[part] @ centres.T - half, axis=1)
    return cells


def _split_large(place: Float32, cells: Int64, centres: Float32, most: int) -> tuple[Int64, Float32]:
    more = [centres]
    count = len(centres)
    for cell in np.flatnonzero(np.bincount(cells, minlength=count) > most).tolist():
        members = np.flatnonzero(cells == cell)
        spread = place[members] - centres[cell]
        axis = np.linalg.eigh(spread.T @ spread)[1][:, -1]
        pieces = np.array_split(members[np.argsort(spread @ axis, kind="stable")], -(-len(members) // most))
        for piece in pieces[1:]:
            cells[piece] = count
            more.append(place[piece].mean(axis=0, keepdims=True))
            count += 1
        more[0][cell] = place[pieces[0]].mean(axis=0)
    return cells, np.concatenate(more)
