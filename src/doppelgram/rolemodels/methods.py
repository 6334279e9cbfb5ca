"""How the figures of a trace came about, with every parameter, in paragraphs for a paper."""

from __future__ import annotations

from collections.abc import Mapping

from doppelgram.numbers import count, percent, plural
from doppelgram.rolemodels import averaging, originator, spread
from doppelgram.rolemodels.result import ALPHA, RoleModels

# What is left out, by the name of its count, as it stands in "of which N were left out: ...".
_REASONS = {
    "unreadable": "{n} whose picture is missing or broken",
    "aside": "{n} that show the photograph of an earlier post again",
    "nobody": "{n} in which nobody was found",
    "undated": "{n} without a time",
    "clock_not_set": "{n} with the time of a clock that was never set",
}


def method(found: RoleModels, about: Mapping[str, str], source: str = "") -> list[str]:
    """The paragraphs.

    Args:
        found: the trace.
        about: programs, models, weights and versions, by name.
        source: where the posts come from, in a few words.
    """
    model = "; ".join(f"{name} {value}" for name, value in about.items() if value)
    return [
        _data(found, source),
        _matching(found),
        _tests(found),
        _origins(found),
        f"Made by {model}." if model else "",
    ]


def _data(found: RoleModels, source: str) -> str:
    counts = found.counts
    posts = counts["posts"] + counts.get("unreadable", 0)
    out = [text.format(n=f"{counts[key]:,}") for key, text in _REASONS.items() if counts.get(key)]
    times = found.traced["timestamp"]
    span = f" Their times run from {times.min():%Y-%m-%d} to {times.max():%Y-%m-%d} (UTC)." if len(times) else ""
    return (
        f"The collection{f' ({source})' if source else ''} has {count(posts, 'post')}, of which "
        f"{counts['traced']:,} {plural(counts['traced'], 'was', 'were')} traced; "
        f"{'left out were ' + ', '.join(out) if out else 'none was left out'}.{span}"
    )


def _matching(found: RoleModels) -> str:
    s = found.settings
    fitted = "fitted to the posts" if s.decay_days is None else "given"
    by_model = "the model's own" if s.threshold is None else "given"
    few = found.counts.get("place_neighbours", 0)
    averaged = (
        f"The place of a post was averaged with its {few} nearest neighbours among the posts, {averaging.ROUNDS} times "
        "over (database-side feature augmentation). "
    )
    return (
        f"{averaged if few else ''}Two posts match where the calibrated probability that they show the same pose "
        "before the same place is "
        f"{found.threshold:.3g} or more ({by_model} threshold). Arrangements are connected components of matches, cut "
        "by average linkage of the log-odds. Every match between different times is an edge from "
        "the earlier post to the later one; posts by one author give each other no influence. A post is shared out "
        "among those that precede and match it, in proportion to (odds of the match)^γ · exp(−time between / decay), "
        f"with γ = {s.gamma:g} and a decay of {found.decay_days:.3g} days ({fitted}), and a slot for nobody of weight "
        f"{s.innovation:g} in units of a typical match without delay. Influence adds these shares up, with "
        f"{s.damping:g} of the followers' own influence passed on. Originality is one less the highest probability of "
        "a match with an earlier post. The score, by which posts are ranked, is influence times originality."
    )


def _tests(found: RoleModels) -> str:
    s = found.settings
    clear = f"or, where all would have taken long, after {spread.FIRST:,} at a q of {spread.CLEAR * ALPHA:g} or less"
    return (
        f"Every arrangement with dated posts by {spread.LEAST} authors or more was tested once, by the first post of "
        "each author. The statistic is the logarithm of how much likelier the poses and times are if each post follows "
        "an earlier one, the closer in pose and the more recent the likelier, than if nobody follows anybody "
        f"(closeness {spread.CLOSENESS:g} per standard deviation, nobody {spread.NOBODY:g}, start {spread.START:g}, "
        f"stray {spread.STRAY:g}; the decay chosen by all other arrangements). It is compared with the same under up "
        f"to {s.permutations:,} clocks shuffled within the place, stopped early by the rule of Besag and Clifford "
        f"{clear}. "
        "p-values are corrected over arrangements by Benjamini and Hochberg's procedure with Storey's estimate of the "
        "share of arrangements in which nothing spreads, after Fisher's test of all together (q); claims are made at "
        f"q ≤ {ALPHA:g}. The followers of a "
        f"post have a 95 % interval from {s.draws:,} shuffles of the whole clock, ranks one from {s.bootstraps:,} "
        f"bootstrap samples of the posts. Seed {s.seed}."
    )


def _origins(found: RoleModels) -> str:
    return (
        "The probability that a post is the origin, the earliest that any other goes back to, follows from the shares: "
        "each later post follows one of its predecessors or nobody (an invention of its own, or an original that was "
        f"not collected). A chance of {percent(originator.FITTED.unsure, 0)} that a clock is wrong, and doubtful "
        "membership, weaken its shares. The result is calibrated on simulated worlds."
    )
