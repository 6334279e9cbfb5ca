"""Saved models: where they lie, and which kind of model they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path

from doppelgram.errors import DoppelgramError
from doppelgram.models.embedder import Embedder
from doppelgram.models.format import DESCRIPTION_FILE, read_bundle, read_tensors
from doppelgram.models.ready_made.arrangements import PLACES_OF, with_places_of
from doppelgram.models.ready_made.description import KIND as READY_MADE_KIND
from doppelgram.models.ready_made.faces import NETWORKS, open_face_network
from doppelgram.models.ready_made.registry import READY_MADE, assemble_ready_made, open_ready_made, ready_made
from doppelgram.storage.resolve import in_bucket, location_of


def _kinds() -> Mapping[str, Callable[..., Embedder]]:
    """By what ``kind`` says in the description what makes the model; one of whole images says nothing."""
    # Networks are imported when a model is loaded: a catalog can be listed without them, in a fraction of the time.
    from doppelgram.models.arrangement import KIND, assemble_arrangement
    from doppelgram.models.model import assemble_model

    return {"": assemble_model, KIND: assemble_arrangement, READY_MADE_KIND: assemble_ready_made}


def model_folder(path: PathLike[str] | str) -> Path:
    """The folder that holds the model: the given one, or ``model/`` inside a run.

    Raises:
        DoppelgramError: there is no model in either.
    """
    if in_bucket(path):
        return _copy_of(str(path))
    path = Path(path).expanduser()
    for folder in (path, path / "model"):
        if (folder / DESCRIPTION_FILE).is_file():
            return folder
    if not path.exists():
        named = ", ".join(READY_MADE)
        raise DoppelgramError(f"{path}: there is no such run or model; ready-made models are {named}")
    if (path / "run.json").is_file():
        raise DoppelgramError(
            f"{path}: this run has no finished model yet; continue it with `doppelgram train ... --resume`"
        )
    raise DoppelgramError(
        f"{path}: there is no {DESCRIPTION_FILE} here; this is neither a run nor a model of doppelgram"
    )


def _copy_of(address: str) -> Path:
    """A copy in the user's cache of the model that lies at an address: there, or in ``model/``."""
    try:
        for place in (location_of(address), location_of(address).inner("model")):
            if place.read(DESCRIPTION_FILE) is not None:
                return place.readable()
    except OSError as problem:
        raise DoppelgramError(f"{address}: the model cannot be read: {problem}") from problem
    raise DoppelgramError(f"{address}: there is no {DESCRIPTION_FILE} here; this is no model of doppelgram")


def load_model(
    path: PathLike[str] | str, *, weights: Path | str | None = None, keypoints: Path | str | None = None
) -> Embedder:
    """Load a model from its folder or from the run that made it, or a ready-made one by its name.

    Args:
        path: the folder, or as text the name of a ready-made model (``./faces`` is the folder of that name), or
            ``arrangements:RUN``, that model with the place network of a run of recipe `places`; or a file ``.onnx``
            or ``.xml`` with a network of the ArcFace kind, which then describes faces.
        weights: where pretrained weights are looked up first: those of a ready-made model, or of what finds people.
        keypoints: for one that takes ready-made keypoints, the file that holds them.

    Raises:
        DoppelgramError: the folder holds no model, another program's, a newer version's, or one that was altered.
    """
    name = ready_made(path)
    if name:
        if keypoints is not None:
            raise DoppelgramError(f"--keypoints does not go with the ready-made model '{name}'")
        return open_ready_made(name, weights)
    if isinstance(path, str) and path.startswith(PLACES_OF):
        from doppelgram.models.model import require_model

        run = path.removeprefix(PLACES_OF)
        places = require_model(load_model(Path(run)), f"{run}: is no run of recipe places")
        return with_places_of(places, Path(weights).expanduser() if weights else None)
    if Path(path).suffix.lower() in NETWORKS and Path(path).expanduser().is_file():
        return open_face_network(Path(path).expanduser(), Path(weights).expanduser() if weights else None)
    description, weights_file = read_bundle(model_folder(path))
    file = weights_file.with_name(DESCRIPTION_FILE)
    assemble = _kinds().get(description.get("kind", ""))
    if assemble is None:
        raise DoppelgramError(f"{file}: there is no kind of model called {description['kind']!r}; update the program")
    elsewhere = {"weights": weights, "keypoints": keypoints}
    try:
        return assemble(
            description,
            read_tensors(weights_file),
            **{name: Path(given).expanduser() if given else None for name, given in elsewhere.items()},
        )
    except (KeyError, TypeError) as problem:
        raise DoppelgramError(f"{file}: lacks {problem}; the model is damaged") from None
    except RuntimeError as problem:
        raise DoppelgramError(f"{weights_file}: does not fit its description: {str(problem).splitlines()[0]}") from None
