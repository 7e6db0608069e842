"""Words into pictures: the fonts of each script, Arabic shaping, and text fitted into a box.

The fonts come with matplotlib and matplotlib-fontja, and Arabic is shaped here with the Unicode
presentation forms, so a sample has the same bytes whether or not a system has fonts and FriBidi.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import matplotlib
import matplotlib_fontja
from PIL import ImageDraw, ImageFont

Box = tuple[float, float, float, float]

LATIN_FONTS = (
    "DejaVuSans-Bold",
    "DejaVuSerif-Bold",
    "DejaVuSansMono-Bold",
    "DejaVuSans-BoldOblique",
    "STIXGeneralBol",
    "STIXGeneralBolIta",
)
FONTS = {
    "ja-JP": ("ipaexg",),
    "ar-EG": ("DejaVuSans-Bold", "DejaVuSans", "DejaVuSansMono-Bold"),
}


def fonts(locale: str) -> tuple[str, ...]:
    """The names of the fonts that have every letter of ``locale``."""
    return FONTS.get(locale, LATIN_FONTS)


@cache
def _font_file(name: str) -> Path:
    if name == "ipaexg":
        return Path(matplotlib_fontja.__file__).parent / "fonts" / "ipaexg.ttf"
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"


@lru_cache(maxsize=512)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_font_file(name), size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _presentation_forms() -> dict[str, dict[str, str]]:
    """Arabic letter (or lam-alef pair) -> {"isolated" | "initial" | "medial" | "final": glyph}."""
    forms: dict[str, dict[str, str]] = {}
    for glyph in map(chr, range(0xFE80, 0xFEFD)):
        tag, *points = unicodedata.decomposition(glyph).split()
        letter = "".join(chr(int(point, 16)) for point in points)
        forms.setdefault(letter, {})[tag.strip("<>")] = glyph
    return forms


def shaped(text: str) -> str:
    """Arabic ``text`` as joined glyphs from left to right; other scripts are returned unchanged.

    >>> shaped("Tee")
    'Tee'
    """
    if not re.search("[\u0600-\u06ff]", text):
        return text
    forms = _presentation_forms()
    units = re.findall("ل[اأإآ]|[٠-٩٫]+|.", text)
    glyphs = []
    for before, unit, after in zip(["", *units], units, [*units[1:], ""], strict=False):
        form = forms.get(unit, {})
        joins_before = "initial" in forms.get(before, {}) and "final" in form
        joins_after = "initial" in form and "final" in forms.get(after, {})
        position = {
            (False, False): "isolated",
            (False, True): "initial",
            (True, True): "medial",
            (True, False): "final",
        }[joins_before, joins_after]
        glyphs.append(form.get(position, unit))
    return "".join(reversed(glyphs))


def _lines(text: str, count: int) -> list[str]:
    """``text`` broken between words into at most ``count`` lines of similar length."""
    words = text.split(" ")
    if count == 1 or len(words) == 1:
        return [text]
    splits = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    return list(min(splits, key=lambda halves: max(map(len, halves))))


def write_in(
    draw: ImageDraw.ImageDraw,
    box: Box,
    text: str,
    typeface: str,
    fill: str,
    *,
    anchor: str = "m",
) -> None:
    """Draw ``text`` as large as it fits into ``box`` (left, top, right, bottom; pixels).

    A text of several words takes two lines where that makes it larger. ``anchor`` is ``l``, ``m``
    or ``r``.
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    fitted = [
        (min(height / (1.18 * len(lines)), width / _widest(lines, typeface)), lines)
        for lines in (_lines(text, 1), _lines(text, 2))
    ]
    size, lines = max(fitted, key=lambda fit: fit[0])
    face = font(typeface, max(6, int(size)))
    x = {"l": left, "m": (left + right) / 2, "r": right}[anchor]
    step = size * 1.15
    y = (top + bottom) / 2 - step * (len(lines) - 1) / 2
    bold = int(size / 22) if typeface == "ipaexg" else 0
    for index, line in enumerate(lines):
        draw.text((x, y + index * step), shaped(line), fill, face, anchor + "m", stroke_width=bold)


@lru_cache(maxsize=4096)
def _width(text: str, typeface: str) -> float:
    """Width of ``text`` in units of the font size."""
    return font(typeface, 100).getlength(shaped(text)) / 100


def _widest(lines: list[str], typeface: str) -> float:
    return max(_width(line, typeface) for line in lines) * 1.04
