"""Perceptual hashes: copies are told from other photographs of the same place."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance

from doppelgram.images.near_copies import MOST_DIFFERENT, WORDS, hash_of_jpeg, perceptual_hash, same_photograph


def photograph(seed: int) -> Image.Image:
    """Soft blobs of grey, as photographs have them, 200 x 150."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    return small.resize((200, 150), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: int = 50) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def bits(one: np.ndarray) -> list[int]:
    return [int(value) >> k & 1 for value in one for k in range(64)]


def test_copies_are_near_and_others_far() -> None:
    pictures = [photograph(seed) for seed in range(6)]
    copies = [
        jpeg(pictures[0], 30),
        jpeg(pictures[0].resize((120, 90))),
        jpeg(ImageEnhance.Brightness(pictures[0]).enhance(1.15)),
        jpeg(pictures[0].convert("L").convert("RGB")),
    ]
    hashes = np.array([perceptual_hash(one) for one in pictures] + [hash_of_jpeg(data) for data in copies])
    numbers = same_photograph(hashes)
    assert set(numbers[6:]) == {numbers[0]}
    assert len(set(numbers[:6])) == 6


def test_same_photograph_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (40, WORDS), dtype=np.uint64)
    for k in range(20, 40):  # some of them a few bits away from an earlier one
        hashes[k] = hashes[k - 20] ^ np.uint64(int(rng.integers(0, 2**63)) & 0x5555555555 if k % 2 else 3)
    digests = [f"d{k}" for k in range(40)]
    digests[7] = digests[3]
    group = list(range(40))
    for i in range(40):
        for j in range(i):
            near = sum(a != b for a, b in zip(bits(hashes[i]), bits(hashes[j]), strict=True)) <= MOST_DIFFERENT
            if near or digests[i] == digests[j]:
                group = [group[j] if one == group[i] else one for one in group]
    found = same_photograph(hashes, digests)
    assert [[a == b for a in found] for b in found] == [[a == b for a in group] for b in group]


def test_nothing_in_a_picture_is_like_nothing() -> None:
    flat = perceptual_hash(Image.new("RGB", (80, 60), "white"))
    assert not flat.any()
    assert not hash_of_jpeg(b"no picture").any()
    assert len(set(same_photograph(np.array([flat, flat])).tolist())) == 2
    assert len(same_photograph(np.zeros((0, WORDS), dtype=np.uint64))) == 0
