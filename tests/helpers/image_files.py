"""Image files for tests: synthetic photos, and a folder with a real file for every kind of trouble."""

import io
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Make an image with slopes, edges and a little noise: something that a JPEG is made for."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    waves = [np.sin(2 * np.pi * (rng.uniform(0.5, 4) * x + rng.uniform(0.5, 4) * y + rng.random())) for _ in range(3)]
    values = 128 + 80 * np.stack(waves, axis=2)
    values[height // 4 : height // 2, width // 3 : width // 2] = rng.integers(30, 220, 3)
    return Image.fromarray((values + rng.normal(0, 3, values.shape)).clip(0, 255).astype(np.uint8))


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    """Return the bytes of ``image`` in a format of Pillow's."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int, data: bytes) -> bytes:
    """Write a 1-bit PNG by hand that declares any size and holds any bytes as its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """Return a whole and valid PNG of 20,000 x 20,000 white pixels in some 50 kB."""
    return png_header(20_000, 20_000, zlib.compress(bytes(20_000 * 2501), 9))


@dataclass
class Trouble:
    """Paths that are fine, in two kinds, and paths that are not, with a word of the expected reason."""

    fine: list[Path]
    duplicates: list[Path]
    missing: list[Path]
    broken: dict[Path, str]

    @property
    def paths(self) -> list[Path]:
        """All of them, the bad between the good."""
        good, bad = list(self.fine), [*self.missing, *self.broken]
        mixed = [path for pair in zip(good, bad, strict=False) for path in pair]
        rest = good[len(bad) :] + bad[len(good) :]
        return mixed + rest + self.duplicates


def write_trouble(folder: Path) -> Trouble:
    """Write them all into ``folder``."""
    fine: list[Path] = []
    broken: dict[Path, str] = {}

    def write(name: str, data: bytes) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [photo(40, 30, seed).convert("P") for seed in (1, 2, 3)]
    translucent = photo(40, 30, 4)
    translucent.putalpha(128)
    grey16 = Image.fromarray(np.linspace(0, 65535, 1200).reshape(30, 40).astype(np.uint16))
    fine += [
        write("plain.jpg", encode(photo(60, 40, 5), "JPEG")),
        write("cmyk.jpg", encode(photo(40, 30, 6).convert("CMYK"), "JPEG")),
        write("turned.jpg", encode(photo(40, 30, 7), "JPEG", exif=exif)),
        write("größe 写真 \U0001f600.png", encode(photo(40, 30, 8), "PNG")),
        write("two\nlines.png", encode(photo(40, 30, 9), "PNG")),
        write("sixteen.png", encode(grey16, "PNG")),
        write("alpha.png", encode(translucent, "PNG")),
        write("moving.gif", encode(frames[0], "GIF", save_all=True, append_images=frames[1:])),
        write("jpeg by content.png", encode(photo(40, 30, 10), "JPEG")),
    ]
    whole = encode(photo(200, 150, 11), "JPEG")
    broken[write("truncated.jpg", whole[: len(whole) // 2])] = "truncated"
    broken[write("text.png", b"This is no image, whatever its name says.\n")] = "not an image"
    broken[write("empty.jpg", b"")] = "0 bytes"
    broken[write("bomb.png", bomb())] = "20000 x 20000 pixels is more than the cap"
    directory = folder / "folder.jpg"
    directory.mkdir()
    broken[directory] = "folder"
    broken[folder / ("long" * 100 + ".jpg")] = ""
    broken[folder / "nul\0.jpg"] = "name"
    loop = folder / "loop.jpg"
    loop.symlink_to(loop)
    broken[loop] = ""
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.jpg")
        broken[folder / "pipe.jpg"] = "not a regular file"
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        secret = write("secret.jpg", whole)
        secret.chmod(0)
        broken[secret] = "ermission"
    missing = [folder / "nowhere.jpg", folder / "plain.jpg" / "below a file.jpg"]
    copy = write("copy.jpg", fine[0].read_bytes())
    return Trouble(fine, [copy, fine[1]], missing, broken)
