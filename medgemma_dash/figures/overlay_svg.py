"""The map over the radiograph as an SVG drawing: like `overlay_picture`, and sharp at any size.

Self-contained: the radiograph is inside, no script, no address. Every text is escaped.
"""

import io
import re
from base64 import b64encode
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image

from medgemma_dash.figures.lettering import LINE, about, broken, folded
from medgemma_dash.figures.overlay import (
    BAR_AT_LEAST,
    CAPTION,
    coloured,
    scale_ends,
    scale_range,
)
from medgemma_dash.figures.palette import DARK, checked_scale, colour_range, scale_colours
from medgemma_dash.figures.stretching import MapMode, finest, stretched
from medgemma_dash.figures.words import plain

# The drawing's own units; the picture fills its width.
WIDTH = 960
TEXT_SIZE = 17
_BAR_ENDS = 0.24 * WIDTH  # room for the numbers at either end, at least
_FIRST_LINE = 3.8  # of the text's size below the picture
_SMOOTH_PX = 640


def overlay_svg(
    radiograph_jpeg: bytes,
    width: int,
    height: int,
    image_map: Float[np.ndarray, "rows cols"],
    *,
    mode: MapMode = "smooth",
    opacity: float = 0.75,
    threshold: float = 0.0,
    colour_scale: str = "Inferno",
    signed: bool = False,
    laterality: str = "unknown",
    title: str = "Relevance map",
    facts: Sequence[str] = (),
    notices: Sequence[str] = (),
    fine: Float[np.ndarray, "patch_rows patch_cols"] | None = None,
    beside: Sequence[Float[np.ndarray, "_ _"]] = (),
    suffix: str = "",
    text_size: float | int = TEXT_SIZE,
) -> str:
    """The drawing; `mode` "grid" makes every cell a rectangle, "smooth" a picture of its own.

    width, height: of the radiograph; only their ratio matters.
    title, facts: read by programs and screen readers. notices: further lines below the picture.
    fine: the map before it was pooled to the soft tokens, drawn in its place.
    beside: maps of other drawings that share this one's scale, as they are drawn.
    suffix: of the names inside, where it is to be one of several drawings in a file.
    text_size: in the drawing's own units, of which its width has 960.
    Raises ValueError on a colour scale that does not exist or a value that is not finite.
    """
    scale = checked_scale(colour_scale, signed)
    drawn, patches = finest(image_map, fine)
    bounds = colour_range(drawn, signed, beside)
    tall = WIDTH * height / width
    bar, lines = _bar(bounds, scale, patches, f"scale{suffix}", text_size)
    for place, one in enumerate((CAPTION, *notices)):
        colour = DARK.text if place == 0 else DARK.accent
        lines += [(part, colour) for part in _wrapped(one, text_size)]
    whole = round(tall + text_size * (_FIRST_LINE + LINE * len(lines)))
    described = " ".join((CAPTION, *notices, *facts))
    draw = _cells if mode == "grid" else _smooth
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{WIDTH}" height="{whole}" viewBox="0 0 {WIDTH} {whole}" role="img" '
            f'aria-labelledby="title{suffix}" font-family="sans-serif" font-size="{text_size:g}">',
            f'<title id="title{suffix}">{plain(title)}</title>',
            f"<desc>{plain(described, longest=2000)}</desc>",
            f'<rect width="{WIDTH}" height="{whole}" fill="{DARK.background}"/>',
            _image(radiograph_jpeg, "jpeg", tall),
            draw(drawn.astype(np.float32), scale, bounds, opacity, threshold, tall),
            *_sides(laterality, text_size),
            f'<g transform="translate(0 {tall:.2f})">',
            *bar,
            *_texts(lines, text_size),
            "</g></svg>",
        )
    )


def _image(encoded: bytes, kind: str, tall: float) -> str:
    # xlink, because drawing programs of today still miss the plain href of SVG 2.
    data = b64encode(encoded).decode()
    return (
        f'<image width="{WIDTH}" height="{tall:.2f}" preserveAspectRatio="none" '
        f'xlink:href="data:image/{kind};base64,{data}"/>'
    )


