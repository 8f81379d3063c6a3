"""The map as a picture to download: the same colours as on screen, with its legend burnt in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.cells import Cell
from medgemma_dash.figures.palette import (
    DARK,
    checked_scale,
    colour_range,
    coverage,
    scale_colours,
)
from medgemma_dash.figures.stretching import MapMode, stretched
from medgemma_dash.figures.words import number

CAPTION = "Research only. Not for clinical use."
# Text never gets smaller than this, however small the radiograph.
SMALLEST_TEXT_PX = 13
NARROWEST_PX = 480


def overlay_picture(
    pixels: UInt8[np.ndarray, "height width 3"],
    image_map: Float[np.ndarray, "rows cols"],
    *,
    mode: MapMode = "smooth",
    opacity: float = 0.75,
    threshold: float = 0.0,
    colour_scale: str = "Inferno",
    signed: bool = False,
    laterality: str = "unknown",
    selected_cells: Sequence[Cell] = (),
    notices: Sequence[str] = (),
) -> UInt8[np.ndarray, "taller wider 3"]:
    """The radiograph with its map, then a strip with colour bar, caption and notices.

    notices: further lines for the strip, such as the demo model's; the caller's own words.
    The picture keeps the radiograph's size, widened only if the strip's text needs it.
    Raises ValueError on a colour scale that does not exist or a value that is not finite.
    """
    scale = checked_scale(colour_scale, signed)
    painted = _composite(pixels, image_map, mode, opacity, threshold, scale, signed)
    picture = Image.fromarray(painted)
    _draw_marks(picture, image_map.shape, laterality, selected_cells)
    strip = _strip(picture.width, image_map, scale, signed, (CAPTION, *notices))
    canvas = Image.new("RGB", (strip.width, picture.height + strip.height), DARK.background)
    canvas.paste(picture, ((strip.width - picture.width) // 2, 0))
    canvas.paste(strip, (0, picture.height))
    return np.asarray(canvas, dtype=np.uint8)


def _composite(
    pixels: UInt8[np.ndarray, "height width 3"],
    image_map: Float[np.ndarray, "rows cols"],
    mode: MapMode,
    opacity: float,
    threshold: float,
    scale: str,
    signed: bool,
) -> UInt8[np.ndarray, "height width 3"]:
    low, high = colour_range(image_map, signed)
    values = stretched(image_map.astype(np.float32), pixels.shape[0], pixels.shape[1], mode)
    fraction = ((values - low) / (high - low)).clip(0, 1)
    colours = scale_colours(scale, 256)[np.rint(fraction * 255).astype(np.uint8)]
    magnitude = np.abs(2 * fraction - 1) if signed else fraction
    share = (opacity * coverage(magnitude, threshold)).astype(np.float32)[..., None]
    return np.asarray(np.rint(pixels * (1 - share) + colours * share), dtype=np.uint8)


def _draw_marks(
    picture: Image.Image, grid: tuple[int, ...], laterality: str, selected: Sequence[Cell]
) -> None:
    draw = ImageDraw.Draw(picture)
    size = max(SMALLEST_TEXT_PX, picture.width // 28)
    cells = PatchGrid(rows=grid[0], cols=grid[1], height=picture.height, width=picture.width)
    for row, col in selected:
        box = cells.box(row, col)
        draw.rectangle(
            (box.left, box.top, box.right - 1, box.bottom - 1),
            outline=DARK.accent,
            width=max(1, picture.width // 300),
        )
    if laterality not in ("left", "right"):
        return
    font = ImageFont.load_default(size)
    inset = size // 2
    for at_left in (True, False):
        draw.text(
            (inset if at_left else picture.width - inset, inset),
            "R" if at_left == (laterality == "left") else "L",
            fill=DARK.text,
            font=font,
            anchor="lt" if at_left else "rt",
            stroke_width=max(1, size // 12),
            stroke_fill="#000000",
        )


def _strip(
    width: int,
    image_map: Float[np.ndarray, "rows cols"],
    scale: str,
    signed: bool,
    lines: Sequence[str],
) -> Image.Image:
    width = max(width, NARROWEST_PX)
    size = max(SMALLEST_TEXT_PX, width // 56)
    font = ImageFont.load_default(size)
    low, high = colour_range(image_map, signed)
    ends = (
        (f"{number(low)} against", f"{number(high)} for")
        if signed
        else ("0", f"{number(high)} relevance, raw")
    )
    wrapped = [part for line in lines for part in _wrapped(line, font, width - 2 * size)]
    height = round(size * (3.6 + 1.5 * len(wrapped)))
    strip = Image.new("RGB", (width, height), DARK.background)
    draw = ImageDraw.Draw(strip)
    starts = size + round(font.getlength(ends[0])) + size // 2
    stops = width - size - round(font.getlength(ends[1])) - size // 2
    bar = Image.fromarray(scale_colours(scale, 256)[None]).resize((stops - starts, size * 2 // 3))
    middle = round(size * 1.6)
    strip.paste(bar, (starts, middle - bar.height // 2))
    draw.text((size, middle), ends[0], fill=DARK.muted, font=font, anchor="lm")
    draw.text((width - size, middle), ends[1], fill=DARK.muted, font=font, anchor="rm")
    for place, line in enumerate(wrapped):
        colour = DARK.text if place == 0 else DARK.accent
        draw.text((size, round(size * (3.0 + 1.5 * place))), line, fill=colour, font=font)
    return strip


def _wrapped(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: int) -> list[str]:
    """The line, broken between words so that each part fits."""
    parts: list[str] = []
    for word in line.split():
        longer = f"{parts[-1]} {word}" if parts else word
        if parts and font.getlength(longer) <= room:
            parts[-1] = longer
        else:
            parts.append(word)
    return parts
