"""Open the page on what was given, and answer until Ctrl-C."""

from __future__ import annotations

from pathlib import Path

from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.training.history import find_runs
from doppelgram.web.safety import Access, is_loopback
from doppelgram.web.server import free_socket, open_session, run
from doppelgram.web.source import served


def serve(
    source: Path | str,
    *,
    catalog: Path | str | None = None,
    model: Path | str | None = None,
    host: str = "127.0.0.1",
    port: int = 8765,
    password: str = "",
    browser: bool = True,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    runs: Path | str | None = None,
    progress: Progress | None = None,
) -> None:
    """Open a page on a catalog, on photographs, on posts or on trainings; returns when it is ended by Ctrl-C.

    Args:
        source: catalog, folder of photographs, posts, a folder that `trace` wrote, a training run or a folder of runs.
        catalog: where the catalog of photographs or posts is kept; by default in the working directory, named after
            them.
        model: run, model folder or ready-made model, for what has no catalog yet; by default ``arrangements`` for
            posts and ``things`` for other photographs.
        host: address to listen at. Any but one of this machine's own, such as ``127.0.0.1``, needs a password.
        port: to listen at; 0 takes any that is free.
        password: asked of everybody; empty for nobody.
        browser: whether the page is opened in a browser.
        weights: as for `index`.
        keypoints: as for `index`.
        runs: training run, or folder of runs, to watch beside the photographs.
        progress: where remarks go; the terminal by default.

    Raises:
        DoppelgramError: what was given cannot be opened, the address is taken, or a password is missing.
    """
    progress = progress or TerminalProgress()
    if not is_loopback(host) and not password:
        raise DoppelgramError(
            f"--host {host} lets other machines see all photographs of this catalog, their names, authors and labels, "
            "and change what it was taught; give --password, or leave --host out"
        )
    watched = None if runs is None else Path(runs).expanduser()
    if watched is not None and not find_runs(watched):
        raise DoppelgramError(f"{watched}: there is no training run in this folder; make one with `doppelgram train`")
    what = served(source, catalog)
    listening = free_socket(host, port)
    port = int(listening.getsockname()[1])
    try:
        session = open_session(
            what,
            model=model,
            weights=None if weights is None else Path(weights).expanduser(),
            keypoints=None if keypoints is None else Path(keypoints).expanduser(),
            runs=watched,
        )
    except DoppelgramError:
        listening.close()
        raise
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if what.data is not None:
        progress.note(f"{source}: is indexed into {what.catalog} while you look at it.")
    progress.note(f"{what.name}: {address} (Ctrl-C ends the page)")
    if not is_loopback(host):
        progress.warning(
            f"{host} can be reached from other machines; the password goes over the network without encryption"
        )
    run(session, listening, Access.for_address(host, port, password), address, browser=browser)
