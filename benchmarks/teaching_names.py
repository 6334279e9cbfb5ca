"""Naming groups, then training on the names, against answers alone: section ``signs`` of teaching.py.

Traffic signs of the 58 classes with 20 crops or more, ready-made model `things`. Fixed before anything was looked at:
of each class the 20 crops whose names have the lowest hashes, of which each of three seeds draws 16. Effort is counted
in answers, and a name given to a group is one. Three ways at equal effort:

- answers: the questions of the queue alone;
- names: at each step the largest group without a name that shows one thing only is named; where there is none of
  `LEAST` photographs or more, the next question of the queue is answered;
- trained: the same names and answers up to `TRAINED_AT`. Then a network is trained on the photographs with names as
  `doppelgram teach --train` does it, and if names that were kept out say it is better, groups are made by it and
  naming goes on.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from doppelgram.api.index import index
from doppelgram.catalog.rows import file_of
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.dataset.collection import Collection as Images
from doppelgram.dataset.read import read_collection
from doppelgram.teaching.answers import NAME, PAIR, Entry
from doppelgram.teaching.learn import train_on_names
from doppelgram.teaching.questions import Question
from doppelgram.teaching.rounds import Collection, Round
from doppelgram.teaching.versions import Versions
from doppelgram.training.recipes.files import read_recipe

COMMON, CROPS, DRAWN = 20, 20, 16
LEAST = 2  # photographs of a group that is worth a name
AT_ONCE = 5  # steps until groups are made anew
# Recipe `signs` in small: of a few hundred photographs it would make two steps an epoch, and its running average would
# remember its random start.
RECIPE, CHANGES = "signs", ("data.size=48", "optimiser.epochs=40", "sampler.batch=64", "optimiser.average=0.97")
TRAINED_AT, MOST = 300, 400
EFFORTS = (0, 50, 100, 200, 300, 350, 400)  # shown in the table
WAYS = ("answers", "names", "trained")


def signs(data: Path) -> Images:
    """The pool: `CROPS` crops of each class that has `COMMON` or more."""
    whole = read_collection(data / "signs")
    labels, order = whole.labels, np.argsort([hashlib.sha256(name.encode()).hexdigest() for name in whole.names])
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = pd.Series(labels[order]).groupby(labels[order]).cumcount().to_numpy()
    names, sizes = np.unique(labels, return_counts=True)
    return whole.take(np.isin(labels, names[sizes >= COMMON]) & (rank < CROPS))


def opened(catalog: Catalog, ids: Sequence[str], weights: Path) -> Collection:
    """Some photographs of a catalog, to be grouped."""
    rows, vectors = catalog.snapshot(["id"])
    kept = vectors[pd.Index(rows["id"]).get_indexer(pd.Index(ids))]
    model = catalog.load_model(weights=weights)
    return Collection(ids, kept, model.space.adapted(kept), [file_of(id_) for id_ in ids], model.fingerprint)


def said(number: int, question: Question, truth: Mapping[str, str], model: str) -> Entry:
    """What somebody says who knows."""
    labels_a, labels_b = ([truth[id_] for id_ in ids] for ids in (question.ids_a, question.ids_b))
    degree = 1.0 if len({*labels_a, *labels_b}) == 1 else 0.0 if labels_a[0] != labels_b[0] else 0.5
    asked = {"odds": question.odds, "strength": question.strength, "model": model}
    return Entry(PAIR, question.ids_a, question.ids_b, degree, number=number, **asked)


def steps(now: Round, truth: Mapping[str, str], *, naming: bool, n: int) -> list[Entry]:
    """The next n answers or names."""
    found, first = list[Entry](), len(now.standing) + 1
    if naming:
        pure = [
            group
            for group in now.groups()
            if not group.name and len(group.ids) >= LEAST and len({truth[id_] for id_ in group.ids}) == 1
        ]
        pure.sort(key=lambda group: (-len(group.ids), group.number))
        found = [
            Entry(NAME, group.ids, name=truth[group.ids[0]], number=first + at) for at, group in enumerate(pure[:n])
        ]
    if len(found) < n:
        fingerprint = now.collection.fingerprint
        questions = now.questions(n - len(found))
        found += [said(first + at, one, truth, fingerprint) for at, one in enumerate(questions, len(found))]
    return found


def agreement(now: Round, truth: Mapping[str, str]) -> dict[str, float]:
    """Adjusted Rand index over all photographs, and over those that no answer and no name was about."""
    spoken = {id_ for entry in now.standing for id_ in (*entry.ids_a, *entry.ids_b)}
    labels = np.array([truth[id_] for id_ in now.collection.ids])
    rest = np.array([id_ not in spoken for id_ in now.collection.ids])
    groups = now.grouping.labels
    return {
        "all": float(adjusted_rand_score(labels, groups)),
        "unasked": float(adjusted_rand_score(labels[rest], groups[rest])) if rest.any() else float("nan"),
        "rest": int(rest.sum()),
    }


def taught(
    collection: Collection, truth: Mapping[str, str], log: list[Entry], *, naming: bool, until: int
) -> list[tuple[int, dict[str, float]]]:
    """Answer, and name where asked to, up to an effort; the log grows. The curve of efforts and agreements."""
    curve = []
    while True:
        now = Round(collection, log)
        curve.append((len(log), agreement(now, truth)))
        if len(log) >= until or not (new := steps(now, truth, naming=naming, n=min(AT_ONCE, until - len(log)))):
            return curve
        log += new


def drawn(catalog: Catalog, seed: int) -> dict[str, str]:
    """The label of each photograph of a draw, by id."""
    rows = catalog.rows(("id", "label")).sort_values("id")
    rows = rows.iloc[np.random.default_rng(seed).permutation(len(rows))]
    rows = rows[rows.groupby("label").cumcount() < DRAWN].sort_values("id")
    return dict(zip(rows["id"], rows["label"], strict=True))


def signs_results(data: Path, weights: Path, cache: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """All seeds."""
    index(signs(data), "things", cache / "signs", weights=weights)
    found = []
    for seed in seeds:
        truth = drawn(Catalog.open(cache / "signs"), seed)
        found.append(one_seed(cache / "signs", truth, weights, seed))
        print("signs", seed, found[-1]["training"], [found[-1][way][-1] for way in WAYS], flush=True)
    return {"model": "things", "recipe": " ".join((RECIPE, *CHANGES)), "trained_at": TRAINED_AT, "seeds": found}


def one_seed(folder: Path, truth: Mapping[str, str], weights: Path, seed: int) -> dict[str, Any]:
    """The three curves of a draw, and what became of the training."""
    whole = Catalog.open(folder)
    before = opened(whole, list(truth), weights)
    answers = taught(before, truth, [], naming=False, until=MOST)
    log: list[Entry] = []
    names = taught(before, truth, log, naming=True, until=TRAINED_AT)
    more = taught(before, truth, log.copy(), naming=True, until=MOST)[1:]
    known = Round(before, log).known
    named = {id_: name for id_ in truth if (name := known.name(id_))}

    copy = folder.with_name(f"{folder.name}-{seed}")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    catalog = Catalog.open(copy)
    catalog.remove(sorted(whole.hashes() - truth.keys()))
    started = time.process_time()
    change = train_on_names(catalog, named, read_recipe(RECIPE, CHANGES), SilentProgress(), weights=weights, seed=seed)
    seconds = time.process_time() - started
    after = opened(Catalog.open(Versions(copy).catalog_folder()), list(truth), weights)
    trained = taught(after, truth, log.copy(), naming=True, until=MOST)
    return {
        "photographs": len(truth),
        "labels": len(set(truth.values())),
        "named": len(named),
        "different_names": len(set(named.values())),
        "training": {"accepted": change.accepted, "sentence": change.sentence, "processor_seconds": seconds},
        "answers": answers,
        "names": [*names, *more],
        "trained": trained,
    }


def markdown(found: Mapping[str, Any]) -> list[str]:
    """The section, line by line."""
    lines = [
        f"## signs: naming groups, then training, against answers alone; ready-made model `{found['model']}`",
        "",
        "Adjusted Rand index over all photographs, and in brackets over those that nobody answered about or named.",
        "",
        f"| seed | effort | answers alone | answers and names | trained at {found['trained_at']} |",
        "|---:|---:|---|---|---|",
    ]
    for seed, each in enumerate(found["seeds"]):
        curves = {way: dict(each[way]) for way in WAYS}
        for effort in EFFORTS:
            cells = [
                f"{curves[way][effort]['all']:.3f} ({curves[way][effort]['unasked']:.3f})"
                if effort in curves[way]
                else ""
                for way in WAYS
            ]
            lines.append(f"| {seed} | {effort} | {' | '.join(cells)} |")
    lines += [""]
    for seed, each in enumerate(found["seeds"]):
        training = each["training"]
        lines.append(
            f"- Seed {seed}: {each['photographs']:,} photographs of {each['labels']} classes, {each['named']:,} of "
            f"them with {each['different_names']} names. {training['sentence']} Recipe `{found['recipe']}`: "
            f"{training['processor_seconds']:.0f} s of processor time, embedding anew included."
        )
    return [*lines, ""]


def draw(found: Mapping[str, Any], axis: Any) -> None:
    """The curves: of all photographs, and dotted of those that nobody answered about."""
    for way, colour in zip(WAYS, ("tab:blue", "tab:orange", "tab:green"), strict=True):
        for at, each in enumerate(found["seeds"]):
            efforts = [effort for effort, _ in each[way]]
            for which, style in (("all", "-"), ("unasked", ":")):
                values = [value[which] for _, value in each[way]]
                label = way if at == 0 and which == "all" else None
                axis.plot(efforts, values, style, color=colour, label=label, alpha=0.8)
    axis.set(title="signs (dotted: nobody answered about)", xlabel="answers and names", ylabel="adjusted Rand index")
    axis.legend(loc="upper left")
