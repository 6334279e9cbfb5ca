"""The one way to read photographs: each is opened once, hashed and decoded from the same bytes, and never again."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import OUT_OF_MEMORY, BrokenImage, MissingImage, decode_sized, read_file, upright_rgb
from doppelgram.images.face_framing import FaceFraming
from doppelgram.images.faces.face import FaceBox, NoFace
from doppelgram.images.framing import Framed, Framing
from doppelgram.images.ordered import in_order
from doppelgram.images.report import FileOutcome, Status, quoted
from doppelgram.images.whole import WholePhotograph

Source = str | Path | bytes | Image.Image | NDArray[Any]
"""A file, its bytes, a Pillow image, which its EXIF data turn upright, or an uint8 RGB array (h, w, 3)."""

# A thumbnail may come out this much smaller than asked for before a photograph is decoded larger for its sake.
_THUMBNAIL_NEEDS = 0.8
_THUMBNAIL_QUALITY = 85


class Extra(Protocol):
    """Something that is looked for in a photograph, for instance its people. Used by several threads at a time.

    Attributes:
        at_least: short side in pixels of the image that `compute` has to get, where the photograph has so many.
    """

    at_least: int

    def cached(self, digest: str) -> Any:
        """The answer for a file of this content if it is known already, so that it need not be decoded; else None."""
        ...

    def compute(self, source: Source, image: Image.Image, size: tuple[int, int], digest: str) -> Any:
        """The answer for a photograph.

        Args:
            source: as it was given to `read`.
            image: upright, RGB, perhaps decoded to fewer pixels than the photograph has; not to be changed.
            size: width and height of the whole upright photograph, in whose pixels the answer is given.
            digest: SHA-256 of the file's bytes; empty for what is in memory only.
        """
        ...

    def flush(self) -> None:
        """Keep what was found; called when a pass ends, also one that was interrupted."""
        ...


@dataclass(frozen=True)
class Want:
    """What `read` must deliver of each photograph.

    Attributes:
        framing: how its pixels are cut and resized; None for no pixels.
        thumbnail: long side in pixels of a small JPEG, 0 for none. A smaller photograph keeps its size; a JPEG may
            come out up to a fifth smaller, since it is not decoded to more pixels for that.
        extras: what else is looked for, by name.
    """

    framing: Framing | FaceFraming | WholePhotograph | None = None
    thumbnail: int = 0
    extras: Mapping[str, Extra] = field(default_factory=dict)

    def at_least(self, extras: Sequence[Extra]) -> int | None:
        """Short side in pixels that one decoding must deliver for everything; None: all pixels."""
        needs = [extra.at_least for extra in extras]
        if self.thumbnail:
            needs.append(round(_THUMBNAIL_NEEDS * self.thumbnail))
        if self.framing is None:
            return max(needs, default=1)
        return None if self.framing.at_least is None else max(self.framing.at_least, *needs, 1)


@dataclass(frozen=True)
class Photograph:
    """What was read of one photograph, or why it could not be.

    Attributes:
        path: of the file; None for an image that was in memory.
        status: ``ok``; ``duplicate``, the same bytes as an earlier file; ``missing``, ``broken`` or ``faceless``.
        reason: why it is not ``ok``, in a few words.
        digest: SHA-256 of the file's bytes in hexadecimal; empty for what was in memory or could not be read.
        pixels: framed, uint8 (size, size, 3), or a whole photograph (h, w, 3), red first; None where none were wanted
            or the file was not decoded.
        region: where the pixels lie in the decoded image: corners (x, y) as in `Framed`; empty without pixels.
        faces: how many faces were found; None where none were looked for.
        face: which face the pixels show, where each face of a photograph can be shown.
        others: the other faces that are wanted of it.
        thumbnail: JPEG's bytes; empty where none was wanted.
        width: of the upright photograph in pixels; 0 where it was not decoded.
        height: in pixels; 0 where it was not decoded.
        extras: the answer of each extra by its name.
    """

    path: Path | None
    status: Status = "ok"
    reason: str = ""
    digest: str = ""
    pixels: NDArray[np.uint8] | None = None
    region: tuple[tuple[float, float], ...] = ()
    faces: int | None = None
    face: FaceBox | None = None
    others: tuple[Framed, ...] = ()
    thumbnail: bytes = b""
    width: int = 0
    height: int = 0
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether there was an image in it: ``ok`` or a ``duplicate``."""
        return self.status in ("ok", "duplicate")

    def each_face(self) -> Iterator[Photograph]:
        """The photograph, and after it the same one for each of the other faces."""
        yield replace(self, others=())
        for other in self.others:
            yield replace(self, pixels=other.pixels, region=other.region, face=other.face, others=())

    @property
    def outcome(self) -> FileOutcome:
        """What became of it, for a `LoadReport`."""
        return FileOutcome("" if self.path is None else str(self.path), self.status, self.reason, self.faces)


