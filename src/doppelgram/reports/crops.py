"""Cut-out faces on request: what ``--crop`` means, what to say of the cuts, and a picture that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from doppelgram.console import Progress
from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import open_image
from doppelgram.images.face_framing import FaceFraming
from doppelgram.images.faces.detectors import DETECTORS, face_detector
from doppelgram.images.faces.face import NoFace
from doppelgram.images.framing import Framing
from doppelgram.images.report import FileOutcome, LoadReport
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.embedder import Embedder
from doppelgram.reports.drawing import BLUE, CARD, FAINT, VERMILION, WHITE, Colour, Sheet, blank, fitted, shorten

# The most photographs that one picture shows.
MOST_SHOWN = 60
_COLUMNS = 3
_TILE, _PAD, _GAP, _MARGIN, _TEXT = 150, 12, 20, 40, 14
_CARD_WIDTH, _CARD_HEIGHT = 2 * _TILE + 3 * _PAD, _TILE + 2 * _PAD + 38
_SEVERAL: Colour = (170, 68, 136)  # reddish purple


def chosen_detector(crop: str, own: str) -> str:
    """The face detector that ``--crop`` asks for.

    Args:
        crop: empty for the model's own framing; ``face`` for its own detector, or opencv where it has none;
            ``face:NAME`` for one by name.
        own: the detector of the model that is going to see the faces; empty for none.

    Returns:
        Its name; empty where ``crop`` is.

    Raises:
        DoppelgramError: ``crop`` is something else, or the detector's package is not installed.
    """
    if not crop:
        return ""
    kind, _, name = crop.partition(":")
    name = name if ":" in crop else own or DETECTORS[0]
    if kind != "face" or name not in DETECTORS:
        spellings = ", ".join(f"face:{known}" for known in DETECTORS)
        raise DoppelgramError(f"--crop is '{crop}'; it is face, or one of {spellings}")
    return face_detector(name).name


def tell_faces(progress: Progress, report: LoadReport, *, limit: int = 20) -> None:
    """Say which images had no face, and which had several."""
    for note in report.face_notes(limit):
        progress.warning(note)


def faces_report(images: Sequence[Path | str], faces: Sequence[int | None]) -> LoadReport:
    """A report on images that could all be read, and the number of faces that was found in each."""
    return LoadReport([FileOutcome(str(image), "ok", faces=count) for image, count in zip(images, faces, strict=True)])


def draw_crops(
    images: Sequence[Path | str], framing: Framing | FaceFraming, file: Path | str, *, progress: Progress
) -> Path:
    """Draw photographs with the box that is cut from them, and beside each what the network sees, as a PNG.

    Args:
        images: the photographs; the first `MOST_SHOWN` of them are drawn.
        framing: how they are cut.
        file: the PNG; it is replaced whole.
        progress: where it is said if some were left out.

    Returns:
        ``file``.

    Raises:
        DoppelgramError: there is nothing to draw, or the file cannot be written or is not called a PNG.
    """
    file = check_png(file)
    if not images:
        raise DoppelgramError("there are no photographs to draw")
    shown = [Path(image) for image in images[:MOST_SHOWN]]
    if len(shown) < len(images):
        progress.note(f"{file}: shows the first {MOST_SHOWN} of {len(images):,} images")
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    width = 2 * _MARGIN + columns * _CARD_WIDTH + (columns - 1) * _GAP
    head = _MARGIN + 30
    sheet = Sheet(width, head + rows * _CARD_HEIGHT + (rows - 1) * _GAP + _MARGIN)
    title = "The photograph with its cut, and what the network sees"
    sheet.write((_MARGIN, _MARGIN + 6), title, 18, room=width - 2 * _MARGIN)
    for position, path in enumerate(shown):
        row, column = divmod(position, columns)
        at = _MARGIN + column * (_CARD_WIDTH + _GAP), head + row * (_CARD_HEIGHT + _GAP)
        _draw_card(sheet, at, path, framing)
    return sheet.save(file)


def check_png(file: Path | str) -> Path:
    """The file, if its name ends in ``.png``; raises DoppelgramError otherwise."""
    if Path(file).suffix.lower() != ".png":
        raise DoppelgramError(f"{file}: the picture is a PNG; let its name end in .png")
    return Path(file).expanduser()


def _draw_card(sheet: Sheet, at: tuple[int, int], path: Path, framing: Framing | FaceFraming) -> None:
    left, top = at
    sheet.box((left, top, left + _CARD_WIDTH, top + _CARD_HEIGHT), 12, CARD)
    try:
        image = open_image(path)
        framed = framing.frame(image)
    except NoFace:
        photograph, cut, (colour, words) = fitted(image, _TILE), blank(_TILE), (VERMILION, "no face was found")
    except DoppelgramError:
        photograph, cut, (colour, words) = blank(_TILE), blank(_TILE), (VERMILION, "cannot be read")
    else:
        colour, words = _in_words(framed.faces)
        photograph = _with_box(image, framed.region, colour)
        cut = Image.fromarray(framed.pixels).resize((_TILE, _TILE), Image.Resampling.BICUBIC)
    left, top = left + _PAD, top + _PAD
    sheet.square((left, top), _TILE, 8, photograph)
    sheet.square((left + _TILE + _PAD, top), _TILE, 8, cut)
    room = _CARD_WIDTH - 2 * _PAD
    base = top + _TILE + 20
    sheet.write((left, base), shorten(path.name, _TEXT, room, middle=True), _TEXT)
    sheet.square((left, base + 10), 10, 5, colour)
    sheet.write((left + 17, base + 20), words, _TEXT, FAINT, room=room - 17)


def _in_words(faces: int | None) -> tuple[Colour, str]:
    if faces is None:
        return BLUE, "no face was looked for"
    if faces == 0:
        return VERMILION, "no face: the middle was taken"
    return (BLUE, "one face") if faces == 1 else (_SEVERAL, f"{faces} faces: the largest was taken")


def _with_box(image: Image.Image, region: Sequence[tuple[float, float]], colour: Colour) -> Image.Image:
    """The whole image in a square, the region outlined: a coloured line on a white one, for any ground."""
    over = 3
    square = fitted(image, _TILE * over)
    scale = _TILE * over / max(image.size)
    shift = [(_TILE * over - max(1, round(side * scale))) // 2 for side in image.size]
    corners = [(x * scale + shift[0], y * scale + shift[1]) for x, y in region]
    draw = ImageDraw.Draw(square)
    for line, width in ((WHITE, 5 * over), (colour, 3 * over)):
        draw.line([*corners, corners[0], corners[1]], fill=line, width=width, joint="curve")
    return square.resize((_TILE, _TILE), Image.Resampling.BOX)


def asked_detector(crop: str, show_crops: Path | str | None, model: Embedder) -> str:
    """The face detector asked for; a model that looks for people in whole photographs cuts no faces out of them."""
    if show_crops is not None:
        check_png(show_crops)
    if model.takes_cuts:
        return chosen_detector(crop, model.framing.face)
    if model.tells_faces:
        model.with_face(crop)  # which refuses it
        return ""
    if crop or show_crops is not None:
        raise DoppelgramError("--crop and --show-crops go with models of whole images, not of places and poses")
    return ""


def draw_model_crops(paths: Sequence[Path], model: Embedder, file: Path | str, progress: Progress) -> None:
    """`draw_crops` with what a model of whole images, or of faces, cuts out of photographs."""
    framing = model.framing
    if not isinstance(framing, WholePhotograph):
        draw_crops(paths, framing, file, progress=progress)
