"""Where named weights lie on this machine. Nothing here touches a network."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.weights.known import KNOWN, HubFiles, PackageFile, Weights


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

    Looked up in `weight_folders`, then in the installed pip package that carries them, then in the hub's own cache.

    Args:
        name: a known name, or the name of any file or folder in one of the weight folders.
        given: a folder to look in first.

    Raises:
        DoppelgramError: it is nowhere; says where it looked and the command that brings it.
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
    if name not in KNOWN:
        raise DoppelgramError(
            f"'{name}' is neither a folder, nor a backbone's name, nor weights in {looked}; "
            "`doppelgram weights list` shows the known names"
        )
    source = KNOWN[name].source
    if isinstance(source, PackageFile):
        place, looked = packaged(source), f"{looked}, nor in the package {source.package}"
    elif isinstance(source, HubFiles):
        place, looked = cached(source), f"{looked}, nor in the hub's cache"
    else:
        place = None
    if place is None:
        raise DoppelgramError(
            f"weights '{name}' are in none of {looked}; say where they are with --weights DIR or "
            f"DOPPELGRAM_WEIGHTS, or bring them with: {KNOWN[name].bring}"
        )
    return place


def packaged(source: PackageFile) -> Path | None:
    """The file in the installed package, which is not imported; None where it is not installed."""
    found = importlib.util.find_spec(source.module)
    places = [Path(folder) / source.path for folder in (found.submodule_search_locations or ())] if found else []
    return next((place for place in places if place.is_file()), None)


def import_hub() -> Any:
    """The hub's library, kept from sending what it finds out about this machine."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub

    return huggingface_hub


def cached(source: HubFiles) -> Path | None:
    """The one file, or the folder of all files, in the hub's own cache; None unless every file is there."""
    found = [
        import_hub().try_to_load_from_cache(source.repository, file, revision=source.revision) for file in source.files
    ]
    places = [Path(place) for place in found if isinstance(place, str)]
    if len(places) < len(found):
        return None
    return places[0] if len(places) == 1 else places[0].parent


def place_kind(weights: Weights, place: Path) -> str:
    """In a word what kind of place weights were found in: "package", "hub cache" or "folder"."""
    if isinstance(weights.source, PackageFile) and place == packaged(weights.source):
        return "package"
    return "hub cache" if isinstance(weights.source, HubFiles) and place == cached(weights.source) else "folder"
