"""A comparison read out in plain sentences, each composed from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from doppelgram.comparison.effects import Effect, effects
from doppelgram.comparison.result import NEARLY, Comparison, Interval, RunResult, Setting
from doppelgram.numbers import count, duration, interval, listing, percent, plural
from doppelgram.numbers import points as points_of
from doppelgram.space.exact import Float64

_FEW_LEVELS = 4  # up to here every two levels of a factor are compared in words


class Finding(NamedTuple):
    """One thing that the numbers say."""

    topic: str
    text: str


def read_comparison(comparison: Comparison) -> list[Finding]:
    """What a comparison shows: the best setting, each factor's effect, speed, trouble, and what it cannot show.

    P@1 is meant wherever "right" or a share is spoken of. Two settings "cannot be told apart" if the 95 % interval of
    their paired difference holds 0.
    """
    findings = [Finding("Best", text) for text in _best(comparison)]
    findings += [Finding("Baselines", text) for text in _baselines(comparison)]
    for factor, topic in (("loss", "Losses"), ("miner", "Miners")):
        findings += [Finding(topic, text) for text in _levels(effects(comparison, factor))]
    findings += [Finding("Embedding size", text) for text in _sizes(effects(comparison, "dim"))]
    findings += [Finding("Speed", text) for text in _speed(comparison)]
    findings += [Finding("Trouble", text) for text in _trouble(comparison)]
    findings += [Finding("Limits", text) for text in _limits(comparison)]
    return findings


def _best(comparison: Comparison) -> list[str]:
    best = comparison.best
    place = comparison.settings.index(best)
    reached = comparison.interval(np.eye(len(comparison.settings))[place])
    texts = [
        f"{best} reaches the highest P@1: for {percent(reached.value)} of "
        f"{count(comparison.queries, 'query', 'queries')} the nearest image is of the right class "
        f"({interval(reached.low, reached.high)})."
    ]
    others = [setting for setting in comparison.settings if setting != best]
    if not others:
        return texts
    level = [setting for setting in others if not comparison.difference(best, setting).decided]
    if not level:
        second = max(others, key=lambda s: comparison.values["p1"][comparison.settings.index(s)])
        lead = comparison.difference(best, second)
        texts.append(f"It is ahead of every other setting; of the next, {second}, by {points(lead)}.")
    elif len(level) == len(others):
        texts.append("No other setting can be told from it: every difference's interval holds 0.")
    else:
        shown = [str(setting) for setting in level[:6]]
        more = f"; and {len(level) - 6} more" if len(level) > 6 else ""
        undecided = f"{count(len(level), 'other setting')} cannot be told from it"
        texts.append(f"{undecided}: {'; '.join(shown)}{more}. The rest are behind.")
    return texts


def _baselines(comparison: Comparison) -> list[str]:
    return [
        f"The ready-made model {one.name}, trained on nothing of this, reaches {percent(one.p1.value)} "
        f"({interval(one.p1.low, one.p1.high)}) on the same queries; it sees the photographs at its own size."
        for one in comparison.baselines
    ]


def _levels(found: Sequence[Effect]) -> list[str]:
    """Which levels of loss or miner differ, and which do not; of many levels, each beside the best alone."""
    levels = list(dict.fromkeys(level for effect in found for level in (effect.higher, effect.lower)))
    if len(levels) > _FEW_LEVELS:
        return _beside_the_best(found, levels)
    texts = []
    for effect in found:
        if effect.difference.decided:
            texts.append(
                f"{effect.higher} is better than {effect.lower} by {points(effect.difference)}{_over(effect)}."
            )
    for effect in found:
        if not effect.difference.decided:
            texts.append(
                f"{effect.higher} and {effect.lower} cannot be told apart: a difference of "
                f"{points(effect.difference)}{_over(effect)}."
            )
    return texts


def _beside_the_best(found: Sequence[Effect], levels: Sequence[str | int]) -> list[str]:
    """The level that is ahead of most others, who cannot be told from it, and who is behind by how much."""
    best = max(levels, key=lambda level: sum(effect.higher == level for effect in found))
    own = [effect for effect in found if best in (effect.higher, effect.lower)]
    undecided = [effect for effect in own if not effect.difference.decided]
    level = [str(effect.lower if effect.higher == best else effect.higher) for effect in undecided]
    lost = [effect for effect in reversed(own) if effect.higher == best and effect.difference.decided]
    behind = [f"{effect.lower} by {points(effect.difference)}" for effect in lost]
    texts = [f"{best} is ahead of more of the others than any."]
    if level:
        texts.append(f"It cannot be told from {listing(sorted(level))}.")
    if behind:
        texts.append(f"Behind it: {'; '.join(behind)}.")
    return texts


def _over(effect: Effect) -> str:
    return f", averaged over {count(effect.settings, 'pair')} of settings" if effect.settings > 1 else ""


def _sizes(found: Sequence[Effect]) -> list[str]:
    """The smallest embedding that is not behind the best one, and what smaller ones cost."""
    if not found:
        return []
    sizes = sorted({int(size) for effect in found for size in (effect.higher, effect.lower)})
    wins = {size: sum(effect.higher == size for effect in found) for size in sizes}
    best = max(sizes, key=lambda size: wins[size])
    behind = {int(effect.lower): effect for effect in found if effect.higher == best}
    enough = min([size for size in behind if not behind[size].difference.decided and size < best], default=best)
    texts = []
    if enough < best:
        gap = behind[enough].difference
        texts.append(
            f"{enough} dims are not certainly behind: {best}, the best size on average, is ahead by {points(gap)}."
        )
    elif best == sizes[-1]:
        texts.append(f"The largest size tried, {best} dims, is ahead of every smaller one; a larger one may be better.")
    elif best == sizes[0]:
        texts.append(f"{best} dims, the smallest size tried, are best on average.")
    else:
        texts.append(f"{best} dims are best on average; every smaller size is behind.")
    for size in sizes:
        if size in behind and behind[size].difference.decided:
            texts.append(f"{size} dims are behind {best} by {points(behind[size].difference)}.")
    larger = [size for size in sizes if size > enough and size != best and size in behind]
    level = [size for size in larger if not behind[size].difference.decided]
    if level:
        texts.append(f"Beyond {enough} dims nothing more was gained for certain: {listing(sorted([*level, best]))}.")
    return texts


def _speed(comparison: Comparison) -> list[str]:
    """Which miner comes near the overall best soonest, by epochs and by the clock."""
    curves = {setting: mean_curve(comparison.runs_of(setting)) for setting in comparison.settings}
    tops = [float(np.nanmax(accuracy)) for accuracy, _ in curves.values() if np.isfinite(accuracy).any()]
    if not tops:
        return []
    target = NEARLY * max(tops)
    # (epochs, seconds, setting) of everything that reached it, by miner; a loss without a miner goes by its own name
    reached: dict[str, list[tuple[int, float, Setting]]] = {}
    for setting, (accuracy, clock) in curves.items():
        # "none never reached it" would say something else.
        miner = "miner none" if setting.miner == "none" else setting.miner
        name = miner if comparison.mines(setting) else f"no miner ({setting.loss})"
        reached.setdefault(name, [])
        places = np.flatnonzero(accuracy >= target)
        if len(places):
            reached[name].append((int(places[0]) + 1, float(clock[places[0]]), setting))
    goal = f"{percent(target)} validation P@1, {percent(NEARLY, 0)} of the best of all settings"
    fast = {name: min(found) for name, found in reached.items() if found}
    quick = {name: min(found, key=lambda one: one[1]) for name, found in reached.items() if found}
    texts = []
    by_epochs = sorted(fast, key=lambda name: fast[name][0])
    by_clock = sorted(quick, key=lambda name: quick[name][1])
    first = [name for name in by_epochs if fast[name][0] == fast[by_epochs[0]][0]]
    rest = [f"{name} needed {fast[name][0]}" for name in by_epochs if name not in first]
    texts.append(
        f"{goal}, was reached in the fewest epochs by {listing(first)}: "
        + count(fast[first[0]][0], "epoch")
        + (f" ({fast[first[0]][2]})" if len(first) == 1 else "")
        + (f"; {', '.join(rest)}" if rest else "")
        + "."
    )
    slower = [f"{name} {duration(quick[name][1])}" for name in by_clock[1:]]
    texts.append(
        f"By the clock the first was {by_clock[0]} with {duration(quick[by_clock[0]][1])} ({quick[by_clock[0]][2]})"
        + (f"; {', '.join(slower)}" if slower else "")
        + "."
    )
    never = [name for name in reached if name not in fast]
    if never:
        texts.append(f"{listing(never)} never reached it.")
    return texts


def mean_curve(runs: Sequence[RunResult]) -> tuple[Float64, Float64]:
    """Validation P@1 and clock after each epoch, means over the runs that did not diverge; as long as the shortest."""
    runs = [run for run in runs if not run.diverged] or runs
    length = min(len(run.history) for run in runs)
    return (
        np.mean([run.accuracy[:length] for run in runs], axis=0),
        np.mean([run.clock[:length] for run in runs], axis=0),
    )


def _trouble(comparison: Comparison) -> list[str]:
    texts = []
    for word, happened in (
        ("collapsed (all embeddings became nearly equal)", [run for run in comparison.runs if run.collapsed]),
        ("stayed at their margin (positives as far apart as negatives)", [r for r in comparison.runs if r.stuck]),
        ("diverged (numbers beyond all bounds) and count as wrong", [r for r in comparison.runs if r.diverged]),
    ):
        if not happened:
            continue
        counts = {setting: sum(run.setting == setting for run in happened) for setting in comparison.settings}
        concerned = {setting: n for setting, n in counts.items() if n}
        shown = [f"{setting} ({n} of {len(comparison.runs_of(setting))})" for setting, n in concerned.items()]
        texts.append(f"{len(happened)} of {count(len(comparison.runs), 'run')} {word}: {'; '.join(shown)}.")
    if not texts:
        texts.append("No run collapsed, none stayed at its margin, and none diverged.")
    silent = sorted({run.setting.loss for run in comparison.runs} - _counting(comparison))
    if silent:
        texts.append(f"{listing(silent)} {plural(len(silent), 'does', 'do')} not count active tuples.")
    return texts


def _counting(comparison: Comparison) -> set[str]:
    return {run.setting.loss for run in comparison.runs if any("train_active" in epoch for epoch in run.history)}


def _limits(comparison: Comparison) -> list[str]:
    counts = sorted({len(comparison.runs_of(setting)) for setting in comparison.settings})
    texts = []
    if counts[-1] == 1:
        texts.append(
            "Each setting was trained once, so how much another seed would change is unknown: the intervals are of the "
            "choice of query images alone, and a small difference may be the seed's."
        )
    elif counts[0] == 1:
        texts.append("Some settings were trained once; what another seed would change there is unknown.")
    elif counts[0] < 5:
        number = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        texts.append(f"{number} seeds a setting say little of the spread between seeds; take close calls with care.")
    if len(comparison.settings) > 2:
        texts.append(
            "The best of many is partly lucky: its figure flatters, and of twenty comparisons of equals one is "
            "expected to look decided."
        )
    return texts


def points(difference: Interval) -> str:
    """A difference of shares in percentage points, with its interval."""
    return points_of(difference.value, difference.low, difference.high)
