"""The caption under a map that is taken home: what it is of, written into the figure itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageColor, ImageDraw, ImageFont

from medgemma_dash.figures.overlay import SMALLEST_TEXT_PX
from medgemma_dash.figures.overlay_svg import TEXT_SIZE
from medgemma_dash.figures.palette import DARK
from medgemma_dash.figures.words import plain
from medgemma_dash.services.exporting.picture import DPI

MM_PER_INCH = 25.4
POINTS_PER_INCH = 72
# In a figure of a chosen width: what journals ask for at least.
TEXT_POINTS = 7
NARROWEST_MM, WIDEST_MM = 40, 400
_LINE = 1.5
_LONGEST_VALUE = 600


def width_in_pixels(width_mm: float) -> int:
    """At 300 dots an inch. Raises ValueError for what no figure of a paper is wide."""
    if not NARROWEST_MM <= width_mm <= WIDEST_MM:
        raise ValueError(f"A figure is {NARROWEST_MM} to {WIDEST_MM} mm wide, not {width_mm:g}.")
    return round(width_mm / MM_PER_INCH * DPI)


def resized(
    pixels: UInt8[np.ndarray, "height width 3"], width: int
) -> UInt8[np.ndarray, "_ width 3"]:
    """A film so many pixels wide, in its own proportions."""
    size = (width, max(1, round(pixels.shape[0] * width / pixels.shape[1])))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def captioned_picture(
    picture: UInt8[np.ndarray, "height width 3"], lines: Sequence[str], width_mm: float | None
) -> UInt8[np.ndarray, "taller width 3"]:
    """The picture with lines of text below it; nothing of it changes."""
    width = picture.shape[1]
    size = max(SMALLEST_TEXT_PX, width // 56)
    if width_mm is not None:
        size = round(TEXT_POINTS / POINTS_PER_INCH * DPI)
    font = ImageFont.load_default(size)
    drawable = (_drawable(line) for line in lines)
    parts = [part for line in drawable for part in broken(line, width - 2 * size, font.getlength)]
    block = Image.new("RGB", (width, round(size * (1 + _LINE * len(parts)))), DARK.background)
    draw = ImageDraw.Draw(block)
    for place, part in enumerate(parts):
        at = (size, round(size * (0.3 + _LINE * place)))
        draw.text(at, part, fill=ImageColor.getrgb(DARK.text), font=font)
    return np.concatenate([picture, np.asarray(block)])


def captioned_drawing(svg: str, lines: Sequence[str], width_mm: float | None) -> str:
    """An SVG drawing of `overlay_svg` with lines of text below it, as wide as is asked for."""
    head, inside = re.match(r"<svg [^>]*>", svg), svg.removesuffix("</svg>")
    if head is None or inside == svg:
        raise ValueError("A caption belongs below an SVG drawing.")
    width, height = (int(found) for found in re.findall(r' viewBox="0 0 (\d+) (\d+)"', head[0])[0])
    size = float(TEXT_SIZE)
    if width_mm is not None:
        width_in_pixels(width_mm)
        size = TEXT_POINTS / POINTS_PER_INCH * MM_PER_INCH / width_mm * width
    # Broken before it is escaped, so that no entity is cut in two.
    parts = [
        plain(part, _LONGEST_VALUE)
        for line in lines
        for part in broken(_folded(line), width - 2 * size, lambda text: _cells(text) * 0.55 * size)
    ]
    whole = round(height + size * (1 + _LINE * len(parts)))
    scale = 1 if width_mm is None else width_mm / width
    unit = "" if width_mm is None else "mm"
    opened = re.sub(r' width="\d+"', f' width="{width * scale:g}{unit}"', head[0], count=1)
    opened = re.sub(r' height="\d+"', f' height="{whole * scale:g}{unit}"', opened, count=1)
    opened = re.sub(r' viewBox="[^"]*"', f' viewBox="0 0 {width} {whole}"', opened, count=1)
    texts = "\n".join(
        f'<text x="{size:.1f}" y="{height + size * (1 + _LINE * place):.1f}" '
        f'font-family="sans-serif" font-size="{size:.1f}" fill="{DARK.text}">{part}</text>'
        for place, part in enumerate(parts)
    )
    ground = (
        f'<rect y="{height}" width="{width}" height="{whole - height}" fill="{DARK.background}"/>'
    )
    return f"{opened}{inside[len(head[0]) :]}{ground}\n{texts}\n</svg>"


def broken(text: str, room: float, length: Callable[[str], float]) -> list[str]:
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


def _folded(text: str) -> str:
    """White space and what cannot be printed, such as marks that turn a text around, as spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _cells(text: str) -> int:
    """How wide a text is in characters; those of East Asia are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _drawable(text: str) -> str:
    """The text with what Pillow's font lacks as codes, for example <U+0416>, and not as boxes."""
    return "".join(c if _has(c) else f"<U+{ord(c):04X}>" for c in _folded(text))


@cache
def _has(character: str) -> bool:
    font = ImageFont.load_default(20)
    return character == " " or bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))
