"""What several tests use: small folders of real image files, and settings that keep the machine's own caches out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers.pictures import stripes

# Tests that import OpenVINO by themselves report nothing to its makers either.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

pytest_plugins = [
    "helpers.browser",
    "helpers.catalogs",
    "helpers.dlib_faces",
    "helpers.map_images",
    "helpers.pose_networks",
    "helpers.views",
]


@pytest.fixture(autouse=True)
def _ctrl_c() -> None:
    """Ctrl-C as a program has it that was started at a terminal, whatever ran before.

    A suite that is started in the background is started with Ctrl-C ignored, and so are the processes that it starts;
    and a library may have changed what the system does on it behind Python's back.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("DOPPELGRAM_WEIGHTS", raising=False)


@pytest.fixture
def class_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes ``<root>/<class>/<source>_<n>.png`` with learnable classes; two crops from every source."""

    def make(classes: int = 4, images: int = 10, name: str = "data", seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        root = tmp_path / name
        for kind in range(classes):
            folder = root / f"kind{kind}"
            folder.mkdir(parents=True)
            for n in range(images):
                stripes(kind, rng).save(folder / f"{1000 + n // 2}_{kind}{n % 2}.png")
        return root

    return make
