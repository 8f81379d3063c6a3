"""Text in pictures: the face that it is set in, its sizes, and its lines.

The face ships with the program, so that an export looks the same on every machine. It has Latin,
Greek, Cyrillic and much besides, but nothing of East Asia.
"""

import unicodedata
from collections.abc import Callable
from functools import cache

from PIL import ImageFont, features

from medgemma_dash.core.resources import resource

# Text never gets smaller than this, however small the radiograph.
SMALLEST_TEXT_PX = 13
LINE = 1.5  # of the text's size, from one line to the next
_ABOUT = 0.55  # how wide a character of a sans-serif face is for its size; some room is left
_FROM_THE_RIGHT = ("R", "AL")  # Unicode's classes of Hebrew and Arabic letters


@cache
def face(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, so many pixels high."""
    return ImageFont.truetype(resource("assets", "fonts", "DejaVuSans.ttf"), size)


def drawable(text: str) -> str:
    """The text in one line; what the face lacks as code points, for example <U+80F8>."""
    return "".join(c if _has(c) else f"<U+{ord(c):04X}>" for c in folded(text))


def folded(text: str) -> str:
    """White space and what cannot be printed, such as marks that turn a text around, as spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def broken(text: str, room: float | int, length: Callable[[str], float | int]) -> list[str]:
    """Parts of a text that each fit: broken between words, and inside one that is too long."""
    parts = [""]
    for word in text.split(" "):
        longer = f"{parts[-1]} {word}" if parts[-1] else word
        if length(longer) <= room:
            parts[-1] = longer
            continue
        if parts[-1]:
            parts.append("")
        for character in word:
            if parts[-1] and length(parts[-1] + character) > room:
                parts.append("")
            parts[-1] += character
    return parts


def about(text: str, size: float | int) -> float:
    """About how wide a text is in a reader's own sans-serif face; East Asia's letters count two."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return (len(text) + wide) * _ABOUT * size


@cache
def _has(character: str) -> bool:
    if unicodedata.bidirectional(character) in _FROM_THE_RIGHT and not _joins_letters():
        return False
    font = face(20)
    return character == " " or bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))


def _joins_letters() -> bool:
    """Whether Pillow found what sets Arabic and Hebrew; without it they come out reversed."""
    return bool(features.check("raqm") and features.check("fribidi"))
