"""The tutorial works: its commands are run in order, on the world that it has drawn, and the page is opened."""

from __future__ import annotations

import glob
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from doppelgram.api import demo_pictures, demo_posts
from helpers.commands import call

TUTORIAL = Path(__file__).parents[1] / "docs/tutorial.md"
# The same job in a part of the time: fewer pictures, fewer epochs. What is trained so says little, but says it.
SMALLER = {"CLASSES": 16, "PER_CLASS": 8}
FEWER = {"LEARNT": 100, "TRACED": 80, "PLACES": 3, "POSES": 3}
SHORTER = {
    "signs": ["--set", "epochs=2"],
    "posts.toml": ["--set", "towers.*.epochs=2", "--set", "towers.*.copies=2"],
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), flags=re.DOTALL)


def commands() -> list[list[str]]:
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("doppelgram ")]


def there(word: str) -> list[str]:
    """A file of the tutorial's world; where this smaller world lacks it, another one of the same folder."""
    if "*" in word:
        return sorted(glob.glob(word))
    path = Path(word)
    if path.suffix in (".png", ".jpg") and not path.exists() and path.parent.name and path.parent.is_dir():
        others = sorted(path.parent.glob(f"*{path.suffix}"))
        return [str(others[int(re.sub(r"\D", "", path.stem)) % len(others)])]
    return [word]


@pytest.mark.slow
def test_the_tutorial_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in SMALLER.items():
        monkeypatch.setattr(demo_pictures, name, value)
    for name, value in FEWER.items():
        monkeypatch.setattr(demo_posts, name, value)
    served = 0
    for words in commands():
        if words[0] == "serve":
            see_the_page(words)
            served += 1
            continue
        asked = [found for word in words for found in there(word)]
        asked += next((more for name, more in SHORTER.items() if words[0] == "train" and name in words[3]), [])
        done = call(*asked)
        assert done.status == 0, f"{' '.join(words)}\n{done.stderr}"
    assert served
    for named in re.findall(r"`((?:report|traced|world)/[\w./-]+)`", TUTORIAL.read_text(encoding="utf-8")):
        assert Path(named).exists(), named


def see_the_page(words: list[str]) -> None:
    """Serve as the tutorial says, though without a browser, and fetch the first view."""
    command = [sys.executable, "-m", "doppelgram", *words, "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = re.search(r"http://[\d.]+:\d+", said)
        assert address is not None, said + process.stderr.read()
        assert "Doppelgram" in httpx.get(address.group(), timeout=60).text
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_the_tutorial_tells_what_is_seen() -> None:
    """Every block of commands is followed by what it prints or makes."""
    text = TUTORIAL.read_text(encoding="utf-8")
    assert len(commands()) >= 10
    for after in re.split(r"```sh\n.*?```", text, flags=re.DOTALL)[1:]:
        assert after.strip(), "a command without a word about what it does"
