"""The server: listens on this machine, opens what was given, and ends with Ctrl-C."""

from __future__ import annotations

import socket
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path

import uvicorn

from doppelgram.api.index import index
from doppelgram.catalog.folder import CATALOG_FILE
from doppelgram.catalog.store import Catalog
from doppelgram.console import Progress
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model
from doppelgram.web.app import make_app
from doppelgram.web.safety import Access
from doppelgram.web.session import Session
from doppelgram.web.source import POSTS, RUNS, Served
from doppelgram.web.tracing import begin_tracing, obstacle

_READY_MADE = {POSTS: "arrangements"}
# Photographs that are indexed together: the first can be looked at when so many are done.
_BATCH = 16
# A catalog that is growing is read again when it has grown by this share.
_GROWN = 1.1


def open_session(
    served: Served,
    *,
    model: Path | str | None = None,
    weights: Path | None = None,
    keypoints: Path | None = None,
    runs: Path | None = None,
) -> Session:
    """Open what is served; where it has to be indexed first, that begins at once, in the background.

    Args:
        served: from `doppelgram.web.source.served`.
        model: run, model folder or ready-made model for what is indexed; by default ``arrangements`` for posts and
            ``things`` for other photographs, or the catalog's own.
        weights: folder in which weights are looked up first.
        keypoints: file of ready-made keypoints, for a model that takes those.
        runs: folder of trainings to watch beside it.

    Raises:
        DoppelgramError: the catalog or the model cannot be used.
    """
    if served.kind == RUNS:
        return Session(None, served.name, runs=served.catalog)
    if served.data is not None and not (served.catalog / CATALOG_FILE).is_file():
        asked = model or _READY_MADE.get(served.kind, "things")
        loaded = load_model(asked, weights=weights, keypoints=keypoints)
        Catalog.create(served.catalog, asked, model=loaded)
    session = Session(Catalog.open(served.catalog), served.name, weights, keypoints, served.data, runs)
    if served.data is not None:
        begin_indexing(session, served.kind)
    if len(session.catalog):
        session.open_in_background()
    return session


def begin_indexing(session: Session, kind: str) -> None:
    """Index the photographs or posts of a session as a job; the page finds what is there already."""
    assert session.posts is not None
    session.jobs.start(
        "index",
        f"Reading the photographs of {session.name}",
        _indexed,
        session.posts,
        kind,
        session.catalog.folder,
        session.weights,
        session.keypoints,
        after=lambda summary: _finished(session, kind, summary),
        meanwhile=lambda: _grown(session),
    )


def _indexed(
    progress: Progress, data: Path, kind: str, catalog: Path, weights: Path | None, keypoints: Path | None
) -> str:
    source = read_posts(data) if kind == POSTS else data
    return index(source, None, catalog, batch=_BATCH, weights=weights, keypoints=keypoints, progress=progress).summary()


def _finished(session: Session, kind: str, summary: str) -> str:
    session.refresh_if_grown()
    session.looker.warm()
    if kind == POSTS and len(session.catalog):
        opened = session.require()
        traced = session.traces.current(opened.facts)
        # Posts are there to be traced; what cannot be traced is explained in the view of role models.
        if not obstacle(opened) and (traced is None or traced.new_rows(opened.position)):
            begin_tracing(session)
    return summary


def _grown(session: Session) -> None:
    opened = session.opened
    if opened is not None and len(session.catalog) < _GROWN * len(opened.searcher):
        return
    try:
        session.refresh_if_grown()
    except DoppelgramError as problem:
        session.problem = str(problem)


def free_socket(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; port 0 is any that is free.

    Raises:
        DoppelgramError: the address is taken, or none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)  # at once, so that a second server at the same moment is refused
    except OSError as problem:
        listening.close()
        raise DoppelgramError(
            f"{host}:{port} cannot be listened at: {problem.strerror}; choose another --port"
        ) from None
    return listening


def make_server(session: Session, access: Access) -> uvicorn.Server:
    """A server that is not running yet."""
    config = uvicorn.Config(
        make_app(session, access),
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=16_384,
        timeout_keep_alive=10,
        limit_concurrency=200,
        timeout_graceful_shutdown=3,
        lifespan="off",
        http="h11",
        ws="none",
    )
    return uvicorn.Server(config)


def run(session: Session, listening: socket.socket, access: Access, address: str, *, browser: bool) -> None:
    """Answer until Ctrl-C."""
    server = make_server(session, access)
    if browser:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    try:
        with suppress(KeyboardInterrupt):  # as the page says: that is how it ends
            server.run(sockets=[listening])
    finally:
        session.close()
        listening.close()
