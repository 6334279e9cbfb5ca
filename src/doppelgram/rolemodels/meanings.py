"""What each number of a trace means, in a sentence: for tables and cards that have to explain themselves."""

from __future__ import annotations

from doppelgram.numbers import percent
from doppelgram.rolemodels.result import ALPHA
from doppelgram.rolemodels.spread import LEAST

MEANINGS: dict[str, str] = {
    "posts": "How many posts there are.",
    "authors": "How many different authors posted them; posts without an author are left out.",
    "arrangements": "How many arrangements, each a pose before a place, are among the posts.",
    "followers": "Later posts by other people that show the same pose before the same place and have no likelier "
    "predecessor than this post.",
    "total_followers": "Followers, their followers, and so on.",
    "attributed": "All later posts by other people that match, each counted by the share of it that falls to this "
    "post where several came before it.",
    "expected": "Attributed followers on average where the clock is shuffled within the place.",
    "excess": "Attributed followers beyond those that shuffled clocks leave on average.",
    "influence": "Attributed followers, where being followed by posts that are followed themselves counts for more.",
    "originality": "One less the highest probability that an earlier post shows the same: 1 for the first of its kind.",
    "score": "Influence times originality. It orders the posts; it is no count of people.",
    "rank": "Place in the order of scores, and where it falls in 95 % of resamplings of the posts.",
    "origin": "Probability that this post is the earliest that later posts by other people go back to, given that its "
    "arrangement spreads.",
    "spread_p": "How often a clock that is shuffled within the place gives a spread as fast and as orderly. "
    f"Arrangements with fewer than {LEAST} authors are not tested.",
    "spread_q": "p corrected for the number of arrangements that were tested: of those with a q of "
    f"{ALPHA:g} or less, {percent(ALPHA, 0)} may be due to chance.",
    "probability": "Probability that both posts show the same pose before the same place.",
    "share": "How much of this post is attributed to its predecessor; the rest falls to other earlier posts and to "
    "nobody.",
    "lag": "Time between the predecessor and this post.",
    "led": "Arrangements in which a post of this author has the highest score.",
    "first": "Time of the first dated post.",
    "last": "Time of the last dated post.",
}
"""By the name of a column or of what the page calls it."""
