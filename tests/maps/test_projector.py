import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Images
from doppelgram.maps.projector import write_projector


def test_tensorboard_shows_it(make_images: Callable[..., Images], tmp_path: Path) -> None:
    images = make_images(30)
    images = replace(images, names=["tab\tand\nline", *images.names[1:]])
    write_projector(tmp_path / "board", images)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path / "board"), "--port", str(port)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "no_proxy": "*"}
    board = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--load_fast", "false"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(route: str) -> bytes:
        address = f"http://127.0.0.1:{port}/data/plugin/projector/{route}"
        with opener.open(address, timeout=20) as answer:
            body: bytes = answer.read()
            return body

    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                runs = json.loads(ask("runs"))
                break
            except OSError:
                assert board.poll() is None, "TensorBoard did not start"
                assert time.monotonic() < deadline, "TensorBoard did not answer"
                time.sleep(0.2)
        assert runs == ["."]
        (embedding,) = json.loads(ask("info?run=."))["embeddings"]
        assert embedding["tensorShape"] == [30, 6]
        name = embedding["tensorName"]
        vectors = np.frombuffer(ask(f"tensor?run=.&name={name}"), dtype=np.float32).reshape(30, 6)
        np.testing.assert_allclose(vectors, images.vectors, rtol=1e-6)
        rows = ask(f"metadata?run=.&name={name}").decode().splitlines()
        assert [row.split("\t")[0] for row in rows] == ["label", *images.labels.tolist()]
        assert {len(row.split("\t")) for row in rows} == {3}
        with Image.open(io.BytesIO(ask(f"sprite_image?run=.&name={name}"))) as sprite:
            side, other = embedding["sprite"]["singleImageDim"]
            assert side == other == 32
            assert sprite.width == 6 * side, "30 images make 6 columns"
            assert sprite.height == 5 * side
    finally:
        board.send_signal(signal.SIGTERM)
        try:
            board.wait(10)
        except subprocess.TimeoutExpired:
            board.kill()
            board.wait()


def test_files_without_pictures_and_over_old_ones(make_images: Callable[..., Images], tmp_path: Path) -> None:
    write_projector(tmp_path, make_images(9))
    files = write_projector(tmp_path, replace(make_images(5), sheets=None))
    assert [file.name for file in files] == ["tensors.tsv", "metadata.tsv", "projector_config.pbtxt"]
    assert "sprite" not in files[-1].read_text()
    assert len((tmp_path / "tensors.tsv").read_text().splitlines()) == 5
    with (tmp_path / "metadata.tsv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream, delimiter="\t"))) == 5
    assert not [file for file in tmp_path.iterdir() if re.search("part", file.name)]


def test_a_folder_that_cannot_be(make_images: Callable[..., Images], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DoppelgramError, match="cannot be written"):
        write_projector(tmp_path / "file", make_images(5))
