"""What a server has open: one catalog, its vectors, who looks at photographs, and the photographs that were brought."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from doppelgram.catalog.folder import CATALOG_FILE, MODEL_FOLDER
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.models.format import DESCRIPTION_FILE
from doppelgram.teaching.teacher import Teacher
from doppelgram.teaching.versions import CURRENT_FILE, VERSIONS_FOLDER, in_effect
from doppelgram.web.jobs import Jobs
from doppelgram.web.listing import Listing, Missing, Opened
from doppelgram.web.looker import Looker, ModelAt, Seen
from doppelgram.web.mapped.kept import Maps
from doppelgram.web.traces import Traces

if TYPE_CHECKING:
    import pandas as pd


T = TypeVar("T")

_FACTS = ("id", "name", "label", "author", "timestamp")
_KEPT_QUERIES, _KEPT_BYTES = 64, 200_000_000
_KEPT_THUMBNAILS = 4096
_LOOK_SECONDS, _FIRST_VIEW_SECONDS = 2.0, 3.0
_TRAININGS_ALONE = (
    "This page shows trainings alone. To see photographs, start it with a catalog or a folder of them: "
    "doppelgram serve CATALOG --runs RUNS"
)


def _there(what: T | None) -> T:
    if what is None:
        raise DoppelgramError(_TRAININGS_ALONE)
    return what


@dataclass(frozen=True)
class Query:
    """A photograph that a visitor brought; kept in memory, never written into the catalog."""

    seen: Seen
    content: bytes


@dataclass
class Session:
    """One server's state. Safe to use from several threads.

    Attributes:
        kept: the catalog that is shown; None where the page is of trainings alone.
        name: for titles.
        weights: folder in which weights are looked up first.
        keypoints: file of ready-made keypoints, for a model that takes those.
        posts: what the catalog was made of, if that is known: posts or a folder.
        runs: folder of training runs to watch, or a run itself.
    """

    kept: Catalog | None
    name: str
    weights: Path | None = None
    keypoints: Path | None = None
    posts: Path | None = None
    runs: Path | None = None
    jobs: Jobs = field(default_factory=Jobs)
    problem: str = ""

    def __post_init__(self) -> None:
        self._catalog = None if self.kept is None else in_effect(self.kept)
        self._files = self._seen_files()
        self._commit, self._look_at = -1, 0.0
        self._looker, self._traces, self._maps = self._for_catalog()
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._shown = threading.Event()
        self._teaching = threading.Lock()
        self._teacher: Teacher | None = None
        self._taught: Opened | None = None
        self._opened: Opened | None = None
        self._listing: Listing | None = None
        self._queries: OrderedDict[str, Query] = OrderedDict()
        self._thumbnails: OrderedDict[str, bytes] = OrderedDict()

    @property
    def outer(self) -> Catalog:
        """The catalog as it was given.

        Raises:
            DoppelgramError: the page is of trainings alone; so do the next four.
        """
        return _there(self.kept)

    @property
    def catalog(self) -> Catalog:
        """What is shown: the same, or once it was taught by training, what was trained for it."""
        return _there(self._catalog)

    @property
    def looker(self) -> Looker:
        """Who looks at photographs, with the catalog's model."""
        return _there(self._looker)

    @property
    def traces(self) -> Traces:
        """The role models of the catalog."""
        return _there(self._traces)

    @property
    def maps(self) -> Maps:
        """The map of the catalog."""
        return _there(self._maps)

    def _for_catalog(self) -> tuple[Looker | None, Traces | None, Maps | None]:
        if self._catalog is None:
            return None, None, None
        at = self._catalog.folder
        return Looker(ModelAt(at, self.weights, self.keypoints)), Traces(at), Maps(self._catalog)

    @property
    def opened(self) -> Opened | None:
        """The catalog in memory, if it is there by now."""
        return self._opened

    @property
    def lost(self) -> bool:
        """Whether the catalog was deleted or moved since it was opened."""
        return self.kept is not None and not (self.kept.folder / CATALOG_FILE).is_file()

    def keep_up(self) -> None:
        """See whether another process changed the catalog: rows, in the background; what they mean, at once.

        Costs a millisecond every two seconds. While the page itself indexes, its job does this.
        """
        now = time.monotonic()
        if self.kept is None or now < self._look_at or self.jobs.running("index"):
            return
        self._look_at = now + _LOOK_SECONDS
        # What is lost, or half written at this moment, is told by whoever needs it.
        with suppress(DoppelgramError):
            if self._files != self._seen_files():
                self.model_changed()
            elif (self._opened is not None or self.problem) and self.catalog.commit != self._commit:
                threading.Thread(target=self._read_again, daemon=True).start()

    def _read_again(self) -> None:
        began = time.monotonic()
        try:
            self.refresh()
        except DoppelgramError as problem:  # such as that all photographs were taken out
            self._opened, self.problem = None, str(problem)
        self._look_at = time.monotonic() + max(_LOOK_SECONDS, 5 * (time.monotonic() - began))

    def _seen_files(self) -> tuple[int, ...]:
        """What tells that the catalog is another one, or is looked at in another way: times of what says so."""
        if self.kept is None:
            return ()
        outer = self.kept.folder
        files = (outer / CATALOG_FILE, outer / VERSIONS_FOLDER / CURRENT_FILE, outer / MODEL_FOLDER / DESCRIPTION_FILE)
        return tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)

    def open_in_background(self) -> None:
        """Read the catalog and start what looks at photographs, once the first photographs are shown."""

        def work() -> None:
            self._shown.wait(_FIRST_VIEW_SECONDS)  # to load networks takes all that the machine has
            try:
                self.refresh()
            except DoppelgramError as problem:
                self.problem = str(problem)
            self.looker.warm()

        threading.Thread(target=work, daemon=True).start()

    def refresh(self) -> Opened:
        """Read the catalog as it is now.

        Raises:
            DoppelgramError: it is empty, or its model cannot be loaded.
        """
        with self._opening:
            self._commit = self.catalog.commit  # before the rows: what comes in between is read the next time
            model = self._opened.searcher.model if self._opened else None
            model = model or self.catalog.load_model(weights=self.weights, keypoints=self.keypoints)
            searcher = self.catalog.searcher(model)
            # Rows that came in between are left for the next time, those that went are nobody's.
            facts = self._read_facts().reindex(searcher.ids)
            opened = Opened(facts.assign(id=searcher.ids).fillna({"name": "", "label": "", "author": ""}), searcher)
            self.problem, self._opened = "", opened
            return opened

    def teacher(self) -> Teacher:
        """The catalog as it is taught; groups are worked out anew where it has grown.

        Raises:
            DoppelgramError: the catalog is empty, or its model says no probabilities.
        """
        opened = self.require()
        with self._teaching:
            if self._teacher is None or self._taught is not opened:
                searcher = opened.searcher if self.catalog is self.outer else None
                self._teacher, self._taught = Teacher(self.outer, searcher, weights=self.weights), opened
            return self._teacher

    def model_changed(self) -> None:
        """The model in the catalog has another calibration: everything that holds the old one is opened anew."""
        kept = Catalog.open(self.outer.folder)
        with self._opening:
            self.kept, self._catalog = kept, in_effect(kept)
            self._files, self.problem = self._seen_files(), ""
            self._opened = self._listing = None
        with self._teaching:
            self._teacher = None
        with self._lock:
            self._thumbnails.clear()
        looker = self.looker
        self._looker, self._traces, self._maps = self._for_catalog()
        looker.close()

    def listing(self) -> Listing:
        """What is known of the photographs, which is there long before their vectors are."""
        if self._opened is not None:
            return self._opened
        with self._lock:
            if self._listing is None or len(self._listing.facts) != len(self.catalog):
                self._listing = Listing(self._read_facts())
            return self._listing

    def _read_facts(self) -> pd.DataFrame:
        return self.catalog.rows(_FACTS).set_index("id", drop=False).sort_index()

    def refresh_if_grown(self) -> None:
        """Read the catalog again if it holds other rows than what is in memory."""
        opened, count = self._opened, len(self.catalog)
        if count and (opened is None or len(opened.searcher) != count):
            self.refresh()

    def require(self) -> Opened:
        """The catalog in memory.

        Raises:
            DoppelgramError: it is not there yet, or cannot be.
        """
        if self._opened is None:
            if self.problem:
                raise DoppelgramError(self.problem)
            return self.refresh()
        return self._opened

    def bring(self, content: bytes) -> str:
        """Look at a photograph and keep it for a while; returns the name that it goes by.

        Raises:
            DoppelgramError: it cannot be read.
        """
        query = Query(self.looker.see(content), content)
        name = secrets.token_urlsafe(12)
        with self._lock:
            self._queries[name] = query
            while len(self._queries) > _KEPT_QUERIES or (
                len(self._queries) > 1 and sum(len(one.content) for one in self._queries.values()) > _KEPT_BYTES
            ):
                self._queries.popitem(last=False)
        return name

    def query(self, name: str) -> Query:
        """A photograph that was brought.

        Raises:
            Missing: it is gone.
        """
        with self._lock:
            if name not in self._queries:
                raise Missing("the photograph that you brought is no longer kept; bring it again")
            self._queries.move_to_end(name)
            return self._queries[name]

    def thumbnail(self, id_: str) -> bytes | None:
        """The small picture of a row; None if there is no such row."""
        with self._lock:
            kept = self._thumbnails.get(id_)
        if kept is not None:
            return kept
        self.keep_thumbnails([id_])
        with self._lock:
            return self._thumbnails.get(id_)

    def keep_thumbnails(self, ids: Sequence[str]) -> None:
        """Read the small pictures that a visitor is about to ask for: together they take no longer than one."""
        with self._lock:
            missing = [id_ for id_ in ids if id_ not in self._thumbnails]
        if not missing:
            return
        found = self.catalog.find(missing, ["thumbnail"])["thumbnail"]
        with self._lock:
            self._thumbnails.update(zip(found.index, found, strict=True))
            while len(self._thumbnails) > _KEPT_THUMBNAILS:
                self._thumbnails.popitem(last=False)
        self._shown.set()

    def row(self, id_: str) -> dict[str, Any] | None:
        """All facts of a row; None if there is no such row."""
        rows = self.catalog.find([id_])
        if rows.empty:
            return None
        return {"id": id_} | {str(name): value for name, value in rows.iloc[0].to_dict().items()}

    def close(self) -> None:
        """End all processes of this session."""
        self.jobs.close()
        if self._looker is not None:
            self._looker.close()
