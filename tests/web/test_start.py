"""What the page needs before it can be looked at."""

from __future__ import annotations

import subprocess
import sys


def test_the_server_starts_without_the_library_of_networks() -> None:
    asked = "import sys, doppelgram.web.serve; print(sorted({'torch', 'torchvision', 'transformers'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
