"""A catalog that is being taught: questions, answers, groups, and what they have bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock

from doppelgram.catalog.rows import file_of
from doppelgram.catalog.search.searcher import Searcher
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.teaching.answers import NAME, Answers, Entry, Said, pairs_said
from doppelgram.teaching.known import Known
from doppelgram.teaching.learn import train_on_names
from doppelgram.teaching.outcome import Added, Answered
from doppelgram.teaching.questions import Question
from doppelgram.teaching.recalibrate import Change, recalibrated, weigh
from doppelgram.teaching.rounds import Collection, Group, Round
from doppelgram.teaching.state import State
from doppelgram.teaching.tables.answers import Read, write_pairs
from doppelgram.teaching.tables.groups import write_groups
from doppelgram.teaching.tables.names import ReadNames, write_labels
from doppelgram.teaching.tables.photographs import Photographs
from doppelgram.teaching.versions import Version, Versions, in_effect
from doppelgram.training.recipes.schema import Recipe


class Teacher:
    """A catalog opened for teaching; may be used by several threads at once.

    What other processes answer is seen at the next call. What is indexed after it was opened is not.

    Args:
        catalog: the photographs; answers and versions are kept in its folder.
        searcher: of the catalog, if it is open already, whose model is then used.
        weights: folder in which pretrained weights of the catalog's model are looked up first.

    Raises:
        DoppelgramError: the catalog is empty, or its model says no probabilities.
    """

    def __init__(
        self, catalog: Catalog, searcher: Searcher | None = None, *, weights: Path | str | None = None
    ) -> None:
        self._weights = weights
        self.catalog = catalog
        self.log = Answers(catalog.folder)
        self._versions = Versions(catalog.folder)
        self._lock = RLock()
        self._skipped: set[str] = set()
        self._asked: dict[str, Question] = {}
        self._searcher = searcher
        self._collection: Collection | None = None
        self._round: tuple[int, Round] | None = None
        self.photographs = Photographs(catalog.rows(("id", "path", "name")))

    def questions(self, n: int = 20) -> list[Question]:
        """The n most useful questions; what follows from answers, and what was skipped, is not asked."""
        with self._lock:
            found = self._now().questions(n, self._skipped)
            self._asked |= {question.key: question for question in found}
            return found

    def question(self, key: str) -> Question:
        """A question that was asked, by its key.

        Raises:
            DoppelgramError: no such question was asked since the catalog was opened.
        """
        with self._lock:
            if key not in self._asked:
                raise DoppelgramError(f"there is no question {key!r} any more; ask for questions again")
            return self._asked[key]

    def answer(self, question: Question | tuple[str, str], degree: float | None, who: str = "") -> Answered:
        """Keep an answer: 1 for the same, 0 for different, between for partly, None to skip.

        Raises:
            DoppelgramError: a photograph is not in the catalog, or the degree is none.
        """
        with self._lock:
            if degree is None:
                if isinstance(question, Question):
                    self._skipped.add(question.key)
                return Answered(0, True, "Skipped; it is not asked again while the catalog is open.", 0)
            if isinstance(question, Question):
                asked = (question.odds, question.strength, self._opened().fingerprint)
                said = Said(question.ids_a, question.ids_b, degree, *asked)
            else:
                said = Said((question[0],), (question[1],), degree)
            self._require([*said.ids_a, *said.ids_b])
            before = self.state().settled_pairs
            self._versions.keep()
            number = self.log.add_pairs([said], who)[0]
            return self._answered(number, before)

    def name(self, ids: Sequence[str], name: str, who: str = "") -> Answered:
        """Keep what photographs show; those of one name are the same, those of different names different.

        Raises:
            DoppelgramError: a photograph is not in the catalog, or the name is empty.
        """
        with self._lock:
            self._require(ids)
            before = self.state().settled_pairs
            self._versions.keep()
            return self._answered(self.log.name(ids, name, who), before)

    def undo(self, who: str = "") -> Answered | None:
        """Take back the latest answer or name that stands; None where there is none."""
        with self._lock:
            before = self.state().settled_pairs
            entry = self.log.undo(who)
            if entry is None:
                return None
            return Answered(entry.number, True, "The last answer is taken back.", self.state().settled_pairs - before)

    def groups(self) -> list[Group]:
        """All groups, in the order of their first photographs by id."""
        with self._lock:
            return self._now().groups()

    def state(self) -> State:
        """What the answers have bought."""
        with self._lock:
            return self._now().state(self._versions.current().number)

    def add(self, read: Read, who: str = "") -> Added:
        """Keep the answers of a table; what follows already from earlier ones is passed over."""
        with self._lock:
            now = self._now()
            self._versions.keep()
            before = {_spoken(entry) for entry in now.standing if entry.kind != NAME}
            new = [one for one in read.said if _spoken(one) not in before and not _follows(now.known, one)]
            numbers = self.log.add_pairs(new, who) if new else []
            return self._added(numbers, len(read.said) - len(new), read.problems)

    def add_names(self, read: ReadNames, who: str = "") -> Added:
        """Keep the names of a table; those that photographs have already are passed over."""
        with self._lock:
            self._versions.keep()
            named = self.log.names()
            new = {name: [id_ for id_ in ids if named.get(id_) != name] for name, ids in read.named.items()}
            new = {name: ids for name, ids in new.items() if ids}
            numbers = self.log.name_all(new, who) if new else []
            return self._added(numbers, len(read.named) - len(new), read.problems)

    def recalibrate(self) -> Change:
        """Fit probabilities to this collection, if answers that were kept out say that it is better.

        A change becomes a version of its own, and the model in the catalog gets it: every search has it from then on.

        Raises:
            DoppelgramError: the model cannot be calibrated for searches, or the disk cannot be written.
        """
        with self._lock:
            now = self._now()
            told, photographs = now.asked
            change = weigh(told, photographs)
            if change.accepted:
                yes = int((told.degrees >= 0.5).sum())
                collection = now.collection
                values = recalibrated(
                    collection.space, now.learned, collection.graph.distance, yes, len(told.degrees) - yes
                )
                figures = {
                    "answers": len(told.degrees),
                    "before": change.before,
                    "after": change.after,
                    "interval": list(change.interval),
                }
                self._versions.add_calibration(values, "recalibrated from answers", figures)
                self._forget()
            return replace(change, version=self._versions.current().number)

    def train(self, recipe: Recipe, progress: Progress, *, seed: int = 0) -> Change:
        """Train on the photographs with names, and go over to that model if kept-out names say that it is better.

        All photographs are embedded anew for it, in a catalog of its own within this one; see `train_on_names`.

        Raises:
            DoppelgramError: there are too few names, or the training fails.
        """
        with self._lock:
            known = self._now().known
            names = {id_: name for id_ in self.photographs.path if (name := known.name(id_))}
        weights = Path(self._weights).expanduser() if self._weights else None
        change = train_on_names(self.catalog, names, recipe, progress, weights=weights, seed=seed)
        with self._lock:
            if change.accepted:
                self._forget()
        return change

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        with self._lock:
            return self._versions.all()

    def go_back(self, number: int) -> Version:
        """Put an earlier version, or a later one, into effect; answers stay.

        Raises:
            DoppelgramError: there is no such version.
        """
        with self._lock:
            version = self._versions.go_to(number)
            self._forget()
            return version

    def export_pairs(self, file: Path) -> int:
        """Write the answers as a table of pairs that `calibrate` and `evaluate` read; how many."""
        with self._lock:
            now = self._now()
            return write_pairs(file, now.standing, {one.number for one in now.known.aside}, self.photographs)

    def export_labels(self, file: Path) -> int:
        """Write the photographs that have a name, or are known to be the same as one that has, labelled; how many."""
        with self._lock:
            known = self._now().known
            named = [
                (id_, name, group.number) for group in self.groups() for id_ in group.ids if (name := known.name(id_))
            ]
            return write_labels(file, named, self.photographs)

    def export_groups(self, file: Path) -> int:
        """Write the group of every photograph; how many."""
        with self._lock:
            return write_groups(file, self.groups(), self.photographs)

    def _require(self, ids: Sequence[str]) -> None:
        for id_ in ids:
            if id_ not in self.photographs.path:
                raise DoppelgramError(f"there is no photograph {id_[:80]!r} in the catalog")

    def _added(self, numbers: Sequence[int], known: int, problems: Sequence[str]) -> Added:
        aside = [each.sentence for each in self._now().known.aside if each.number in set(numbers)]
        return Added(len(numbers), known, [*problems, *(f"kept aside: {sentence}" for sentence in aside)])

    def _answered(self, number: int, before: int) -> Answered:
        aside = next((each for each in self._now().known.aside if each.number == number), None)
        gained = self.state().settled_pairs - before
        if aside is not None:
            return Answered(number, False, f"Kept aside: {aside.sentence}.", gained)
        return Answered(number, True, self.state().sentence, gained)

    def _forget(self) -> None:
        self._searcher = self._collection = self._round = None

    def _opened(self) -> Collection:
        if self._collection is None:
            catalog = in_effect(self.catalog)
            if catalog is not self.catalog:
                self._searcher = None
            model = self._searcher.model if self._searcher else catalog.load_model(weights=self._weights)
            rows, vectors = catalog.snapshot(["id"])
            if rows.empty:
                raise DoppelgramError(f"{catalog.folder}: this catalog is empty; index images into it first")
            order = rows["id"].argsort(kind="stable").to_numpy()
            ids = rows["id"].to_numpy()[order].tolist()
            images = [file_of(id_) for id_ in ids]
            self._collection = Collection(ids, vectors[order], model.space.adapted(vectors), images, model.fingerprint)
        return self._collection

    def _now(self) -> Round:
        """What follows from the answers as they are now, those of other processes among them."""
        entries = len(self.log)
        if self._round is None or self._round[0] != entries:
            history = self.log.standing()
            self._round = entries, Round(self._opened(), history, self.photographs.spelled)
        return self._round[1]


def _follows(known: Known, said: Said) -> bool:
    """Whether an answer follows from earlier ones; one that is kept aside never does."""
    if said.aside:
        return False
    pairs = pairs_said(said.ids_a, said.ids_b, said.degree)
    if 0 < said.degree < 1:
        return all(frozenset(pair) in known.asked for pair in pairs)
    return all(known.same(a, b) is (said.degree == 1) for a, b in pairs)


def _spoken(one: Entry | Said) -> tuple[frozenset[tuple[str, ...]], float | None]:
    """What an answer says, whoever says it, and whether it counts or not."""
    return frozenset((tuple(one.ids_a), tuple(one.ids_b))), one.degree
