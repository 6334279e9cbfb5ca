"""The codebook of a trace: what each column of each table holds, as a repository of data asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from doppelgram.files import written_whole
from doppelgram.rolemodels.meanings import MEANINGS
from doppelgram.rolemodels.result import RoleModels

CODEBOOK_FILE = "codebook.csv"

TEXT, TIME, WHOLE, NUMBER, FLAG = "text", "time", "whole number", "number", "true or false"
_NEVER = "never missing"
_POST, _PROBABILITY, _ATTRIBUTED, _DAYS = "path of a photograph", "probability", "attributed followers", "days"
_UTC = "UTC, ISO 8601"


class Column(NamedTuple):
    """What a column of a table holds.

    Attributes:
        name: of the column.
        type: of its values.
        unit: of its values; empty where they have none.
        meaning: in a sentence.
        missing: what an empty cell means.
    """

    name: str
    type: str
    unit: str
    meaning: str
    missing: str = _NEVER


_UNTRACED = "the post was not traced; see status"
_NO_MATCH = "the post was not traced, or matches no post of another author"
_TOO_SMALL = "in no arrangement, or in one that is too small to be tested"
_NOBODY = "nobody is said to have posted it"
_NO_TIME = "no time is known"
_NO_FOLLOWER = "no follower, or the post was not traced"
_SUM = "Sum over the posts: "


def _said(name: str, type_: str, unit: str = "", missing: str = _NEVER, key: str = "", before: str = "") -> Column:
    """A column whose meaning is that of the report."""
    meaning = MEANINGS[key or name]
    return Column(name, type_, unit, before + (meaning[0].lower() + meaning[1:] if before else meaning), missing)


def _sums(*names: str) -> tuple[Column, ...]:
    """Columns that add up those of the posts."""
    units = {"followers": (WHOLE, "posts"), "excess": (NUMBER, _ATTRIBUTED), "attributed": (NUMBER, _ATTRIBUTED)}
    return tuple(_said(name, *units.get(name, (NUMBER, "")), before=_SUM) for name in names)


_BEST = Column("best", TEXT, _POST, "The post with the highest score.")

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "role_models": (
        Column("path", TEXT, _POST, "The post; the key of this table."),
        Column("arrangement", TEXT, "", "The arrangement that the post is of; see arrangements.csv.", "it shares none"),
        Column("place_score", NUMBER, _PROBABILITY, "Mean over the matches: that both show the same place.", _NO_MATCH),
        Column("pose_score", NUMBER, _PROBABILITY, "Mean over the matches: that both show the same pose.", _NO_MATCH),
        Column("author", TEXT, "", "Who posted it.", _NOBODY),
        Column("timestamp", TIME, _UTC, "When it was posted.", _NO_TIME),
        Column("parent", TEXT, _POST, "Its most likely predecessor.", "nobody is likelier, or it was not traced"),
        _said("influence", NUMBER, missing=_UNTRACED),
        _said("originality", NUMBER, _PROBABILITY, _UNTRACED),
        _said("score", NUMBER, missing=_UNTRACED),
        _said("followers", WHOLE, "posts", _UNTRACED),
        _said("excess", NUMBER, _ATTRIBUTED, _UNTRACED),
        _said("origin", NUMBER, _PROBABILITY, _UNTRACED),
        Column("rank_low", WHOLE, "", "Lower end of the 95 % interval of the rank.", _UNTRACED),
        Column("rank_high", WHOLE, "", "Upper end of the 95 % interval of the rank.", _UNTRACED),
        _said("spread_p", NUMBER, "p-value", _TOO_SMALL, before="Of its arrangement: "),
        _said("spread_q", NUMBER, "q-value", _TOO_SMALL, before="Of its arrangement: "),
        Column("rank", WHOLE, "", "Place in the order of scores, 1 for the highest.", _UNTRACED),
        _said("attributed", NUMBER, _ATTRIBUTED, _UNTRACED),
        Column("excess_low", NUMBER, _ATTRIBUTED, "Lower end of the 95 % interval of the excess.", _UNTRACED),
        Column("excess_high", NUMBER, _ATTRIBUTED, "Upper end of the 95 % interval of the excess.", _UNTRACED),
        Column("follower_authors", WHOLE, "authors", "How many different authors the followers have.", _UNTRACED),
        _said("total_followers", WHOLE, "posts", _UNTRACED),
        Column("depth", WHOLE, "steps", "The longest chain of followers of followers below the post.", _UNTRACED),
        Column("half_life", NUMBER, _DAYS, "Time until half of what is attributed to it was posted.", _NO_FOLLOWER),
        Column("first_repeat", TIME, _UTC, "Time of the first post below it.", _NO_FOLLOWER),
        Column("last_repeat", TIME, _UTC, "Time of the last post below it.", _NO_FOLLOWER),
        Column("place", TEXT, "", "Its place as it was labelled, or else by the photographs: 'place N'."),
        Column("reposts", WHOLE, "posts", "Later posts of the same photograph."),
        Column("repost_of", TEXT, _POST, "The first post of the same photograph.", "it is the first"),
        Column(
            "status",
            TEXT,
            "",
            "'traced', or why not: 'repost', 'undated', 'clock not set', 'nobody in it' (no person was found).",
        ),
    ),
    "edges": (
        Column("source", TEXT, _POST, "The earlier post."),
        Column("target", TEXT, _POST, "The later post, by another author."),
        _said("attribution", NUMBER, "share", key="share", before="Of the target, with the source as predecessor: "),
        _said("probability", NUMBER, _PROBABILITY),
        Column("place_score", NUMBER, _PROBABILITY, "That both show the same place."),
        Column("pose_score", NUMBER, _PROBABILITY, "That both show the same pose."),
        Column("lag_days", NUMBER, _DAYS, "Time from the source to the target."),
        Column("is_parent", FLAG, "", "Whether the source is the target's most likely predecessor."),
        Column("arrangement", TEXT, "", "The target's arrangement.", "it shares none"),
        Column(
            "view_points",
            WHOLE,
            "points",
            "Matched points of the same view; 0 where they are too few to say so.",
            "nobody looked",
        ),
    ),
    "arrangements": (
        Column("arrangement", TEXT, "", "A pose before a place; the key of this table."),
        Column("posts", WHOLE, "posts", "How many posts show it."),
        Column("authors", WHOLE, "authors", "How many different authors posted it."),
        Column("place", TEXT, "", "The place of the role model."),
        Column("role_model", TEXT, _POST, "The post with the highest score."),
        Column("earliest", TEXT, _POST, "The first traced post.", "none was traced"),
        _said("first", TIME, _UTC, "none was traced"),
        _said("last", TIME, _UTC, "none was traced"),
        Column("author", TEXT, "", "Who posted the role model.", _NOBODY),
        _said("score", NUMBER, missing=_UNTRACED, before="Of the role model: "),
        _said("followers", WHOLE, "posts", _UNTRACED, before="Of the role model: "),
        _said("total_followers", WHOLE, "posts", _UNTRACED, before="Of the role model: "),
        _said("excess", NUMBER, _ATTRIBUTED, _UNTRACED, before="Of the role model: "),
        Column("spread_authors", WHOLE, "authors", "Authors with a dated post, which the test counts."),
        _said("spread_p", NUMBER, "p-value", "too small to be tested"),
        _said("spread_q", NUMBER, "q-value", "too small to be tested"),
        Column("shuffles", WHOLE, "shuffles", "Shuffled clocks that the test took; 0 where there was none."),
        Column("originator", TEXT, _POST, "The post that is likeliest to be the origin.", "none was traced"),
        _said("origin", NUMBER, _PROBABILITY, "none was traced", before="Of the originator: "),
    ),
    "authors": (
        Column("author", TEXT, "", "Who posted; the key of this table."),
        Column("posts", WHOLE, "posts", "How many posts are by this author."),
        *_sums("influence", "score", "attributed", "excess", "followers"),
        Column("follower_authors", WHOLE, "authors", _SUM + "how many different authors the followers have."),
        _said("arrangements_led", WHOLE, "arrangements", key="led"),
        _BEST,
    ),
    "places": (
        Column("place", TEXT, "", "As in role_models.csv; the key of this table."),
        Column("posts", WHOLE, "posts", "How many posts show it."),
        Column("authors", WHOLE, "authors", "How many different authors posted it."),
        Column("arrangements", WHOLE, "arrangements", "How many arrangements are before it."),
        *_sums("influence", "attributed", "excess"),
        _BEST,
    ),
    "curve": (
        Column("days", NUMBER, _DAYS, "Time after the predecessor."),
        Column("observed", NUMBER, _ATTRIBUTED, "All shares attributed within so many days."),
        Column("expected", NUMBER, _ATTRIBUTED, "The same on average where clocks are shuffled."),
        Column("low", NUMBER, _ATTRIBUTED, "Lower end of 95 % of the shuffled clocks."),
        Column("high", NUMBER, _ATTRIBUTED, "Upper end of 95 % of the shuffled clocks."),
    ),
    "robustness": (
        Column("threshold", NUMBER, _PROBABILITY, "From which two posts match, as tried here."),
        Column("decay_days", NUMBER, _DAYS, "How fast a predecessor is forgotten, as tried here."),
        Column("kept", NUMBER, "share", "Of the leading posts, those that lead here too."),
        Column("same_first", FLAG, "", "Whether the first post is the same."),
        Column("correlation", NUMBER, "Spearman's rho", "Of the scores here and as used.", "fewer than three scores"),
        Column("used", FLAG, "", "Whether these are the settings that were used."),
    ),
}
"""By the name of the table, in the order of its columns."""

_FURTHER = "as the posts gave it; no program of this project made it"


def codebook(found: RoleModels) -> pd.DataFrame:
    """The columns of the tables of a trace, a row each, further columns of the posts after those of ``role_models``.

    Its columns are ``file``, ``column``, ``type``, ``unit``, ``meaning`` and ``missing``.
    """
    return pd.DataFrame(list(_rows(found)), columns=["file", "column", "type", "unit", "meaning", "missing"])


def _rows(found: RoleModels) -> Iterator[tuple[str, ...]]:
    for table, columns in COLUMNS.items():
        known = {column.name: column for column in columns}
        for name in getattr(found, table).columns:
            further = Column(name, TEXT, "", f"A column of the posts, {_FURTHER}.", "the posts did not say")
            yield f"{table}.csv", *known.get(name, further)


def write_codebook(found: RoleModels, folder: Path) -> Path:
    """Write ``codebook.csv``.

    Raises:
        DoppelgramError: the folder cannot be written.
    """
    with written_whole(folder / CODEBOOK_FILE) as aside:
        codebook(found).to_csv(aside, index=False, lineterminator="\n", errors="replace")
    return folder / CODEBOOK_FILE
