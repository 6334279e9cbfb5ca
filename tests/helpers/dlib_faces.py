"""The ready-made model of faces, and photographs with one face, with two and with none."""

from pathlib import Path

import pytest
from PIL import Image

from doppelgram.models.bundle import load_model
from doppelgram.models.embedder import Embedder
from helpers.face_photo import portrait
from helpers.image_files import photo


@pytest.fixture(scope="session")
def faces_model() -> Embedder:
    """The model; a test that needs it is skipped, and says so, where dlib or its weights are not installed."""
    pytest.importorskip("dlib", reason="dlib-bin is not installed: the ready-made model 'faces' is not tested")
    return load_model("faces")


@pytest.fixture(scope="session")
def people_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``one.png``, ``two.png`` (the larger face at the right, tilted) and ``none.png``."""
    folder = tmp_path_factory.mktemp("people")
    portrait().save(folder / "one.png")
    two = Image.new("RGB", (900, 500), (70, 110, 70))
    two.paste(portrait().resize((256, 300)), (40, 100))
    two.paste(portrait().rotate(-12).resize((410, 480)), (440, 10))
    two.save(folder / "two.png")
    photo(300, 200).save(folder / "none.png")
    return folder
