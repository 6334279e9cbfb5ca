"""Pulls from a hub on loopback, in processes of their own: the hub's library reads its address once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from doppelgram.weights import KNOWN, HubFiles
from helpers.hub import Hub, serve_hub

NET = "net.safetensors"
CONTENT = {
    "config.json": b"{}" * 50,
    NET: bytes(range(256)) * 4000,
    "onnx/one.onnx": b"one" * 1000,
    "large": bytes(3 << 23),
}
SCRIPT = """
import sys
from doppelgram.cli import main
from doppelgram.weights import KNOWN, HubFiles, Weights
folder = {{"config.json": "", "net.safetensors": "{net}"}}
for name, repository, files in (
    ("folder", "some/net", folder),
    ("one", "some/net", {{"onnx/one.onnx": "{one}"}}),
    ("other", "some/net", {{**folder, "config.json": "0" * 64}}),
    ("nowhere", "no/such", folder),
    ("lacking", "some/net", {{"absent.bin": ""}}),
    ("large", "some/net", {{"large": ""}}),
):
    entry = "one.onnx" if name == "one" else name
    KNOWN[name] = Weights(name, entry, "", "Apache-2.0", HubFiles(repository, "{revision}", files))
main(sys.argv[1:])
"""

pytestmark = pytest.mark.slow
Pull = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serve_hub({("some/net", path): content for path, content in CONTENT.items()}) as running:
        yield running


@pytest.fixture
def pull(hub: Hub, tmp_path: Path) -> Pull:
    """Runs ``weights pull`` with an empty cache of the hub's library."""
    digests = {
        name: hashlib.sha256(CONTENT[path]).hexdigest() for name, path in (("net", NET), ("one", "onnx/one.onnx"))
    }
    script = SCRIPT.format(revision="0123456789abcdef" * 2 + "01234567", **digests)

    def run(*names: str, endpoint: str = hub.address, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **own_environment(),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(tmp_path / "hf"),
            "DOPPELGRAM_CACHE": str(tmp_path / "cache"),
            **more,
        }
        command = [sys.executable, "-c", script, "weights", "pull", *names]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


def own_environment() -> dict[str, str]:
    """This process's environment, without what it or its user set for the hub's library."""
    return {key: value for key, value in os.environ.items() if not key.startswith("HF_")}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_pulled_whole_and_once(hub: Hub, pull: Pull, tmp_path: Path) -> None:
    done = pull("folder", "one")
    weights = tmp_path / "cache/weights"
    assert done.stdout.splitlines() == [str(weights / "folder"), str(weights / "one.onnx")]
    assert done.stderr.splitlines() == [f"{name}: from hub some/net, licence Apache-2.0" for name in ("folder", "one")]
    files = {"config.json": CONTENT["config.json"], NET: CONTENT[NET]}
    assert contents(weights / "folder") == files
    assert (weights / "one.onnx").read_bytes() == CONTENT["onnx/one.onnx"]
    assert sorted(path.name for path in weights.iterdir()) == ["folder", "one.onnx"]
    assert all("/api/" not in request for request in hub.asked)
    hub.asked.clear()
    again = pull("folder", "one")
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, "")
    assert hub.asked == []


def test_a_broken_connection_is_taken_up_again(hub: Hub, pull: Pull, tmp_path: Path) -> None:
    if int(version("huggingface_hub").split(".")[0]) < 1:
        pytest.skip("the hub's library before 1.0 gives up when a connection breaks")
    hub.cut["large"] = "once"
    assert pull("large").returncode == 0
    assert (tmp_path / "cache/weights/large").read_bytes() == CONTENT["large"]
    first, second = (size for _, size in hub.sent)
    assert first < len(CONTENT["large"])
    assert second < len(CONTENT["large"])


def test_what_was_whole_before_an_interruption_is_kept(hub: Hub, pull: Pull, tmp_path: Path) -> None:
    hub.cut[NET] = "always"
    done = pull("folder")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: some/net at {hub.address}: cannot be fetched: peer closed")
    assert not (tmp_path / "cache/weights/folder").exists()
    hub.cut.clear()
    hub.asked.clear()
    assert pull("folder").returncode == 0
    assert contents(tmp_path / "cache/weights") == {"folder/config.json": b"{}" * 50, f"folder/{NET}": CONTENT[NET]}
    assert [request.split("/")[-1] for request in hub.asked if request.startswith("GET")] == [NET]


def test_other_content_is_not_kept(pull: Pull, tmp_path: Path) -> None:
    done = pull("other")
    assert done.returncode == 2
    assert "error: some/net/config.json: what came is not the expected file (another sha256 hash)" in done.stderr
    assert contents(tmp_path / "cache/weights") == {}


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "no/such"), ("lacking", "some/net")])
def test_what_the_hub_does_not_have_is_said_in_a_sentence(hub: Hub, pull: Pull, name: str, reason: str) -> None:
    done = pull(name)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 2  # the licence, and the error
    assert f"error: {reason} at {hub.address}: cannot be fetched: " in done.stderr
    assert "404" in done.stderr


def test_without_a_network_it_gives_up_at_once(hub: Hub, pull: Pull) -> None:
    done = pull("folder", endpoint="http://127.0.0.1:9")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 2
    assert "error: some/net at http://127.0.0.1:9: cannot be fetched: " in done.stderr
    assert "offline mode is enabled" in pull("folder", HF_HUB_OFFLINE="1").stderr


def test_a_cache_that_is_there_is_used_and_the_hub_not_asked(hub: Hub, pull: Pull, tmp_path: Path) -> None:
    script = (
        "from huggingface_hub import hf_hub_download as get\n"
        "import sys\n"
        "for file in sys.argv[2:]: get('some/net', file, revision=sys.argv[1])"
    )
    environment = {**own_environment(), "HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf")}
    commit = "0123456789abcdef" * 2 + "01234567"
    subprocess.run([sys.executable, "-c", script, commit, "config.json", NET], env=environment, check=True)
    hub.asked.clear()
    done = pull("folder")
    assert done.returncode == 0
    assert contents(Path(done.stdout.strip())) == {"config.json": b"{}" * 50, NET: CONTENT[NET]}
    assert hub.asked == []


def test_several_names_bring_what_can_be_had(hub: Hub, pull: Pull, tmp_path: Path) -> None:
    done = pull("nowhere", "one")
    assert done.returncode == 2
    assert done.stdout.strip() == str(tmp_path / "cache/weights/one.onnx")
    assert done.stderr.splitlines()[-1] == "error: 1 of 2 weights are not here: nowhere"
    assert [name for name, known in KNOWN.items() if isinstance(known.source, HubFiles)] == [
        "mobilenet_v2_imagenet",
        "dinov2_small",
        "movenet_thunder",
    ]
