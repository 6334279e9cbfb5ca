"""Fit the beliefs of doppelgram.rolemodels.originator to simulated worlds, and print them.

Usage: python tools/fit_originators.py [--worlds 30]

Worlds have the simulator's default noise, and twice the missing posts and clock errors in every fourth. What counts is
arrangements that spread, since the probability is given that. Of a grid of
chances and weights of membership the likeliest is taken, each with Platt's map. Seeds are others than those of
benchmarks/rolemodels.py.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product

import numpy as np
from sklearn.linear_model import LogisticRegression

from doppelgram.rolemodels.attribution import attribute
from doppelgram.rolemodels.originator import Beliefs, originator_probability
from doppelgram.rolemodels.result import ALPHA
from doppelgram.rolemodels.scoring import Bool, Float64, Int64
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.spread import spread
from doppelgram.rolemodels.tables import place_codes
from doppelgram.rolemodels.trace import group_posts, matches_among
from doppelgram.rolemodels.validation.evidence import CANDIDATE, reliability
from doppelgram.rolemodels.validation.scores import originators
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate

FIRST_SEED = 5000
WORLDS = (*[WorldSettings()] * 3, WorldSettings(missing=0.2, clock_errors=0.04, inventions=0.15))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=30)
    worlds = parser.parse_args().worlds
    settings = TraceSettings(permutations=999)
    inputs = []
    for k in range(worlds):
        world = simulate(WORLDS[k % len(WORLDS)], seed=FIRST_SEED + k)
        threshold, time = world.space.calibration.threshold, world.posts.timestamp
        groups = group_posts(world.posts, world.vectors, world.space, threshold, settings)
        _, _, matches = matches_among(groups, np.ones(len(time), dtype=bool), threshold, settings.gamma)
        graph = attribute(matches, time, innovation=settings.innovation, decay=None)
        true = np.zeros(len(time), dtype=bool)
        true[list(originators(world.arrangement, world.parent, world.time, min_posts=2).values())] = True
        kept = world.vectors

        def distance(left: Int64, right: Int64, space=world.space, kept=kept) -> Float64:
            return space.part_distances(kept[left], kept[right])[1]

        place = place_codes(world.posts, groups.place)
        test = spread(groups.arrangement, time, world.posts.author_codes, place, distance, settings)
        claimed = (groups.arrangement >= 0) & (test.q_value <= ALPHA)[groups.arrangement]
        inputs.append((graph, matches, groups.arrangement, time, true, claimed))

    def given(beliefs: Beliefs) -> tuple[Float64, Bool]:
        chance = np.concatenate([originator_probability(*some[:4], beliefs)[some[5]] for some in inputs])
        return chance, np.concatenate([some[4][some[5]] for some in inputs])

    fits = []
    for unsure, membership in product((0.02, 0.035, 0.05, 0.075, 0.1), (0.25, 0.35, 0.5, 0.7, 1.0)):
        beliefs = Beliefs(unsure, membership, 0.0, 1.0)
        chance, true = given(beliefs)
        some = chance > 0.01
        inner = np.clip(chance[some], 1e-6, 1 - 1e-6)
        odds = (np.log(inner) - np.log1p(-inner))[:, None]
        model = LogisticRegression(C=1e6).fit(odds, true[some])
        # Every choice is judged on all posts, those that it gives next to nothing included.
        beliefs = replace(beliefs, offset=float(model.intercept_[0]), slope=float(model.coef_[0, 0]))
        chance = np.clip(given(beliefs)[0], 1e-4, 1 - 1e-4)
        fits.append((float(-np.where(true, np.log(chance), np.log1p(-chance)).sum()), beliefs))
    loss, best = min(fits, key=lambda fit: fit[0])
    table = reliability(*given(best))
    print(best, f"log loss {loss:.1f}, calibration error {table.error:.3f} over posts given {CANDIDATE:g} or more")
    for row in table.bins:
        print("  {:.2f} to {:.2f}: given {:.3f}, true {:.3f}, {}".format(*row))


if __name__ == "__main__":
    main()
