"""A trace in sentences: what was found, by what method, and what it does not show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from doppelgram.numbers import count, number, p_value, percent
from doppelgram.rolemodels.result import WORDING, RoleModels

# A post counts as one that goes beyond the shuffled clock at this false discovery rate.
ALPHA = 0.05

HOW_TO_READ = (
    "A follower of a post is a later post by somebody else that shows the same pose before the same place and has no "
    "likelier predecessor; followers of followers make the later generations. Direct followers are pictured first, "
    "underlined in blue, with others where there is room. Attributed "
    "followers count every later match by the share of it that falls to the post, where several came before."
)
LIMITS = (
    "A match and an order in time are no proof that anybody saw a picture. Posts that nobody collected, "
    "advertisements, guides and television may stand behind a whole arrangement, and the first post of a collection "
    "need not be the first of all. Times are those that the posts bear. Shuffled clocks keep how popular a place is "
    "and when, not how popular a pose is in general; a pose that became common everywhere can look like influence."
)


def place_text(place: Any) -> str:
    """The name of a place as a person writes it."""
    return str(place).replace("_", " ").strip()


def goes_beyond(post: Any) -> bool:
    """Whether a row of `RoleModels.role_models` has more followers than shuffled clocks explain."""
    return bool(post.q_value <= ALPHA and post.excess > 0)


def claim(post: Any) -> str:
    """What is said of one post, a row of `RoleModels.role_models`."""
    low, high = max(post.attributed - post.excess_high, 0.0), post.attributed - post.excess_low
    explained = post.attributed - post.excess
    if goes_beyond(post):
        verdict = f"{WORDING[0].upper()}{WORDING[1:]}"
    elif post.p_value <= ALPHA and post.excess > 0:
        verdict = (
            "Precedes and matches, more than a shuffled clock explains if this post is tested alone, "
            "but not if all posts that were tested are counted"
        )
    else:
        verdict = "Precedes and matches, though no more than a shuffled clock explains"
    return (
        f"{verdict}: {number(post.attributed)} attributed followers where shuffled clocks leave {number(explained)} "
        f"(95 % of them {number(low)} to {number(high)}; p = {p_value(post.p_value)}, q = {p_value(post.q_value)})."
    )


def lead(found: RoleModels) -> str:
    """The paragraph under the title."""
    leaders = found.leaders
    beyond = int(((leaders["q_value"] <= ALPHA) & (leaders["excess"] > 0)).sum())
    if leaders.empty:
        return (
            "No post of this collection precedes and matches a post by somebody else, so that there is no role model "
            "to show. Below stands what was compared and what was left out."
        )
    which = f"{beyond:,}" if beyond else "None"
    alone = int((leaders["p_value"] <= ALPHA).sum())
    found_beyond = (
        f"{which} of the {count(len(leaders), 'post')} that later posts of others match "
        f"{'precede and match' if beyond > 1 else 'precedes and matches'} more than a shuffled clock explains "
        f"(false discovery rate {percent(ALPHA, 0)}). Tested one by one, {alone:,} would (p ≤ {ALPHA:g}); "
        f"chance alone lets about {ALPHA * found.counts.get('tested', len(leaders)):.0f} through."
    )
    return (
        "Which posts set an arrangement, a pose before a place, that later posts by other people repeated? "
        + found_beyond
    )


def overall(found: RoleModels) -> str:
    """Whether anything follows anything."""
    attributed, expected, p = (found.overall.get(key, math.nan) for key in ("attributed", "expected", "p_value"))
    if math.isnan(p) or not found.counts.get("edges", 0):
        return "No post precedes and matches another's, so that there is nothing to compare with shuffled clocks."
    verdict = "more than" if p <= ALPHA and attributed > expected else "no more than"
    return (
        f"All posts together have {number(attributed)} attributed followers; with the clock shuffled within each place "
        f"they have {number(expected)} on average. That is {verdict} a shuffled clock explains (p = {p_value(p)})."
    )


def coarse(found: RoleModels) -> str:
    """A sentence where so few clocks were shuffled that no single post could stand out among so many."""
    tested, draws = found.counts.get("tested", 0), found.settings.draws
    alone = found.role_models["p_value"].le(ALPHA).sum()
    if not tested or tested / (draws + 1) <= ALPHA or not alone:
        return ""
    enough = math.ceil(tested / ALPHA / 1000) * 1000
    return (
        f"With {draws:,} shuffled clocks no p-value is below {1 / (draws + 1):.2g}, which is coarse for "
        f"{count(tested, 'post')} tested at once; {enough:,} of them (--draws) would let the strongest post stand out."
    )


def left_out(found: RoleModels) -> list[list[str]]:
    """What was traced and what was left out: numbers and words, as rows of a table."""
    counts = found.counts
    rows = [
        ("posts", "posts in the collection"),
        ("traced", "of them in the graph"),
        ("undated", "without a date, kept out"),
        ("clock_not_set", "with the time of a clock that was never set, kept out"),
        ("nobody", "in which nobody was found, so that there is no pose, kept out"),
        ("no_author", "by an author who is not known, each taken for a person of its own"),
        ("tied", "matches at the same second, which are in no order"),
        ("capped", "with more matches than are kept for a post"),
        ("unreadable", "whose picture is missing or broken"),
    ]
    return [[f"{counts[key]:,}", words] for key, words in rows if key in counts and (counts[key] or key == "traced")]


def method(found: RoleModels, about: Mapping[str, str]) -> list[str]:
    """Paragraphs on how the figures came about, with every parameter."""
    s = found.settings
    fitted = "fitted to the posts" if s.decay_days is None else "given"
    by_model = "the model's own" if s.threshold is None else "given"
    model = "; ".join(f"{name} {value}" for name, value in about.items() if value)
    return [
        "Two posts match where the calibrated probability that they show the same pose before the same place is "
        f"{found.threshold:.3g} or more ({by_model} threshold). Every match between different times is an edge from "
        "the earlier post to the later one; posts by one author give each other no influence. A post is shared out "
        "among those that precede and match it, in proportion to (odds of the match)^γ · exp(−time between / decay), "
        f"with γ = {s.gamma:g} and a decay of {found.decay_days:.3g} days ({fitted}), and a slot for nobody of weight "
        f"{s.innovation:g} in units of a typical match without delay. Influence adds these shares up, with "
        f"{s.damping:g} of the followers' own influence passed on, in one pass backwards in time. Originality is "
        "one less the highest probability of a match with an earlier post. The score, by which posts are ranked, is "
        "influence times originality.",
        "Arrangements are the communities of the graph of matches (connected components, split by modularity). The "
        f"shuffled clock deals the times of the posts out again within each place, {s.draws:,} times; p-values count "
        "the observed clock as one of the draws and are corrected for the number of posts by Benjamini and Hochberg's "
        f"procedure (q). Rank intervals hold 95 % of {s.bootstraps:,} bootstrap samples of the posts. Seed {s.seed}.",
        f"Made by {model}." if model else "",
    ]


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
