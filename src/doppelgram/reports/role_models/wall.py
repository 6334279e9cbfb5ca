"""A wall: the posts of one arrangement through time as one picture for print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from doppelgram.numbers import count, day, p_value, percent
from doppelgram.reports.drawing import BLUE, FAINT, INK, Sheet, tile_of
from doppelgram.reports.role_models.history import UNKNOWN_AUTHOR
from doppelgram.reports.role_models.photographs import Pictures
from doppelgram.rolemodels.findings import place_text, spreads
from doppelgram.rolemodels.result import LIKELY, RoleModels

# 2,480 pixels are the width of an A4 page at 300 dots an inch.
WIDTH, MARGIN, GAP, COLUMNS = 2480, 110, 34, 6
MOST_WALLS, MOST_POSTS = 12, 60
_TILE = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) // COLUMNS
_HEAD, _CAPTION = 250, 112


def write_walls(found: RoleModels, folder: Path, pictures: Pictures) -> list[Path]:
    """Write ``walls/<arrangement>.png`` for the arrangements that spread, the most certain first, else the largest.

    Args:
        found: the trace.
        folder: of the report.
        pictures: looks a post's picture up.
    """
    table = found.arrangements
    for old in (folder / "walls").glob("*.png"):  # an earlier trace may have shown what this one must not
        old.unlink()
    chosen = table[table["spread_q"].notna()].sort_values(["spread_q", "posts"], ascending=[True, False], kind="stable")
    return [
        wall(row, found, pictures).save(folder / "walls" / f"{row.arrangement}.png")
        for row in chosen.head(MOST_WALLS).itertuples(index=False)
    ]


def wall(row: Any, found: RoleModels, pictures: Pictures) -> Sheet:
    """One arrangement, a row of `RoleModels.arrangements`: its dated posts from the first to the last."""
    posts = found.traced
    posts = posts[posts["arrangement"] == row.arrangement].sort_values(["timestamp", "path"], kind="stable")
    shown = posts.head(MOST_POSTS)
    lines = -(-len(shown) // COLUMNS)
    sheet = Sheet(WIDTH, _HEAD + lines * (_TILE + _CAPTION + GAP) + MARGIN)
    room = WIDTH - 2 * MARGIN
    sheet.write((MARGIN, 130), f"{row.arrangement}  {place_text(row.place)}", 64, room=room)
    sheet.write((MARGIN, 198), _about(row, len(posts), len(shown)), 36, FAINT, room=room)
    for k, post in enumerate(shown.itertuples(index=False)):
        x = MARGIN + k % COLUMNS * (_TILE + GAP)
        y = _HEAD + k // COLUMNS * (_TILE + _CAPTION + GAP)
        likely = spreads(row) and post.path == row.originator and row.origin >= LIKELY
        picture = pictures(str(post.path), 480)
        if likely:
            sheet.square((x - 12, y - 12), _TILE + 24, 16, BLUE)
        sheet.square((x, y), _TILE, 8, tile_of(None if picture is None else picture.jpeg, _TILE))
        when = "" if pd.isna(post.timestamp) else day(post.timestamp)
        sheet.write((x, y + _TILE + 48), when, 34, INK, room=_TILE)
        about = str(post.author) or UNKNOWN_AUTHOR
        sheet.write((x, y + _TILE + 90), f"likely origin, {about}" if likely else about, 30, FAINT, room=_TILE)
    return sheet


def _about(row: Any, posts: int, shown: int) -> str:
    parts = [count(posts, "dated post") + (f", the first {shown} shown" if shown < posts else "")]
    if spreads(row):
        parts.append(f"spreads more than a shuffled clock explains ({p_value(row.spread_q, 'q')})")
        parts.append(f"probability of the likeliest origin {percent(row.origin, 0)}")
    else:
        parts.append(f"spreads no more than a shuffled clock explains ({p_value(row.spread_q, 'q')})")
    return "; ".join(parts)
