"""A real server of the page on loopback, a browser that looks at it, and the sample world as its catalog."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.models.finder_settings import READY_MADE, FinderSettings
from doppelgram.web.safety import TOKEN_HEADER, Access
from doppelgram.web.server import free_socket, make_server
from doppelgram.web.session import Session
from helpers.posts_world import random_model, render_world


def posts_catalog(folder: Path) -> tuple[Catalog, Path]:
    """The sample world's posts in a catalog of a model with random weights, and the file of their keypoints."""
    posts = render_world(folder / "posts")
    model = random_model(settings=FinderSettings(READY_MADE), people=2)
    model.save(folder / "model")
    keypoints = posts / "keypoints.json"
    from doppelgram.models.bundle import load_model

    loaded = load_model(folder / "model", keypoints=keypoints)
    catalog = Catalog.create(folder / "catalog", folder / "model", model=loaded)
    index_collection(read_collection(posts), loaded, catalog)
    return catalog, keypoints


def ended(served: Served, number: int, seconds: float = 120.0) -> Any:
    """A job's answer once it is no longer running."""
    end = time.monotonic() + seconds
    while (job := served.get(f"/api/jobs/{number}"))["state"] == "running":
        assert time.monotonic() < end, job
        time.sleep(0.1)
    return job


class Served:
    """A session that answers at an address."""

    def __init__(self, session: Session, access: Access, address: str) -> None:
        self.session, self.access, self.address = session, access, address
        self.said = ""  # how the last job ended, for fixtures that waited for one
        self.client = httpx.Client(base_url=address, timeout=60, headers={TOKEN_HEADER: access.token})

    def get(self, path: str, **parameters: Any) -> Any:
        """What the server says, which must be no refusal."""
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()


@contextmanager
def serving(session: Session, password: str = "") -> Iterator[Served]:
    """Answer requests in a thread until the block ends."""
    listening = free_socket("127.0.0.1", 0)
    port = listening.getsockname()[1]
    access = Access.for_address("127.0.0.1", port, password)
    server = make_server(session, access)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    served = Served(session, access, f"http://127.0.0.1:{port}")
    try:
        yield served
    finally:
        served.client.close()
        server.should_exit = True
        thread.join(10)
        session.close()
        listening.close()


def until(tab: Any, expression: str, seconds: float = 20.0) -> None:
    """Wait until an expression is true in a tab. The page's policy forbids what playwright itself does for this."""
    end = time.monotonic() + seconds
    while not tab.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        time.sleep(0.05)


def open_tab(browser: Any, served: Served, **settings: Any) -> Iterator[Any]:
    """A tab that is watched."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, base_url=served.address, **settings)
    tab = context.new_page()
    wrong: list[str] = []
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda problem: wrong.append(str(problem)))
    tab.on("request", lambda request: wrong.append(request.url) if not _own(request.url, served.address) else None)
    tab.wrong = wrong
    yield tab
    context.close()
    assert not wrong, wrong


def _own(url: str, address: str) -> bool:
    return url.startswith((address + "/", "blob:" + address))
