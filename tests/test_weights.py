from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from doppelgram import weights as module
from doppelgram.errors import DoppelgramError
from doppelgram.weights import Weights, fetch, find_weights, pull_weights
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


def test_looked_up_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("given", "environment", "cache/weights"):
        (tmp_path / folder / "net").mkdir(parents=True)
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path / "cache"))
    assert find_weights("net") == tmp_path / "cache/weights/net"
    monkeypatch.setenv("DOPPELGRAM_WEIGHTS", str(tmp_path / "environment"))
    assert find_weights("net") == tmp_path / "environment/net"
    assert find_weights("net", tmp_path / "given") == tmp_path / "given/net"


def test_what_is_missing_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="weights pull movenet_lightning"):
        find_weights("movenet_lightning", tmp_path)
    with pytest.raises(DoppelgramError, match="put 'mobilenet_v2_imagenet' into"):
        find_weights("mobilenet_v2_imagenet")
    with pytest.raises(DoppelgramError, match="neither a folder"):
        find_weights("../secret", tmp_path)
    with pytest.raises(DoppelgramError, match="no such folder of weights"):
        find_weights("net", tmp_path / "nowhere")


def test_pulled_once_and_checked(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    monkeypatch.setitem(module.KNOWN, "net", Weights("net", "net.bin", "", f"{server}/net.bin", digest))
    said = RecordingProgress()
    path = pull_weights("net", tmp_path / "w", progress=said)
    assert path.read_bytes() == CONTENT
    assert said.bars == [("fetching net.bin, bytes", len(CONTENT), len(CONTENT))]
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


def test_unknown_and_unfetchable_names(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="known are mobilenet_v2_imagenet"):
        pull_weights("nothing", tmp_path)
    with pytest.raises(DoppelgramError, match="cannot be fetched by this program"):
        pull_weights("mobilenet_v2_imagenet", tmp_path)
