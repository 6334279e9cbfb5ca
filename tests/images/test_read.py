"""Every photograph once: what comes of it, of a copy, of a file that is known, and of what is in memory."""

import hashlib
import io
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import decode, open_image
from doppelgram.images.faces.face import NoFace
from doppelgram.images.framing import Framing
from doppelgram.images.read import Source, Want, read, read_all
from doppelgram.images.whole import WholePhotograph
from helpers.image_files import encode, photo, write_trouble


class Sizes:
    """An extra that says how large a photograph is, and how large it came."""

    def __init__(self, at_least: int = 1) -> None:
        self.at_least = at_least
        self.kept: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}
        self.computed, self.flushed = 0, 0

    def cached(self, digest: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
        return self.kept.get(digest)

    def compute(self, source: Source, image: Image.Image, size: tuple[int, int], digest: str) -> object:
        self.computed += 1
        if digest:
            self.kept[digest] = size, image.size
        return size, image.size

    def flush(self) -> None:
        self.flushed += 1


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A turned JPEG of 600 x 800 that lies on its side in the file, a PNG, and a copy of the first."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(photo(800, 600, 1), "JPEG", exif=exif)
    contents = {"turned.jpg": data, "b.png": encode(photo(90, 60, 2), "PNG"), "copy.jpg": data}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


def test_one_photograph_gives_everything_that_is_wanted(files: list[Path]) -> None:
    framing, sizes = Framing(48), Sizes()
    first, second, copy = read(files, Want(framing, 160, {"sizes": sizes}))
    assert first.path == files[0]
    assert first.digest == hashlib.sha256(files[0].read_bytes()).hexdigest()
    assert (first.status, first.reason, first.width, first.height, first.faces) == ("ok", "", 600, 800, None)
    np.testing.assert_array_equal(first.pixels, framing.apply(open_image(files[0], at_least=framing.at_least)))
    with Image.open(io.BytesIO(first.thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (120, 160))
    with Image.open(io.BytesIO(second.thumbnail)) as thumbnail:
        assert thumbnail.size == (90, 60)
    assert first.extras == {"sizes": ((600, 800), (150, 200))}
    assert (copy.status, copy.pixels, copy.thumbnail, copy.extras) == ("duplicate", None, b"", {})
    assert "turned.jpg" in copy.reason
    assert sizes.flushed == 1


def test_a_copy_is_delivered_where_it_is_wanted(files: list[Path]) -> None:
    first, _, copy = read(files, Want(Framing(48)), keep_duplicates=True)
    assert (copy.status, copy.digest) == ("duplicate", first.digest)
    np.testing.assert_array_equal(first.pixels, copy.pixels)


def test_the_largest_need_decides_the_one_decoding(files: list[Path]) -> None:
    def decoded(want: Want) -> tuple[int, int]:
        return next(iter(read(files[:1], want))).extras["sizes"][1]

    assert decoded(Want(extras={"sizes": Sizes(1)})) == (75, 100)
    assert decoded(Want(extras={"sizes": Sizes(200)})) == (300, 400)
    assert decoded(Want(thumbnail=350, extras={"sizes": Sizes(1)})) == (300, 400)
    assert decoded(Want(WholePhotograph(320), extras={"sizes": Sizes(1)})) == (600, 800)
    assert decoded(Want(Framing(8, 20), extras={"sizes": Sizes(1)})) == (600, 800)


def test_what_a_model_sees_does_not_depend_on_the_thumbnail(tmp_path: Path) -> None:
    file = tmp_path / "square.jpg"
    file.write_bytes(encode(photo(1024, 1024, 3), "JPEG"))
    for size in (16, 64, 80):
        with_one, without = (next(iter(read([file], Want(Framing(size), side)))) for side in (160, 0))
        np.testing.assert_array_equal(with_one.pixels, without.pixels)


def test_what_is_kept_needs_no_decoding(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, decoded = Sizes(), []
    monkeypatch.setattr("doppelgram.images.read.decode_sized", lambda data, at_least: decoded.append(1) or ...)
    sizes.kept = {hashlib.sha256(file.read_bytes()).hexdigest(): ((1, 1), (1, 1)) for file in files}
    found = list(read(files, Want(extras={"sizes": sizes})))
    assert [photograph.status for photograph in found] == ["ok", "ok", "duplicate"]
    assert found[1].extras == {"sizes": ((1, 1), (1, 1))}
    asked = list(read(files, Want(Framing(16), 160), known=lambda digest: digest in sizes.kept))
    assert [one.status for one in asked] == ["ok", "ok", "duplicate"]
    assert [one.pixels for one in asked] == [None] * 3
    assert decoded == []


def test_every_trouble_has_its_name(tmp_path: Path) -> None:
    trouble = write_trouble(tmp_path)
    found = {photograph.path: photograph for photograph in read(trouble.paths[::-1], Want())}
    assert all(found[path].status in ("ok", "duplicate") for path in trouble.fine)
    assert all(found[path].status == "missing" for path in trouble.missing)
    for path, reason in trouble.broken.items():
        assert found[path].status == "broken"
        assert reason in found[path].reason
        assert not found[path].usable


def test_images_in_memory_are_read_alike(files: list[Path]) -> None:
    picture = decode(files[1].read_bytes())
    sizes = Sizes()
    wanted = Want(Framing(16), 40, {"sizes": sizes})
    sources = [files[1], str(files[1]), picture, np.asarray(picture), picture.convert("L")]
    found = read_all(sources, wanted)
    assert [photograph.path for photograph in found] == [files[1], files[1], None, None, None]
    for photograph in found[1:4]:
        np.testing.assert_array_equal(photograph.pixels, found[0].pixels)
        assert photograph.thumbnail == found[0].thumbnail
        assert photograph.extras == found[0].extras
    assert [photograph.status for photograph in found[2:]] == ["ok"] * 3
    for array in (np.zeros((3, 4), np.uint8), np.zeros((3, 4, 3))):
        with pytest.raises(DoppelgramError, match="an image array has shape"):
            read_all([array], wanted)


def test_what_was_asked_for_by_itself_has_to_be_there(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(DoppelgramError, match=r"none\.png: no such file"):
        read_all([files[0], tmp_path / "none.png"], Want())
    with pytest.raises(DoppelgramError, match=r"text\.png: not an image"):
        read_all([tmp_path / "text.png"], Want())


def test_whoever_stops_early_keeps_what_was_found(files: list[Path]) -> None:
    sizes = Sizes()
    with closing(read(files, Want(extras={"sizes": sizes}))) as reads:
        next(reads)
    assert sizes.flushed == 1


def test_images_in_memory_look_as_their_files_do(tmp_path: Path) -> None:
    """Turned by EXIF, partly transparent, with a palette, of 16 bits: as a file, as bytes, and opened by Pillow."""
    exif = Image.Exif()
    exif[0x0112] = 6
    sheer = photo(40, 30, 1).convert("RGBA")
    sheer.putalpha(Image.linear_gradient("L").resize(sheer.size))
    deep = Image.fromarray((np.arange(1200) * 54).astype(np.uint16).reshape(30, 40))
    pictures = {
        "turned": encode(photo(40, 30, 2), "PNG", exif=exif),
        "sheer": encode(sheer, "PNG"),
        "palette": encode(sheer.quantize(32), "PNG"),
        "deep": encode(deep, "PNG"),
    }
    for name, data in pictures.items():
        (tmp_path / f"{name}.png").write_bytes(data)
        opened = Image.open(io.BytesIO(data))
        file, *others = read_all([tmp_path / f"{name}.png", data, opened], Want(Framing(16)))
        for other in others:
            np.testing.assert_array_equal(other.pixels, file.pixels, name)
            assert (other.width, other.height, other.digest) == (file.width, file.height, "")
        assert opened.size == (40, 30), "what was given stays as it was"


def test_images_in_memory_that_cannot_be_used_are_called_by_their_position() -> None:
    class NoFaces:
        at_least = None

        def frame(self, image: Image.Image) -> object:
            raise NoFace("no face was found in it")

    cut_off = encode(photo(90, 90), "JPEG")[:1500]
    opened, fine = Image.open(io.BytesIO(cut_off)), photo(20, 20)
    for wrong, reason in ((opened, "truncated"), (cut_off, "truncated"), (b"x", "not an image")):
        (found,) = read([wrong], Want(Framing(8)))
        assert (found.status, found.path) == ("broken", None)
        with pytest.raises(DoppelgramError, match=f"^image 8: {reason}"):
            read_all([fine, wrong], Want(Framing(8)), first=7)
    (faceless,) = read([fine], Want(NoFaces()))  # type: ignore[arg-type]
    assert faceless.status == "faceless"


def test_one_image_that_stands_in_a_list_often_is_read_in_one_thread() -> None:
    data = encode(photo(900, 700, 4), "JPEG")
    for _ in range(6):
        opened = Image.open(io.BytesIO(data))
        found = list(read([opened] * 8, Want(Framing(16)), workers=8))
        assert [one.status for one in found] == ["ok"] * 8
    with Image.open(io.BytesIO(data)) as closed:
        pass
    with pytest.raises(DoppelgramError, match="image 0: its file was closed"):
        read_all([closed], Want(Framing(16)))
