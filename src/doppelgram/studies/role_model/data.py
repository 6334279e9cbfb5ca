"""Photographs, their split and the pairs: the data that all rungs of the ladder share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from doppelgram.dataset.collection import Collection, codes
from doppelgram.dataset.pairs import Index, Pairs
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split, split_by_image
from doppelgram.dataset.tables import table_in
from doppelgram.errors import DoppelgramError
from doppelgram.studies.role_model.protocols import (
    APART,
    closed_protocol,
    open_protocol,
    protocol_pairs,
    read_grouped_posts,
)

PROTOCOLS = ("closed", "open")
TEST_PAIRS, VALIDATION_PAIRS = 2000, 1000
UNGROUPED_NOTE = (
    "No table of persons and photos was given, so the photographs are split one by one: the same person, or "
    "photographs of one moment, may be on both sides, and the figures are too high."
)


@dataclass(frozen=True)
class Posts:
    """The readable posts with a place and a pose.

    Attributes:
        collection: their rows; ``person`` and ``photo`` are among the columns.
        place: (n,) number of each one's place.
        pose: (n,) number of each one's pose.
        grouped: whether persons and photos are known.
    """

    collection: Collection
    place: Index
    pose: Index
    grouped: bool

    @classmethod
    def of(cls, collection: Collection, grouped: bool) -> Posts:
        """Posts from a collection without bare places."""
        place, pose = (codes(collection.column(column))[1] for column in ("place", "pose"))
        return cls(collection, place, pose, grouped)


@dataclass(frozen=True)
class Trial:
    """One protocol on the posts.

    Attributes:
        name: ``closed`` or ``open``.
        split: part of each photograph, bare places included.
        rows: row positions of each part among the posts.
        validation: pairs that thresholds are chosen on, by row of the posts.
        test: pairs that are reported on.
        left_out: number of posts in no part.
        places, poses: those of each part where whole ones are held out.
    """

    name: str
    split: Split
    rows: dict[str, Index]
    validation: Pairs
    test: Pairs
    left_out: int
    places: dict[str, tuple[str, ...]]
    poses: dict[str, tuple[str, ...]]


def read_ladder_posts(data: Path, groups: Path | None) -> tuple[Collection, bool]:
    """All photographs of a folder or table of posts, and whether persons and photos are known.

    Args:
        data: ``<place>/<pose>/`` folders or a table with both columns.
        groups: table with ``path``, ``person`` and ``photo``; by default ``truth.csv`` beside the posts, if there.

    Raises:
        DoppelgramError: there are no places and poses, or a table cannot be used.
    """
    if groups is not None or table_in(data if data.is_dir() else data.parent, "truth") is not None:
        collection, grouped = read_grouped_posts(data, groups), True
    else:
        collection, grouped = read_collection(data), False
    for column in ("place", "pose"):
        if column not in collection.table.columns:
            raise DoppelgramError(f"{data}: the ladder needs posts by place and pose, <place>/<pose>/<image>")
    if not grouped:
        table = collection.table.assign(**dict.fromkeys(APART, collection.table["path"]))
        collection = Collection(collection.root, table, "place+pose", collection.notes)
    if not (collection.column("pose") != "").any():
        raise DoppelgramError(f"{data}: no photograph here shows a pose; only bare places are left")
    return collection.with_label("place+pose"), grouped


def make_trial(
    name: str,
    everything: Collection,
    posts: Posts,
    *,
    seed: int,
    test_pairs: int = TEST_PAIRS,
    validation_pairs: int = VALIDATION_PAIRS,
) -> Trial:
    """Split the photographs by a protocol and draw the pairs.

    Args:
        name: ``closed`` or ``open``.
        everything: the readable photographs, bare places included.
        posts: those with a pose.
        seed: of the split and the pairs.
        test_pairs: number of pairs reported on.
        validation_pairs: number of pairs that thresholds are chosen on.

    Raises:
        DoppelgramError: too few posts, places or poses for this protocol.
    """
    if name == "open":
        protocol = open_protocol(everything, seed)
        split, left_out, places, poses = protocol.split, protocol.left_out, protocol.places, protocol.poses
    elif posts.grouped:
        protocol = closed_protocol(everything, seed=seed)
        split, left_out, places, poses = protocol.split, protocol.left_out, {}, {}
    else:
        split, left_out, places, poses = split_by_image(posts.collection, seed=seed), 0, {}, {}
    rows = split.rows(posts.collection)
    drawn = {}
    for part, count in (("val", validation_pairs), ("test", test_pairs)):
        if not len(rows[part]):
            raise DoppelgramError(f"{everything.root}: the {name} protocol leaves no post for the {part} part")
        pairs = protocol_pairs(posts.collection.take(rows[part]), count, seed)
        drawn[part] = Pairs(rows[part][pairs.a], rows[part][pairs.b], pairs.same)
    return Trial(name, split, rows, drawn["val"], drawn["test"], left_out, places, poses)
