"""The embedding space for TensorBoard's projector: vectors, labels and small pictures in a folder."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from doppelgram.files import written_whole
from doppelgram.maps.atlas import Images
from doppelgram.maps.sprites import Pixels, lay_out, square

# The viewer makes one texture of the sprite; larger ones fail in many browsers.
_LARGEST_SPRITE = 8192
_FILES = ("tensors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt")


def write_projector(folder: Path | str, images: Images) -> list[Path]:
    """Write ``tensors.tsv``, ``metadata.tsv``, ``sprite.png`` (if there are pictures) and ``projector_config.pbtxt``.

    ``tensorboard --logdir FOLDER`` then shows the vectors; files of these names in the folder are replaced.

    Returns:
        The files written; the configuration is the last.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    folder = Path(folder)
    sheets = images.sheets
    config = ["embeddings {", '  tensor_name: "embedding"', '  tensor_path: "tensors.tsv"']
    config.append('  metadata_path: "metadata.tsv"')
    vectors, metadata, sprite, last = (folder / name for name in _FILES)
    rows = ["label\tpart\tpath"]
    for label, part, name in zip(images.labels, images.parts, images.names, strict=True):
        rows.append("\t".join(_cell(str(text)) for text in (label, part, name)))
    # Left in the opposite order: the configuration, which the viewer looks for, is the last to be there.
    with ExitStack() as stack:
        config_aside = stack.enter_context(written_whole(last))
        if sheets:
            side = sprite_side(len(images), sheets.side)
            columns = math.ceil(math.sqrt(len(images)))
            tiles = [tile if side == sheets.side else _smaller(tile, side) for tile in sheets.tiles()]
            Image.fromarray(lay_out(tiles, side, columns)).save(stack.enter_context(written_whole(sprite)), "PNG")
            config += ["  sprite {", '    image_path: "sprite.png"']
            config += [f"    single_image_dim: {side}"] * 2 + ["  }"]
        stack.enter_context(written_whole(metadata)).write_text("\n".join(rows) + "\n", encoding="utf-8")
        with stack.enter_context(written_whole(vectors)).open("w", encoding="ascii") as stream:
            np.savetxt(stream, images.vectors, fmt="%.7g", delimiter="\t")
        config_aside.write_text("\n".join([*config, "}"]) + "\n", encoding="ascii")
        last.unlink(missing_ok=True)
    return [vectors, metadata, *([sprite] if sheets else []), last]


def sprite_side(count: int, wanted: int) -> int:
    """Side of a picture with which ``count`` of them fit the largest sprite."""
    return max(1, min(wanted, _LARGEST_SPRITE // math.ceil(math.sqrt(max(count, 1)))))


def _smaller(tile: Pixels, side: int) -> Pixels:
    return square(Image.fromarray(tile), side)


def _cell(text: str) -> str:
    """Text that keeps to its cell; the viewer takes an empty one for a missing column."""
    return " ".join(text.split()).encode("utf-8", "replace").decode("utf-8") or "-"
