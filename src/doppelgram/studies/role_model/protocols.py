"""How place and pose are evaluated without leaks: the closed and the open protocol, and the pairs of each.

A post is one person before one photograph of a place. Persons stand in several posts and so do photographs, so that
posts hang together in one large piece: no division of persons and photographs into parts keeps every post, because
some person of one part stands before a photograph of another. Such posts are left out, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.dataset.collection import Collection, codes
from doppelgram.dataset.image_table import columns_by_path
from doppelgram.dataset.pairs import Index, Pairs
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split
from doppelgram.dataset.tables import read_table, table_in
from doppelgram.errors import DoppelgramError
from doppelgram.studies.role_model.pairs import make_pairs

APART = ("person", "photo")
NEGATIVES = ("same place, other pose", "other place, same pose")
SHARES = {"train": 0.57, "val": 0.17, "test": 0.26}
_SWEEPS = 80
_EVENNESS = 1.0  # weight of even classes against kept posts


@dataclass(frozen=True)
class Protocol:
    """A division of posts into parts that share neither a person nor a photograph.

    Attributes:
        name: ``closed`` (test places and poses are known from training) or ``open`` (they are not).
        split: the part of every post that is kept, and of bare places.
        left_out: number of posts whose person and photograph would fall into different parts.
        places, poses: in the open protocol, the places and poses of each part; empty in the closed one.
    """

    name: str
    split: Split
    left_out: int
    places: dict[str, tuple[str, ...]]
    poses: dict[str, tuple[str, ...]]


def read_grouped_posts(data: Path, truth: Path | None = None) -> Collection:
    """Posts with the columns ``person`` and ``photo`` that a fair test needs, compared by place and pose.

    Args:
        data: folder ``<place>/<pose>/`` or table, as `read_collection` takes it.
        truth: table with the columns ``path``, ``person`` and ``photo``; by default ``truth.csv`` in the folder.
            It is for splitting and scoring only: nothing is trained on it.

    Raises:
        DoppelgramError: the table is missing, lacks a column, or does not name a post.
    """
    collection = read_collection(data).with_label("place+pose")
    folder = data if data.is_dir() else data.parent
    file = truth or table_in(folder, "truth") or folder / "truth.csv"
    if not file.is_file():
        raise DoppelgramError(f"{file}: there is no such table; it names the person and the photo of every post")
    groups = read_table(file, ("path", *APART), "a table of persons and photos")
    groups.require_unique()
    found = columns_by_path(collection.names, groups.rows, APART)
    for column in APART:
        unknown = ((collection.table["pose"] != "") & (found[column] == "")).to_numpy()
        if unknown.any():
            raise DoppelgramError(f"{file}: the {column} of {collection.names[unknown.argmax()]!r} is not named")
    return replace(collection, table=collection.table.assign(**{name: found[name] for name in APART}))


def closed_protocol(posts: Collection, shares: dict[str, float] = SHARES, seed: int = 0) -> Protocol:
    """Persons and photographs are divided so that most posts are kept; test places and poses are known from training.

    Simulated annealing over the part of every person and every photograph: a post is kept when both are in the same
    part. What is maximised is the number of kept posts, less the squared deviation of every place's and every pose's
    count in a part from its share. Bare places go where their photograph goes.

    Args:
        posts: as `read_grouped_posts` returns them.
        shares: of the kept posts, for ``train``, ``val`` and ``test``.
        seed: the same seed gives the same division.
    """
    names = tuple(shares)
    posed = np.flatnonzero(posts.column("pose") != "")
    nodes, post_nodes = _nodes(posts, posed)
    kinds = [codes(posts.column(column)[posed])[1] for column in ("place", "pose")]
    part = _anneal(post_nodes, kinds, nodes, np.array(list(shares.values())), np.random.default_rng(seed))
    kept = part[post_nodes[:, 0]] == part[post_nodes[:, 1]]
    assigned = np.full(len(posts), -1)
    assigned[posed[kept]] = part[post_nodes[kept, 0]]
    photo = {value: part[node] for value, node in zip(posts.column("photo")[posed], post_nodes[:, 1], strict=True)}
    # A bare place's photograph that stands in no post, or is not named, may be trained on and cannot leak.
    for row in np.flatnonzero(posts.column("pose") == ""):
        assigned[row] = photo.get(posts.column("photo")[row], 0)
    return Protocol("closed", _split(posts, assigned, names, seed), int((~kept).sum()), {}, {})


def _nodes(posts: Collection, posed: Index) -> tuple[int, Index]:
    """Number of persons and photographs, and of each post the two as (m, 2) node numbers."""
    persons, person = codes(posts.column("person")[posed])
    photos, photo = codes(posts.column("photo")[posed])
    return len(persons) + len(photos), np.stack([person, photo + len(persons)], 1)


def _anneal(
    posts: Index, kinds: list[Index], nodes: int, shares: NDArray[np.float64], rng: np.random.Generator
) -> Index:
    """Part of every node (nodes,) by simulated annealing; see `closed_protocol`."""
    of_node: list[list[int]] = [[] for _ in range(nodes)]
    for post, pair in enumerate(posts.tolist()):
        for node in pair:
            of_node[node].append(post)
    other = posts.sum(1)  # other end of a post = sum of both ends less this end
    columns = np.stack([kinds[0], kinds[1] + kinds[0].max() + 1], 1)
    sizes = np.bincount(columns.ravel()).astype(np.float64)
    part = rng.choice(len(shares), nodes, p=shares)
    counts = np.zeros((len(shares), len(sizes)))  # kept posts of each part and class
    whole = part[posts[:, 0]] == part[posts[:, 1]]
    np.add.at(counts, (part[posts[whole, 0]][:, None], columns[whole]), 1)

    def unevenness(counts: NDArray[np.float64], rows: list[int], touched: Index) -> float:
        target = shares[rows][:, None] * sizes[touched]
        return float((((counts[rows][:, touched] - target) ** 2) / target).sum())

    for sweep in range(_SWEEPS):
        heat = 2.0 * (1 - sweep / (_SWEEPS - 1)) + 1e-3
        for node in rng.permutation(nodes).tolist():
            mine = np.array(of_node[node])
            old, new = int(part[node]), int(rng.integers(len(shares)))
            if old == new:
                continue
            ends = part[other[mine] - node]
            lost, gained = columns[mine[ends == old]], columns[mine[ends == new]]
            if not len(lost) and not len(gained):
                part[node] = new
                continue
            touched = np.unique(np.concatenate([lost.ravel(), gained.ravel()]))
            before = unevenness(counts, [old, new], touched)
            np.subtract.at(counts[old], lost.ravel(), 1)
            np.add.at(counts[new], gained.ravel(), 1)
            gain = len(gained) - len(lost) - _EVENNESS * (unevenness(counts, [old, new], touched) - before)
            if gain >= 0 or rng.random() < np.exp(gain / heat):
                part[node] = new
            else:
                np.add.at(counts[old], lost.ravel(), 1)
                np.subtract.at(counts[new], gained.ravel(), 1)
    return np.asarray(part, dtype=np.int64)


def open_protocol(posts: Collection, seed: int = 0, trials: int = 3000) -> Protocol:
    """Whole places and whole poses are held out: no test place and no test pose was seen in training.

    About a third of the places and of the poses are for testing, and of the rest a third for validation. Of
    ``trials`` random choices the one is taken that keeps most posts in its smallest part, relative to its share. A post
    whose place and pose fall into different parts is left out, and so is one whose person or photograph also
    stands in another part.

    Raises:
        DoppelgramError: there are fewer than six places or six poses with posts.
    """
    place, pose = posts.column("place"), posts.column("pose")
    posed = pose != ""
    places, poses = np.unique(place[posed]), np.unique(pose[posed])
    if len(places) < 6 or len(poses) < 6:
        raise DoppelgramError(
            f"{posts.root}: the open protocol holds out whole places and poses and needs six of each; "
            f"there are {len(places)} places and {len(poses)} poses"
        )
    table = pd.crosstab(place[posed], pose[posed]).to_numpy()
    rng = np.random.default_rng(seed)
    sizes = [_thirds(len(places)), _thirds(len(poses))]
    best, choice = -1.0, (np.zeros(0), np.zeros(0))
    for _ in range(trials):
        rows, columns = (rng.permutation(np.repeat([0, 1, 2], size)) for size in sizes)
        blocks = [table[rows == part][:, columns == part] for part in range(3)]
        # In a test or validation block each place needs two poses and each pose two places, or a kind of negative is
        # missing there.
        usable = [float(block[:, (block > 0).sum(0) > 1][(block > 0).sum(1) > 1].sum()) for block in blocks]
        worth = min(usable[1] / 1.0, usable[2] / 2.0, blocks[0].sum() / 3.0)
        if worth > best:
            best, choice = worth, (rows, columns)
    of_place = dict(zip(places.tolist(), choice[0].tolist(), strict=True))
    of_pose = dict(zip(poses.tolist(), choice[1].tolist(), strict=True))
    assigned = np.array([of_place.get(value, -1) for value in place])
    assigned[posed] = np.where(assigned[posed] == [of_pose[value] for value in pose[posed]], assigned[posed], -1)
    _drop_shared(posts, assigned)
    names = ("train", "val", "test")
    held = {
        kind: {name: tuple(k for k, v in of.items() if v == part) for part, name in enumerate(names)}
        for kind, of in (("places", of_place), ("poses", of_pose))
    }
    left_out = int((assigned[posed] < 0).sum())
    return Protocol("open", _split(posts, assigned, names, seed), left_out, held["places"], held["poses"])


def _thirds(n: int) -> list[int]:
    """How many of n classes go to training, validation and testing: about 4/9, 2/9 and 1/3, two each at least."""
    test = max(2, round(n / 3))
    val = max(2, round(n * 2 / 9))
    return [n - test - val, val, test]


def _drop_shared(posts: Collection, assigned: NDArray[Any]) -> None:
    """Leave out, in place, training and validation posts that share a person or a photograph with a later part."""
    for column in APART:
        values = posts.column(column)
        for part in (2, 1):
            taken = set(values[(assigned == part) & (values != "")])
            assigned[(assigned >= 0) & (assigned < part) & np.isin(values, sorted(taken))] = -1


def _split(posts: Collection, assigned: NDArray[Any], names: tuple[str, ...], seed: int) -> Split:
    parts = {path: names[part] for path, part in zip(posts.names, assigned.tolist(), strict=True) if part >= 0}
    return Split(parts, "person+photo", seed)


def protocol_pairs(posts: Collection, n: int, seed: int = 0) -> Pairs:
    """Distinct pairs of posts: half the same arrangement, a quarter each of the two hard negatives.

    No pair shares a person or a photograph. Hard negatives are the same place in another pose and the same pose at
    another place.

    Args:
        posts: of one part, with the columns ``person`` and ``photo``; bare places are passed over.
        n: number of pairs; fewer are returned where there are not as many distinct ones, still balanced.

    Returns:
        Pairs by row of ``posts``, in random order.

    Raises:
        DoppelgramError: there is no pair of one kind.
    """
    posed = np.flatnonzero(posts.column("pose") != "")
    with_pose = posts.take(posed)
    drawn: list[list[Index]] = [[], [], []]
    for part, rule in enumerate(NEGATIVES):
        pairs = make_pairs(with_pose, 6 * n, seed=2 * seed + part, rule=rule, apart=APART)
        ends = np.sort(np.stack([pairs.a, pairs.b], 1), axis=1)
        drawn[0].append(ends[pairs.same])
        drawn[1 + part].append(ends[~pairs.same])
    distinct = [_first_distinct(np.concatenate(pairs)) for pairs in drawn]
    quarter = min(n // 4, len(distinct[0]) // 2, len(distinct[1]), len(distinct[2]))
    rng = np.random.default_rng(seed)
    chosen = np.concatenate([distinct[0][: 2 * quarter], distinct[1][:quarter], distinct[2][:quarter]])
    order = rng.permutation(len(chosen))
    flip = rng.random(len(chosen)) < 0.5
    chosen = np.where(flip[:, None], chosen[:, ::-1], chosen)[order]
    return Pairs(posed[chosen[:, 0]], posed[chosen[:, 1]], order < 2 * quarter)


def _first_distinct(ends: Index) -> Index:
    """Rows (m, 2) without repetitions, in the order in which they first came."""
    _, first = np.unique(ends, axis=0, return_index=True)
    return np.asarray(ends[np.sort(first)])
