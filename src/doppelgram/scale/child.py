"""A worker as a process of its own: parts come on standard input, one a line, and answers go out likewise."""

from __future__ import annotations

import json
import os
import sys

from doppelgram.errors import DoppelgramError
from doppelgram.scale.worker import Order, Worker


def main() -> None:
    """Do parts until there are no more; what goes wrong is answered, not raised."""
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    worker = Worker(Order(**json.loads(sys.argv[1])))
    worker.pin(int(sys.argv[2]))
    for line in sys.stdin:
        said = {}
        try:
            worker.do(line.strip())
        except DoppelgramError as problem:
            said["error"] = str(problem)
        except Exception as problem:  # of whatever kind: another process may do better
            said["ended"] = f"{type(problem).__name__}: {problem}"
        print(json.dumps(said), file=answers, flush=True)
        if "ended" in said:
            sys.exit(1)


if __name__ == "__main__":
    main()
