from __future__ import annotations

import threading

import numpy as np
import pytest

from doppelgram.space import parallel
from doppelgram.space.parallel import in_blocks


@pytest.mark.parametrize("blocks", [0, 1, 5, 127, 128, 1001])
def test_every_block_is_done_once(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 3)
    done, threads = np.zeros(blocks, dtype=int), set()

    def work(block: int) -> None:
        done[block] += 1
        threads.add(threading.get_ident())

    in_blocks(work, range(blocks))
    assert (done == 1).all()
    assert (threading.get_ident() in threads) == (0 < blocks < 128)


def test_what_goes_wrong_in_a_block_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 2)

    def work(block: int) -> None:
        if block == 500:
            raise ValueError("block 500")

    with pytest.raises(ValueError, match="block 500"):
        in_blocks(work, range(1000))
