from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import gc, signal, threading
import torch
from doppelgram.models.compiled import compiled
networks = [compiled(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3)), torch.zeros(1, 3, 8, 8)) for _ in range(2)]
[network(torch.zeros(1, 3, 8, 8).numpy()) for network in networks]
thread = threading.Thread(target=lambda: (networks.clear(), gc.collect()))
thread.start()
thread.join()
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_is_heard_after_networks_went_in_another_thread() -> None:
    pytest.importorskip("openvino")
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "interrupted"
