"""Named weights: where they lie, and the one place that may fetch them."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from doppelgram.console import Progress, SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole

_CORAL = "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41/"


@dataclass(frozen=True)
class Weights:
    """A file or folder of weights with a name.

    Attributes:
        name: what commands and recipes call it.
        entry: file or folder name below a weights folder.
        about: one line for people.
        url: where `pull` finds it; empty where no fixed file can be fetched and the folder has to be brought.
        sha256: what the fetched file must hash to.
    """

    name: str
    entry: str
    about: str
    url: str = ""
    sha256: str = ""


KNOWN = {
    weights.name: weights
    for weights in (
        Weights(
            "mobilenet_v2_imagenet",
            "mobilenet_v2_imagenet",
            "MobileNetV2 1.0 trained on ImageNet, a transformers folder; bring it (config.json, model.safetensors)",
        ),
        Weights(
            "movenet_lightning",
            "movenet_single_pose_lightning_ptq.tflite",
            "MoveNet Lightning, 17 keypoints of one person (Apache-2.0)",
            _CORAL + "movenet_single_pose_lightning_ptq.tflite",
            "cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105",
        ),
        Weights(
            "movenet_thunder",
            "movenet_singlepose_thunder.onnx",
            "MoveNet Thunder, 17 keypoints of one person, more accurate (Apache-2.0)",
        ),
        Weights(
            "deeplab_v3_pascal",
            "deeplabv3_mnv2_pascal_quant.tflite",
            "DeepLab v3, Pascal VOC classes; tells people from the place (Apache-2.0)",
            _CORAL + "deeplabv3_mnv2_pascal_quant.tflite",
            "350af47fd346ea6d74b58833a351f583ba860e9806ec5bd292ff8d8f1f249398",
        ),
    )
}


def cache_folder() -> Path:
    """The user's cache of this program (``DOPPELGRAM_CACHE`` overrides where it lies)."""
    if os.environ.get("DOPPELGRAM_CACHE"):
        return Path(os.environ["DOPPELGRAM_CACHE"]).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("doppelgram"))


def weight_folders(given: Path | None = None) -> list[Path]:
    """Folders that are searched for weights, in order: the given one, ``DOPPELGRAM_WEIGHTS``, the user's cache."""
    folders = [given] if given is not None else []
    if os.environ.get("DOPPELGRAM_WEIGHTS"):
        folders.append(Path(os.environ["DOPPELGRAM_WEIGHTS"]))
    return [*(folder.expanduser() for folder in folders), cache_folder() / "weights"]


def find_weights(name: str, given: Path | None = None) -> Path:
    """The file or folder that holds the weights of that name. Never touches a network.

    Args:
        name: a known name, or the name of any file or folder in one of the weight folders.
        given: a folder to look in first.

    Raises:
        DoppelgramError: it is in none of the folders; says where it looked and what to do.
    """
    if given is not None and not given.expanduser().is_dir():
        raise DoppelgramError(f"{given}: there is no such folder of weights")
    entry = KNOWN[name].entry if name in KNOWN else name
    folders = weight_folders(given)
    if entry not in ("", ".", "..") and "/" not in entry:
        for folder in folders:
            if (folder / entry).exists():
                return folder / entry
    looked = ", ".join(str(folder) for folder in folders)
    if name in KNOWN:
        pull = f"run `doppelgram weights pull {name}`" if KNOWN[name].url else f"put '{entry}' into one of them"
        raise DoppelgramError(f"weights '{name}' are in none of {looked}; {pull}, or give --weights DIR")
    raise DoppelgramError(
        f"'{name}' is neither a folder, nor a backbone's name, nor weights in {looked}; "
        "`doppelgram weights list` shows the known names"
    )


def pull_weights(name: str, into: Path | None = None, *, progress: Progress | None = None) -> Path:
    """Fetch weights by name into a folder (the user's cache by default) and check their hash.

    This function is the only one in the program that uses a network.

    Raises:
        DoppelgramError: the name is not known, cannot be fetched, or what came is not what was expected.
    """
    if name not in KNOWN:
        raise DoppelgramError(f"there are no weights called '{name}'; known are {', '.join(KNOWN)}")
    weights = KNOWN[name]
    folder = into if into is not None else cache_folder() / "weights"
    target = folder / weights.entry
    if target.exists():
        return target
    if not weights.url:
        raise DoppelgramError(
            f"weights '{name}' cannot be fetched by this program: put '{weights.entry}' into {folder}"
        )
    fetch(weights.url, weights.sha256, target, progress=progress)
    return target


def fetch(url: str, sha256: str, target: Path, *, timeout: float = 20.0, progress: Progress | None = None) -> None:
    """Fetch one file and put it in place whole or not at all.

    Args:
        url: where from.
        sha256: hash that the content must have.
        target: where to.
        timeout: seconds without an answer after which it is given up.
        progress: where a bar of bytes is shown; nowhere by default.

    Raises:
        DoppelgramError: no connection, a refusal, or content with another hash; ``target`` is left as it was.
    """
    progress, digest = progress or SilentProgress(), hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer, written_whole(target) as aside:
            total = int(answer.headers.get("Content-Length") or 0)
            with aside.open("wb") as file, progress.bar(f"fetching {target.name}, bytes", total) as advance:
                while block := answer.read(1 << 18):
                    digest.update(block)
                    file.write(block)
                    advance(len(block))
            if digest.hexdigest() != sha256:
                raise DoppelgramError(f"{url}: what came is not the expected file (another sha256 hash); not kept")
    except (OSError, http.client.HTTPException) as problem:  # URLError and time-outs are OSErrors
        reason = getattr(problem, "reason", problem)
        raise DoppelgramError(f"{url}: cannot be fetched: {reason}") from None