def _cells(
    image_map: Float[np.ndarray, "rows cols"],
    scale: str,
    bounds: tuple[float, float],
    opacity: float,
    threshold: float,
    tall: float,
) -> str:
    colours, share = coloured(image_map, bounds, scale, threshold)
    rows, cols = image_map.shape
    rectangles = [
        f'<rect x="{col}" y="{row}" width="1" height="1" '
        f'fill="rgb({",".join(map(str, colours[row, col]))})" fill-opacity="{opacity * part:.3f}"/>'
        for (row, col), part in np.ndenumerate(share)
        if part > 0
    ]
    stretch = f"scale({WIDTH / cols:.6f} {tall / rows:.6f})"
    # Crisp: no seams between neighbours.
    return (
        f'<g transform="{stretch}" shape-rendering="crispEdges">\n' + "\n".join(rectangles) + "</g>"
    )


def _smooth(
    image_map: Float[np.ndarray, "rows cols"],
    scale: str,
    bounds: tuple[float, float],
    opacity: float,
    threshold: float,
    tall: float,
) -> str:
    """Drawn here, because viewers differ in how they blend between the cells of a picture."""
    shrink = _SMOOTH_PX / max(WIDTH, tall)
    size = max(1, round(tall * shrink)), max(1, round(WIDTH * shrink))
    values = stretched(image_map, *size, "smooth")
    colours, share = coloured(values, bounds, scale, threshold)
    alpha = np.rint(255 * opacity * share).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([colours, alpha])).save(buffer, "PNG")
    return _image(buffer.getvalue(), "png", tall)


def _sides(laterality: str, text_size: float | int) -> list[str]:
    if laterality not in ("left", "right"):
        return []
    size = round(max(WIDTH // 28, text_size))
    left, right = ("R", "L") if laterality == "left" else ("L", "R")
    style = (
        f'y="{1.3 * size:.1f}" font-size="{size}" fill="{DARK.text}" stroke="#000000" '
        f'stroke-width="{size / 6:.1f}" paint-order="stroke"'
    )
    return [
        f'<text x="{size // 2}" {style}>{left}</text>',
        f'<text x="{WIDTH - size // 2}" text-anchor="end" {style}>{right}</text>',
    ]


def _bar(
    bounds: tuple[float, float], scale: str, patches: str, name: str, size: float | int
) -> tuple[list[str], list[tuple[str, str]]]:
    """The colour bar, and lines with colours of what has no room beside it."""
    colours = scale_colours(scale, 17)
    stops = "".join(
        f'<stop offset="{place / 16:.4f}" stop-color="rgb({red},{green},{blue})"/>'
        for place, (red, green, blue) in enumerate(colours)
    )
    low, high = scale_ends(bounds, patches)
    ends = max(_BAR_ENDS, about(high, size) + 2 * size)
    beside = WIDTH - 2 * ends >= WIDTH / BAR_AT_LEAST
    if not beside:
        ends = size
    thick, at = size * 2 / 3, 1.6 * size
    bar = [
        f'<linearGradient id="{name}">{stops}</linearGradient>',
        f'<rect x="{ends:.2f}" y="{at - thick / 2:.2f}" '
        f'width="{WIDTH - 2 * ends:.2f}" height="{thick:.2f}" fill="url(#{name})"/>',
    ]
    if not beside:
        return bar, [(part, DARK.muted) for part in _wrapped(scale_range(low, high), size)]
    style = f'y="{at + 0.35 * size:.2f}" fill="{DARK.muted}"'
    numbers = [
        f'<text x="{ends - size:.2f}" text-anchor="end" {style}>{plain(low)}</text>',
        f'<text x="{WIDTH - ends + size:.2f}" {style}>{plain(high)}</text>',
    ]
    return bar + numbers, []


def _texts(lines: Sequence[tuple[str, str]], size: float | int) -> list[str]:
    return [
        f'<text x="{size:g}" y="{size * (_FIRST_LINE + LINE * place):.1f}" '
        f'fill="{colour}">{plain(line)}</text>'
        for place, (line, colour) in enumerate(lines)
    ]


def _wrapped(line: str, size: float | int) -> list[str]:
    return broken(folded(line), WIDTH - 2 * size, lambda text: about(text, size))


def side_by_side(drawings: Sequence[str]) -> str:
    """Drawings of `overlay_svg` as one; each has its own suffix. One alone stays as it is."""
    if len(drawings) == 1:
        return drawings[0]
    tall = max(int(re.findall(r' height="(\d+)"', one)[0]) for one in drawings)
    whole = f"{WIDTH * len(drawings)} {tall}"
    width, height = whole.split()
    placed = [
        one.replace("<svg ", f'<svg x="{WIDTH * place}" ', 1) for place, one in enumerate(drawings)
    ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {whole}">',
            f'<rect width="{width}" height="{height}" fill="{DARK.background}"/>',
            *placed,
            "</svg>",
        )
    )
