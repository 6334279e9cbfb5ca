"""Fonts that have the letters of a text: names of people and places are written in every script."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

# Fonts of many scripts, which are asked before the others of the machine.
_BROAD = re.compile(
    r"cjk|sourcehan|noto|unifont|unicode|fallback|wqy|ipa|gothic|yahei|simsun|malgun|pingfang|hiragino|nanum", re.I
)
# Their letters are pictures, which cannot be drawn at any size.
_PICTURES = re.compile(r"emoji", re.I)


@cache
def font_file(text: str) -> Path | None:
    """The font that has most letters of a text: Matplotlib's own, or where that lacks some one of the machine's.

    None where Matplotlib's has them all.
    """
    return _best(frozenset(ord(letter) for letter in text if letter.isprintable()) - _letters(own_font()))


@cache
def font_name(text: str) -> str:
    """The family of `font_file`, made known to Matplotlib; empty where its own font has every letter."""
    file = font_file(text)
    if file is None:
        return ""
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    fontManager.addfont(file)
    return str(FT2Font(str(file)).family_name)


@cache
def own_font() -> Path:
    """The font that Matplotlib brings along: Latin, Greek, Cyrillic, Arabic, Hebrew and many signs."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


@cache
def _best(lacking: frozenset[int]) -> Path | None:
    best: tuple[int, Path | None] = (0, None)
    for file in _of_the_machine() if lacking else ():
        had = len(lacking & _letters(file))
        if had > best[0]:
            best = had, file
        if had == len(lacking):
            break
    return best[1]


@cache
def _of_the_machine() -> tuple[Path, ...]:
    from matplotlib.font_manager import findSystemFonts

    found = sorted(Path(file) for file in findSystemFonts() if not _PICTURES.search(Path(file).name))
    return tuple(sorted(found, key=lambda file: _BROAD.search(file.name) is None))


@cache
def _letters(file: Path) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(file)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
