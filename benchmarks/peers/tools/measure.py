"""Run a command and write what it took; a process of its own, so that memory of the caller is not counted as its.

python measure.py USAGE.json COMMAND ...
"""

import json
import os
import subprocess
import sys
import time

started = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "w", encoding="utf-8") as file:
    taken = {
        "seconds": round(time.perf_counter() - started, 2),
        "processor": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
    }
    json.dump(taken, file)
sys.exit(process.returncode if process.returncode >= 0 else 1)
