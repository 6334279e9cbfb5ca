"""A trace on the terminal: the leading posts as a table, and what a reader must know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from doppelgram.numbers import day, number, p_value
from doppelgram.rolemodels.findings import goes_beyond, lead

if TYPE_CHECKING:
    from doppelgram.rolemodels.result import RoleModels

MOST_ROWS = 10


def overview(found: RoleModels) -> RenderableType:
    """The lead, the leading posts and the notes; a star marks what a shuffled clock does not explain."""
    parts: list[RenderableType] = [Text(lead(found)), Text("")]
    leaders = found.role_models[(found.role_models["status"] == "traced") & (found.role_models["score"] > 0)]
    if len(leaders):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for name in ("rank", "95 %", "followers", "in all", "excess", "q"):
            table.add_column(name, justify="right")
        for name in ("", "author", "time", "path"):
            table.add_column(name, overflow="fold")
        shown: list[Any] = list(leaders.head(MOST_ROWS).itertuples(index=False))
        for rank, post in enumerate(shown, start=1):
            places = f"{post.rank_low}-{post.rank_high}"
            figures = [str(rank), places, str(post.followers), str(post.total_followers), number(post.excess)]
            figures += [p_value(post.q_value), "*" if goes_beyond(post) else ""]
            table.add_row(*figures, Text(str(post.author)), day(post.timestamp), Text(str(post.path)))
        parts += [table, Text("")]
        if any(goes_beyond(post) for post in shown):
            parts.append(Text("* precedes and matches, more than a shuffled clock explains"))
    parts += [Text(f"note: {note}") for note in found.notes]
    return Group(*parts)
