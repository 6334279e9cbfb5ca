"""Networks run by OpenVINO, and those that only torch can run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from doppelgram.models.compiled import compiled
from doppelgram.models.runtime import in_bulk


class _Moments(nn.Module):
    """Uses an operation that OpenVINO has no rule for."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.special.i0e(images).mean((2, 3))


def test_a_network_that_cannot_be_translated_is_run_by_torch() -> None:
    pytest.importorskip("openvino")
    images = torch.rand(11, 3, 8, 8)
    for runtime in (None, in_bulk()):
        found = compiled(_Moments(), images[:1], runtime=runtime)(images.numpy())
        np.testing.assert_allclose(found, _Moments()(images).numpy(), atol=1e-6)


def test_a_failure_in_one_call_does_not_spoil_the_next() -> None:
    pytest.importorskip("openvino")
    run = compiled(nn.Conv2d(3, 2, 3), torch.zeros(1, 3, 8, 8), runtime=in_bulk())
    with pytest.raises(RuntimeError):
        run(np.zeros((20, 5, 8, 8), dtype=np.float32))
    assert run(np.zeros((20, 3, 8, 8), dtype=np.float32)).shape == (20, 2, 6, 6)
