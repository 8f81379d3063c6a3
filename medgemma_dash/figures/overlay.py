"""The map as a picture to download: the same colours as on screen, with its legend burnt in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageColor, ImageDraw

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.core.numbers import number
from medgemma_dash.figures.cells import Cell
from medgemma_dash.figures.lettering import LINE, SMALLEST_TEXT_PX, broken, drawable, face
from medgemma_dash.figures.palette import (
    DARK,
    checked_scale,
    colour_range,
    coverage,
    scale_colours,
)
from medgemma_dash.figures.stretching import MapMode, finest, stretched

CAPTION = "Research only. Not for clinical use."
NARROWEST_PX = 480
BAR_AT_LEAST = 5  # the colour bar's share of the strip's width, as a divisor
_PIXELS_AT_ONCE = 2**18  # a band takes some 10 MB


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
    fine: Float[np.ndarray, "patch_rows patch_cols"] | None = None,
    beside: Sequence[Float[np.ndarray, "_ _"]] = (),
    text_px: int | None = None,
) -> UInt8[np.ndarray, "taller wider 3"]:
    """The radiograph with its map, then a strip with colour bar, caption and notices.

    notices: further lines for the strip, such as the demo model's; the caller's own words.
    fine: the map before it was pooled to the soft tokens, drawn in its place.
    beside: maps of other pictures that share this one's scale, as they are drawn.
    text_px: height of the text, which then takes as many lines as it needs; by default it grows
    with the picture, which is widened where its text needs that.
    Raises ValueError on a colour scale that does not exist or a value that is not finite.
    """
    scale = checked_scale(colour_scale, signed)
    height, width = pixels.shape[:2]
    drawn, patches = finest(image_map, fine)
    bounds = colour_range(drawn, signed, beside)
    strip = _strip(width, bounds, scale, (CAPTION, *notices), patches, text_px)
    canvas = np.empty((height + strip.height, strip.width, 3), np.uint8)
    canvas[:height] = ImageColor.getrgb(DARK.background)
    canvas[height:] = strip
    left = (strip.width - width) // 2
    picture = canvas[:height, left : left + width]
    _composite(pixels, drawn, mode, opacity, threshold, scale, bounds, picture)
    _draw_marks(picture, image_map.shape, laterality, selected_cells, text_px or SMALLEST_TEXT_PX)
    return canvas


def joined_pictures(
    pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]],
) -> UInt8[np.ndarray, "height width 3"]:
    """Pictures side by side, from the top; one alone stays as it is."""
    if len(pictures) == 1:
        return pictures[0]
    heights, widths = zip(*(picture.shape[:2] for picture in pictures), strict=True)
    canvas = np.empty((max(heights), sum(widths), 3), np.uint8)
    canvas[:] = ImageColor.getrgb(DARK.background)
    left = 0
    for picture, height, width in zip(pictures, heights, widths, strict=True):
        canvas[:height, left : left + width] = picture
        left += width
    return canvas


def _composite(
    pixels: UInt8[np.ndarray, "height width 3"],
    image_map: Float[np.ndarray, "rows cols"],
    mode: MapMode,
    opacity: float,
    threshold: float,
    scale: str,
    bounds: tuple[float, float],
    painted: UInt8[np.ndarray, "height width 3"],
) -> None:
    """Paint the map over the radiograph into `painted`, a band of rows at a time: what lies
    between takes some thirty bytes a pixel, which a film of 40 megapixels has no room for.
    """
    height, width = pixels.shape[:2]
    # As many columns as the map has: stretched across in each band.
    lines = stretched(image_map.astype(np.float32), height, image_map.shape[1], mode)
    step = max(1, _PIXELS_AT_ONCE // width)
    for top in range(0, height, step):
        band = slice(top, top + step)
        values = stretched(lines[band], len(lines[band]), width, mode)
        colours, share = coloured(values, bounds, scale, threshold)
        share = (opacity * share).astype(np.float32)[..., None]
        painted[band] = np.rint(pixels[band] * (1 - share) + colours * share)


def coloured(
    values: Float[np.ndarray, "height width"],
    bounds: tuple[float, float],
    scale: str,
    threshold: float,
) -> tuple[UInt8[np.ndarray, "height width 3"], Float[np.ndarray, "height width"]]:
    """Each value's colour, and how much of the radiograph it covers, 0 to 1.

    bounds: the raw values at both ends of the scale, see `colour_range`.
    """
    low, high = bounds
    fraction = ((values - low) / (high - low)).clip(0, 1)
    colours = scale_colours(scale, 256)[np.rint(fraction * 255).astype(np.uint8)]
    return colours, coverage(np.abs(2 * fraction - 1) if low < 0 else fraction, threshold)


def _draw_marks(
    picture: UInt8[np.ndarray, "height width 3"],
    grid: tuple[int, ...],
    laterality: str,
    selected: Sequence[Cell],
    smallest: int,
) -> None:
    """Draw into the picture itself: Pillow would need a copy of all of it."""
    height, width = picture.shape[:2]
    cells = PatchGrid(rows=grid[0], cols=grid[1], height=height, width=width)
    line = max(1, width // 300)
    for row, col in selected:
        box = cells.box(row, col)
        inside = picture[
            int(box.top) : int(box.bottom - 1) + 1, int(box.left) : int(box.right - 1) + 1
        ]
        for edge in (inside[:line], inside[-line:], inside[:, :line], inside[:, -line:]):
            edge[:] = ImageColor.getrgb(DARK.accent)
    if laterality not in ("left", "right"):
        return
    size = max(smallest, width // 28)
    inset, corner = size // 2, min(2 * size, width)
    font = face(size)
    for at_left in (True, False):
        part = picture[:corner, :corner] if at_left else picture[:corner, width - corner :]
        patch = Image.fromarray(part)
        ImageDraw.Draw(patch).text(
            (inset if at_left else corner - inset, inset),
            "R" if at_left == (laterality == "left") else "L",
            fill=DARK.text,
            font=font,
            anchor="lt" if at_left else "rt",
            stroke_width=max(1, size // 12),
            stroke_fill="#000000",
        )
        part[:] = patch


def _strip(
    width: int,
    bounds: tuple[float, float],
    scale: str,
    lines: Sequence[str],
    patches: str,
    text_px: int | None,
) -> Image.Image:
    if text_px is None:
        width = max(width, NARROWEST_PX)
    size = text_px or max(SMALLEST_TEXT_PX, width // 56)
    font, room = face(size), width - 2 * size
    low, high = scale_ends(bounds, patches)
    starts = size + round(font.getlength(low)) + size // 2
    stops = width - size - round(font.getlength(high)) - size // 2
    written = [
        (part, DARK.text if place == 0 else DARK.accent)
        for place, line in enumerate(lines)
        for part in broken(drawable(line), room, font.getlength)
    ]
    if stops - starts < room / BAR_AT_LEAST:
        # No room beside its numbers: the bar stands over them.
        starts, stops = size, width - size
        ends = broken(scale_range(low, high), room, font.getlength)
        low = high = ""
        written[:0] = [(part, DARK.muted) for part in ends]
    height = round(size * (3.6 + LINE * len(written)))
    strip = Image.new("RGB", (width, height), DARK.background)
    draw = ImageDraw.Draw(strip)
    bar = Image.fromarray(scale_colours(scale, 256)[None]).resize((stops - starts, size * 2 // 3))
    middle = round(size * 1.6)
    strip.paste(bar, (starts, middle - bar.height // 2))
    draw.text((size, middle), low, fill=DARK.muted, font=font, anchor="lm")
    draw.text((width - size, middle), high, fill=DARK.muted, font=font, anchor="rm")
    for place, (part, colour) in enumerate(written):
        draw.text((size, round(size * (3.0 + LINE * place))), part, fill=colour, font=font)
    return strip


def scale_ends(bounds: tuple[float, float], patches: str = "") -> tuple[str, str]:
    """What stands at either end of the colour bar, of `colour_range`; patches: see `finest`."""
    low, high = bounds
    if low < 0:
        return f"{number(low)} against", f"{number(high)} for{patches}"
    return "0", f"{number(high)} relevance, raw{patches}"


def scale_range(low: str, high: str) -> str:
    """Both ends in one text, for a bar that has no room beside it."""
    return f"{low} to {high}"
