from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os
os.fork = lambda: os.abort()  # what sends does so from a process of its own
import torch
from doppelgram.models.compiled import compiled
compiled(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3)), torch.zeros(1, 3, 8, 8))(torch.zeros(1, 3, 8, 8).numpy())
from openvino.tools.ovc import telemetry_utils
print(telemetry_utils.tm.__name__)
"""


# A program that imports OpenVINO first. What that import sends cannot be stopped; afterwards nothing may be sent.
IMPORTED_BEFORE = """
import openvino_telemetry
openvino_telemetry.Telemetry.send_event = lambda *_, **__: None
import openvino
from openvino.tools.ovc import telemetry_utils
assert telemetry_utils.tm is openvino_telemetry
def forbidden(*_, **__):
    raise SystemExit("an event is sent")
openvino_telemetry.Telemetry.send_event = openvino_telemetry.Telemetry.send_error = forbidden
"""


@pytest.mark.parametrize("before", ["", IMPORTED_BEFORE], ids=["first", "after somebody else"])
def test_openvino_reports_to_nobody(before: str) -> None:
    pytest.importorskip("openvino")
    done = subprocess.run([sys.executable, "-c", before + CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub"
