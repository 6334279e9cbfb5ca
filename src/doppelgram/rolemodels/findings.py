"""A trace in sentences: what was found, and what it does not show."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from doppelgram.numbers import count, number, p_value, percent, plural
from doppelgram.rolemodels.result import ALPHA, LIKELY, WORDING, RoleModels
from doppelgram.rolemodels.spread import LEAST

WHAT_FOLLOWS = (
    "A follower of a post is a later post by somebody else that shows the same pose before the same place and has no "
    "likelier predecessor; followers of followers make the later generations."
)
WHAT_IS_ATTRIBUTED = (
    "Attributed followers count every later match by the share of it that falls to the post, where several came before."
)
HOW_TO_READ = (
    f"{WHAT_FOLLOWS} Direct followers are pictured first, underlined in blue, with others where there is room. "
    f"{WHAT_IS_ATTRIBUTED}"
)
LIMITS = (
    "A match and an order in time are no proof that anybody saw a picture. Posts that nobody collected, "
    "advertisements, guides and television may stand behind a whole arrangement, and the first post of a collection "
    "need not be the first of all. Times are those that the posts bear. Shuffled clocks keep how popular a place is "
    "and when, not how popular a pose is in general: a pose of one season, or one that became common everywhere, can "
    "look like influence, and so can friends who posed one after the other."
)


def place_text(place: Any) -> str:
    """The name of a place as a person writes it."""
    return str(place).replace("_", " ").strip()


def goes_beyond(post: Any) -> bool:
    """Whether a row of `RoleModels.role_models` is the likely origin of an arrangement that spreads beyond chance."""
    return bool(spreads(post) and post.origin >= LIKELY)


def spreads(row: Any) -> bool:
    """Whether the arrangement of a row of either table spreads more than shuffled clocks explain."""
    return bool(row.spread_q <= ALPHA)


def claim(post: Any) -> str:
    """What is said of one post, a row of `RoleModels.role_models`."""
    low, high = max(post.attributed - post.excess_high, 0.0), post.attributed - post.excess_low
    explained = post.attributed - post.excess
    if pd.isna(post.spread_q):
        verdict = f"Precedes and matches; its arrangement has fewer than {LEAST} authors, too few for a test"
    elif spreads(post):
        verdict = f"{WORDING[0].upper()}{WORDING[1:]}"
    elif post.spread_p <= ALPHA:
        verdict = (
            "Precedes and matches; its arrangement would spread more than a shuffled clock explains if it were the "
            "only one, but not among all that were tested"
        )
    else:
        verdict = "Precedes and matches, though its arrangement spreads no more than a shuffled clock explains"
    test = "" if pd.isna(post.spread_q) else f" ({p_value(post.spread_p, 'p')}, {p_value(post.spread_q, 'q')})"
    origin = f" Given that, the others go back to it with a probability of {percent(post.origin, 0)}."
    return (
        f"{verdict}{test}.{origin if spreads(post) else ''} It has {number(post.attributed)} attributed followers "
        f"where shuffled clocks leave {number(explained)} (95 % of them {number(low)} to {number(high)})."
    )


def about_arrangement(row: Any) -> str:
    """What is said of one arrangement, a row of `RoleModels.arrangements`."""
    if pd.isna(row.spread_q):
        return f"Has dated posts by fewer than {LEAST} authors, too few for a test."
    test = f"{p_value(row.spread_p, 'p')}, {p_value(row.spread_q, 'q')}"
    if not spreads(row):
        return f"Spreads no faster and in no more orderly steps than a shuffled clock explains ({test})."
    likely = "is the likely origin" if row.origin >= LIKELY else "is the likeliest origin, though not a likely one"
    return (
        f"Spreads faster, or in more orderly steps, than a shuffled clock explains ({test}). Given that, one post "
        f"{likely}, with a probability of {percent(row.origin, 0)}."
    )


def headline(found: RoleModels) -> str:
    """The strongest thing that is true, in a sentence or two."""
    counts = found.counts
    tested, spread, origin = (counts.get(name, 0) for name in ("tested", "spread", "origin"))
    if found.leaders.empty:
        return (
            "No post of this collection precedes and matches a post by somebody else, so that there is no role model "
            "to show."
        )
    if not tested:
        return (
            f"No arrangement has dated posts by {LEAST} authors or more, and fewer cannot be told from chance; so "
            "nothing is claimed of who set what."
        )
    those = f"(with posts by {LEAST} authors or more)"
    than = "faster, or in more orderly steps, than a shuffled clock explains"
    if not spread:
        which = plural(tested, "The one arrangement", f"None of {tested:,} arrangements")
        verb = plural(tested, "does not spread", "spreads")
        return f"{which} {those} {verb} {than}; nothing is claimed of who set what."
    which = f"{spread:,} of {count(tested, 'arrangement')} {those} {plural(spread, 'spreads', 'spread')} {than}"
    if not origin:
        return f"{which}; in none of them one post is the likely origin ({percent(LIKELY, 0)} or more)."
    where = plural(spread, "in it", f"in {origin:,} of them")
    return f"{which}; {where} one post is the likely origin ({percent(LIKELY, 0)} or more)."


def lead(found: RoleModels) -> str:
    """The paragraph under the title."""
    if found.leaders.empty:
        return f"{headline(found)} Below stands what was compared and what was left out."
    return (
        f"{headline(found)} An arrangement is a pose before a place; its origin is the earliest post that later posts "
        f"by other people go back to. Of such claims {percent(ALPHA, 0)} may be due to chance (false discovery rate)."
    )


def overall(found: RoleModels) -> str:
    """Whether anything follows anything."""
    attributed, expected, p = (found.overall.get(key, math.nan) for key in ("attributed", "expected", "p_value"))
    if math.isnan(p) or not found.counts.get("edges", 0):
        return "No post precedes and matches another's, so that there is nothing to compare with shuffled clocks."
    verdict = "more than" if p <= ALPHA and attributed > expected else "no more than"
    return (
        f"All posts together have {number(attributed)} attributed followers; with the clock shuffled within each place "
        f"they have {number(expected)} on average. That is {verdict} a shuffled clock explains ({p_value(p, 'p')})."
    )


def left_out(found: RoleModels) -> list[list[str]]:
    """What was traced and what was left out: numbers and words, as rows of a table."""
    counts = found.counts
    rows = [
        ("posts", "posts in the collection"),
        ("traced", "of them in the graph"),
        ("undated", "without a date, kept out"),
        ("clock_not_set", "with the time of a clock that was never set, kept out"),
        ("reposts", "that show the photograph of an earlier post again"),
        ("aside", "of these not counted, so that they are no new arrangement"),
        ("nobody", "in which nobody was found, so that there is no pose, kept out"),
        ("no_author", "by an author who is not known, each taken for a person of its own"),
        ("tied", "matches at the same second, which are in no order"),
        ("capped", "with more matches than are kept for a post"),
        ("unreadable", "whose picture is missing or broken"),
    ]
    return [[f"{counts[key]:,}", words] for key, words in rows if key in counts and (counts[key] or key == "traced")]


def robustness_note(table: pd.DataFrame, top: int) -> str:
    """The sentence over the table of robustness."""
    others = table[~table["used"].astype(bool)]
    if others.empty:
        return ""
    least = float(others["kept"].min())
    same = int(others["same_first"].astype(bool).sum())
    return (
        f"Under {count(len(others), 'other setting')} of threshold and decay, at least {percent(least, 0)} of the "
        f"leading {top} posts stay among them, and the first is the same in {same} of {len(others)}."
    )
