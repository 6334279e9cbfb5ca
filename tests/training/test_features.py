from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from doppelgram.images.augmentation import Augmentation
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.training.features import cache_key, cached_features

PIXELS = np.random.default_rng(0).integers(0, 255, (10, 16, 16, 3), dtype=np.uint8)
HASHES = [f"{n:064x}" for n in range(10)]


@pytest.fixture
def network() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return EmbeddingNetwork(SmallNet(4), EmbeddingHead(32, 4), "head")


def counted(network: EmbeddingNetwork) -> list[int]:
    """Records how many images go through the backbone."""
    seen: list[int] = []
    network.backbone.register_forward_hook(lambda module, inputs, output: seen.append(len(output)))
    return seen


def test_each_image_goes_through_the_backbone_once(network: EmbeddingNetwork, tmp_path: Path) -> None:
    seen = counted(network)
    some = cached_features(network, PIXELS[:6], HASHES[:6], Framing(16), tmp_path, batch=4)
    every = cached_features(network, PIXELS, HASHES, Framing(16), tmp_path, batch=4)
    shuffled = cached_features(network, PIXELS[::-1].copy(), HASHES[::-1], Framing(16), tmp_path)
    assert sum(seen) == 10
    assert np.array_equal(every[:6], some)
    assert np.array_equal(shuffled[::-1], every)
    with torch.no_grad():
        direct = network.eval().features(torch.from_numpy(PIXELS).permute(0, 3, 1, 2) / 255)
    assert np.allclose(every[:, 0], direct.numpy(), atol=1e-5)


def test_views_do_not_depend_on_the_batch(network: EmbeddingNetwork, tmp_path: Path) -> None:
    changes = Augmentation(brightness=0.4, flip=True)
    a = cached_features(network, PIXELS, HASHES, Framing(16), tmp_path / "a", augmentation=changes, copies=3, batch=3)
    b = cached_features(network, PIXELS, HASHES, Framing(16), tmp_path / "b", augmentation=changes, copies=3, batch=10)
    plain = cached_features(network, PIXELS, HASHES, Framing(16), tmp_path / "c")
    assert a.shape == (10, 3, 32)
    assert np.allclose(a, b, atol=1e-5)
    assert np.allclose(a[:, 0], plain[:, 0], atol=1e-5)
    assert not np.allclose(a[:, 0], a[:, 1], atol=1e-3)
    assert not np.allclose(a[:, 1], a[:, 2], atol=1e-3)


def test_an_interruption_keeps_what_was_done(network: EmbeddingNetwork, tmp_path: Path) -> None:
    seen = counted(network)

    def stop(count: int) -> None:
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_features(network, PIXELS, HASHES, Framing(16), tmp_path, batch=3, progress=stop)
    cached_features(network, PIXELS, HASHES, Framing(16), tmp_path, batch=3)
    assert sum(seen) == 10


def test_a_damaged_cache_is_a_miss(network: EmbeddingNetwork, tmp_path: Path) -> None:
    first = cached_features(network, PIXELS, HASHES, Framing(16), tmp_path)
    (file,) = tmp_path.iterdir()
    for damage in (b"", b"nonsense", file.read_bytes()[:-50]):
        file.write_bytes(damage)
        assert np.array_equal(cached_features(network, PIXELS, HASHES, Framing(16), tmp_path), first)


def test_the_key_follows_everything_that_decides_a_feature(network: EmbeddingNetwork) -> None:
    bright = Augmentation(brightness=0.2)
    keys = {
        cache_key(network, Framing(16), bright, 1),
        cache_key(network, Framing(24), bright, 1),
        cache_key(network, Framing(16), bright, 2),
        cache_key(network, Framing(16), Augmentation(brightness=0.3), 2),
    }
    assert len(keys) == 4
    assert cache_key(network, Framing(16), bright, 1) == cache_key(network, Framing(16), Augmentation(), 1)
    with torch.no_grad():
        next(network.head.parameters()).add_(1)
    assert cache_key(network, Framing(16), bright, 1) in keys
    with torch.no_grad():
        next(network.backbone.parameters()).add_(1)
    assert cache_key(network, Framing(16), bright, 1) not in keys
