"""Fetches named weights: the only place in the program that uses a network, and only when it is asked to."""

from __future__ import annotations

import hashlib
import http.client
import inspect
import os
import shutil
import textwrap
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

from doppelgram.console import Progress, SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.files import check_folder, written_whole
from doppelgram.weights.known import KNOWN, HubFiles, PackageFile
from doppelgram.weights.lookup import cache_folder, cached, import_hub, packaged


def pull_weights(name: str, into: Path | None = None, *, progress: Progress | None = None) -> Path:
    """Fetch weights by name into a folder (the user's cache by default) and check their hashes.

    What is there already, in the folder, in an installed package or in the hub's own cache, is not fetched again.
    The licence is said before anything is fetched. The hub's address is ``HF_ENDPOINT``, if that is set.

    Returns:
        The file or folder.

    Raises:
        DoppelgramError: the name is not known, pip has to bring it, it cannot be fetched, or what came is not what was
            expected.
    """
    if name not in KNOWN:
        raise DoppelgramError(f"there are no weights called '{name}'; known are {', '.join(KNOWN)}")
    weights, progress = KNOWN[name], progress or SilentProgress()
    source = weights.source
    target = (into.expanduser() if into is not None else cache_folder() / "weights") / weights.entry
    if target.exists():
        return target
    if isinstance(source, PackageFile):
        if (place := packaged(source)) is None:
            raise DoppelgramError(f"weights '{name}' come with the pip package {source.package}: {source.install}")
        return place
    if isinstance(source, HubFiles) and into is None and (place := cached(source)) is not None:
        return place
    progress.note(f"{name}: from {source.origin}, licence {weights.licence}")
    if isinstance(source, HubFiles):
        _fetch_from_hub(source, target, progress)
    else:
        fetch(source.url, source.sha256, target, progress=progress)
    return target


def _fetch_from_hub(source: HubFiles, target: Path, progress: Progress) -> None:
    """Fetch the files beside ``target`` and put them in its place once all are there and have the right hashes."""
    hub = import_hub()
    endpoint, logging = hub.constants.ENDPOINT, hub.utils.logging
    aside = target.with_name(f".{target.name}.part")  # whole files in it outlive an interruption
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # it would remark on each of its own tries
    try:
        check_folder(target.parent)
        _reach(endpoint)
        for file in source.files:
            # The hub's library before 1.0 draws its own bar.
            takes_bar = "tqdm_class" in inspect.signature(hub.hf_hub_download).parameters
            bar = {"tqdm_class": _bars(progress, file)} if takes_bar else {}
            hub.hf_hub_download(source.repository, file, revision=source.revision, local_dir=aside, **bar)
    except Exception as problem:  # of the hub's own kinds, of its HTTP library's, and OSError
        said = str(getattr(problem, "reason", problem.__cause__ or problem))
        reason = textwrap.shorten(said.splitlines()[0], 200, placeholder="…")
        where = f"{source.repository} at {endpoint}"
        raise DoppelgramError(f"{where}: cannot be fetched: {reason}") from None
    finally:
        logging.set_verbosity(before)
    for file, sha256 in source.files.items():
        with (aside / file).open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if sha256 and digest != sha256:
            shutil.rmtree(aside)
            raise DoppelgramError(_unexpected(f"{source.repository}/{file}"))
    shutil.rmtree(aside / ".cache", ignore_errors=True)
    if len(source.files) == 1:
        os.replace(aside / next(iter(source.files)), target)
        shutil.rmtree(aside)
    else:
        os.replace(aside, target)


def _reach(endpoint: str) -> None:
    """Ask once whether somebody answers: the hub's library would try for half a minute."""
    with suppress(urllib.error.HTTPError):  # an answer too
        urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=10).close()


def _bars(progress: Progress, file: str) -> type:
    """A class that the hub's library can use in place of tqdm, which moves a bar of ours."""

    class Bar(ExitStack):
        def __init__(self, *_: object, total: float | None = None, initial: float = 0, **__: object) -> None:
            super().__init__()
            self.advance = self.enter_context(progress.bar(f"fetching {Path(file).name}, bytes", int(total or 0)))
            self.update(initial)

        def update(self, steps: float | None = 1) -> None:
            self.advance(int(steps or 0))

    return Bar


def _unexpected(what: str) -> str:
    return f"{what}: what came is not the expected file (another sha256 hash); not kept"


def fetch(url: str, sha256: str, target: Path, *, timeout: float = 20.0, progress: Progress | None = None) -> None:
    """Fetch one file and put it in place whole or not at all.

    Args:
        url: where from.
        sha256: hash that the content must have.
        target: where to.
        timeout: seconds without an answer after which it is given up.
        progress: where a bar of bytes is shown; nowhere by default.

    Raises:
        DoppelgramError: no connection, a refusal, or content with another hash; ``target`` is left as it was.
    """
    progress, digest = progress or SilentProgress(), hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer, written_whole(target) as aside:
            total = int(answer.headers.get("Content-Length") or 0)
            with aside.open("wb") as file, progress.bar(f"fetching {target.name}, bytes", total) as advance:
                while block := answer.read(1 << 18):
                    digest.update(block)
                    file.write(block)
                    advance(len(block))
            if digest.hexdigest() != sha256:
                raise DoppelgramError(_unexpected(url))
    except (OSError, http.client.HTTPException) as problem:  # URLError and time-outs are OSErrors
        reason = getattr(problem, "reason", problem)
        raise DoppelgramError(f"{url}: cannot be fetched: {reason}") from None
