"""The caption under a map that is taken home: what it is of, written into the figure itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageColor, ImageDraw

from medgemma_dash.core.paper import text_in_pixels, text_in_units
from medgemma_dash.figures.lettering import (
    LINE,
    SMALLEST_TEXT_PX,
    about,
    broken,
    drawable,
    face,
    folded,
)
from medgemma_dash.figures.overlay_svg import TEXT_SIZE
from medgemma_dash.figures.palette import DARK
from medgemma_dash.figures.words import plain

_LONGEST_VALUE = 600


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
    size = text_in_pixels(width_mm) or max(SMALLEST_TEXT_PX, width // 56)
    font = face(size)
    parts = [
        part for line in lines for part in broken(drawable(line), width - 2 * size, font.getlength)
    ]
    block = Image.new("RGB", (width, round(size * (1 + LINE * len(parts)))), DARK.background)
    draw = ImageDraw.Draw(block)
    for place, part in enumerate(parts):
        at = (size, round(size * (0.3 + LINE * place)))
        draw.text(at, part, fill=ImageColor.getrgb(DARK.text), font=font)
    return np.concatenate([picture, np.asarray(block)])


def captioned_drawing(svg: str, lines: Sequence[str], width_mm: float | None) -> str:
    """An SVG drawing of `overlay_svg` with lines of text below it, as wide as is asked for."""
    head, inside = re.match(r"<svg [^>]*>", svg), svg.removesuffix("</svg>")
    if head is None or inside == svg:
        raise ValueError("A caption belongs below an SVG drawing.")
    width, height = (int(found) for found in re.findall(r' viewBox="0 0 (\d+) (\d+)"', head[0])[0])
    size = TEXT_SIZE if width_mm is None else text_in_units(width_mm, width)
    # Broken before it is escaped, so that no entity is cut in two.
    parts = [
        plain(part, _LONGEST_VALUE)
        for line in lines
        for part in broken(folded(line), width - 2 * size, lambda text: about(text, size))
    ]
    whole = round(height + size * (1 + LINE * len(parts)))
    scale = 1 if width_mm is None else width_mm / width
    unit = "" if width_mm is None else "mm"
    opened = re.sub(r' width="\d+"', f' width="{width * scale:g}{unit}"', head[0], count=1)
    opened = re.sub(r' height="\d+"', f' height="{whole * scale:g}{unit}"', opened, count=1)
    opened = re.sub(r' viewBox="[^"]*"', f' viewBox="0 0 {width} {whole}"', opened, count=1)
    texts = "\n".join(
        f'<text x="{size:.1f}" y="{height + size * (1 + LINE * place):.1f}" '
        f'font-family="sans-serif" font-size="{size:.1f}" fill="{DARK.text}">{part}</text>'
        for place, part in enumerate(parts)
    )
    # It reaches under the drawing, so that no seam shows at any size.
    ground = (
        f'<rect y="{height - 1}" width="{width}" height="{whole - height + 1}" '
        f'fill="{DARK.background}"/>'
    )
    return f"{opened}{inside[len(head[0]) :]}{ground}\n{texts}\n</svg>"