def read(
    sources: Sequence[Source],
    want: Want,
    *,
    known: Callable[[str], bool] | None = None,
    keep_duplicates: bool = False,
    workers: int | None = None,
    ahead: int = 0,
) -> Generator[Photograph, None, None]:
    """Read photographs in threads and yield them in order; none of them can stop the others.

    Only a few files per worker, or ``ahead``, are under way at a time, and the result does not depend on their number.
    Whoever may stop early closes the generator, so that nothing more is read and the extras keep what was found.

    Args:
        sources: files, or images in memory.
        want: what is needed of each.
        known: asked with a file's digest: a file for which it is true is not decoded; it is ``ok`` without pixels.
        keep_duplicates: whether copies of an earlier file are delivered like other files, though called duplicates;
            else they are not decoded.
        workers: threads; None takes one for each processor that this process may use.
        ahead: photographs that may lie read while nobody takes one, so that reading goes on beside a network that
            takes many at a time.

    Raises:
        DoppelgramError: ``workers`` is below 1, an array is no image, or the framing or an extra cannot be run. An
            unreadable file is not an error but a photograph whose status says so.
    """
    if workers is not None and workers < 1:
        raise DoppelgramError(f"The number of workers must be 1 or more, not {workers}.")
    # Digest to the file that had it first. The workers look into it while it grows: what they find there comes
    # earlier in the input than what they work on, so a file found is a duplicate for certain.
    first: dict[str, Path | None] = {}

    def skip(digest: str) -> bool:
        return (not keep_duplicates and digest in first) or (known is not None and known(digest))

    reading = in_order(lambda one: _read(one, want, skip), sources, workers, ahead)
    with warnings.catch_warnings(), closing(reading) as reads:
        # Pillow warns about odd metadata and large images; what matters of it is in the reason.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            for photograph in reads:
                if photograph.status == "ok" and photograph.digest in first:
                    yield _duplicate(photograph, first[photograph.digest], keep_duplicates)
                    continue
                if photograph.status == "ok" and photograph.digest:
                    first[photograph.digest] = photograph.path
                yield photograph
        finally:
            for extra in want.extras.values():
                extra.flush()


def read_all(sources: Sequence[Source], want: Want, *, first: int = 0, **settings: Any) -> list[Photograph]:
    """Read a few photographs that were asked for one by one, copies included; other arguments as for `read`.

    Args:
        sources: files, or images in memory, which an error calls by their position.
        want: what is needed of each.
        first: position of the first of them.

    Raises:
        DoppelgramError: one of them cannot be read.
    """
    photographs = []
    with closing(read(sources, want, keep_duplicates=True, **settings)) as reads:
        for at, photograph in enumerate(reads, first):
            if not photograph.usable:
                raise DoppelgramError(f"{photograph.path or f'image {at}'}: {photograph.reason}")
            photographs.append(photograph)
    return photographs


def _duplicate(photograph: Photograph, earlier: Path | None, whole: bool) -> Photograph:
    reason = f"same bytes as {quoted(str(earlier))}"
    if whole:
        return replace(photograph, status="duplicate", reason=reason)
    return Photograph(photograph.path, "duplicate", reason, photograph.digest, faces=photograph.faces)


def _read(source: Source, want: Want, skip: Callable[[str], bool]) -> Photograph:
    path = Path(source) if isinstance(source, (str, Path)) else None
    try:
        if isinstance(source, (Image.Image, np.ndarray)):
            image = _image(source)
            return _delivered(Photograph(None), source, image, image.size, want, {})
        if isinstance(source, bytes):
            image, size = decode_sized(source, at_least=want.at_least(list(want.extras.values())))
            return _delivered(Photograph(None), source, image, size, want, {})
        data = read_file(source)
        photograph = Photograph(path, digest=hashlib.sha256(data).hexdigest())
        if skip(photograph.digest):
            return photograph
        kept = {name: extra.cached(photograph.digest) for name, extra in want.extras.items()}
        kept = {name: answer for name, answer in kept.items() if answer is not None}
        missing = [extra for name, extra in want.extras.items() if name not in kept]
        if want.framing is None and not want.thumbnail and want.extras and not missing:
            return replace(photograph, extras=kept)
        # Answers that are kept need no pixels, but with a framing they decide the decoding all the same: what a model
        # is shown must not depend on what is kept.
        needed = missing if want.framing is None else list(want.extras.values())
        image, size = decode_sized(data, at_least=want.at_least(needed))
        return _delivered(photograph, source, image, size, want, kept)
    except MissingImage:
        return Photograph(path, "missing", "no such file")
    except BrokenImage as error:
        return Photograph(path, "broken", error.reason)
    except NoFace as error:
        return Photograph(path, "faceless", error.reason)
    except MemoryError:
        return Photograph(path, "broken", OUT_OF_MEMORY)


def _delivered(
    photograph: Photograph,
    source: Source,
    image: Image.Image,
    size: tuple[int, int],
    want: Want,
    kept: Mapping[str, Any],
) -> Photograph:
    """The photograph with everything that is wanted of it, ``kept`` answers included."""
    digest = photograph.digest
    answers = {
        name: kept[name] if name in kept else extra.compute(source, image, size, digest)
        for name, extra in want.extras.items()
    }
    framed = Framed(None, ()) if want.framing is None else want.framing.frame(image)  # type: ignore[arg-type]
    return replace(
        photograph,
        pixels=framed.pixels,
        region=framed.region,
        faces=framed.faces,
        face=framed.face,
        others=framed.others,
        thumbnail=_thumbnail(image, want.thumbnail) if want.thumbnail else b"",
        width=size[0],
        height=size[1],
        extras=answers,
    )


def _image(source: Image.Image | NDArray[Any]) -> Image.Image:
    """What is in memory as RGB.

    Raises:
        BrokenImage: its pixels cannot be read.
        DoppelgramError: it is an array of another shape or type than an image's.
    """
    if isinstance(source, Image.Image):
        return upright_rgb(source)
    if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
        raise DoppelgramError(f"an image array has shape (h, w, 3) and type uint8; got {source.shape}, {source.dtype}")
    return Image.fromarray(source)


def _thumbnail(image: Image.Image, side: int) -> bytes:
    """JPEG with a long side of at most ``side``; a smaller image keeps its size."""
    scale = side / max(image.size)
    if scale < 1:
        width, height = (max(1, round(length * scale)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_THUMBNAIL_QUALITY)
    return buffer.getvalue()
