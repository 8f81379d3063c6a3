"""Relevance maps over their radiographs as one SVG picture, for notebooks."""

import io
from base64 import b64encode
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image

from medgemma_dash.core.radiograph import Radiograph

WIDTH_PX = 360
GAP_PX = 8
FOR, AGAINST = "#e8590c", "#1c7ed6"
SMALLEST = 0.02  # of the peak; what is fainter cannot be seen


def maps_svg(
    image_maps: Sequence[Float[np.ndarray, "_ _"]],
    radiographs: Sequence[Radiograph],
    *,
    signed: bool,
) -> str:
    """The radiographs in grey, and a cell's relevance as the opacity of one colour over it.

    Signed maps have orange for evidence in favour and blue for evidence against. Several stand
    side by side, numbered, and are coloured by the peak of all of them.
    """
    values = [one if signed else one.clip(0) for one in image_maps]
    peak = max(float(np.abs(one).max()) for one in values) or 1.0
    count = len(values)
    pictures = [
        _map(one / peak, radiograph, f", image {place} of {count}" if count > 1 else "")
        for place, (one, radiograph) in enumerate(zip(values, radiographs, strict=True), 1)
    ]
    if count == 1:
        return pictures[0]
    step = WIDTH_PX + GAP_PX
    placed = "".join(
        picture.replace("<svg ", f'<svg x="{place * step}" ', 1)
        for place, picture in enumerate(pictures)
    )
    width, height = count * step - GAP_PX, max(map(_height, radiographs))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" '
        f'aria-label="Relevance maps over {count} radiographs">{placed}</svg>'
    )


def _height(radiograph: Radiograph) -> int:
    return round(WIDTH_PX * radiograph.height / radiograph.width)


def _map(shares: Float[np.ndarray, "rows cols"], radiograph: Radiograph, number: str) -> str:
    """One picture; shares: of the peak, from -1 to 1. number: which of several it is."""
    rows, cols = shares.shape
    height = _height(radiograph)
    cells = [
        f'<rect x="{col}" y="{row}" width="1" height="1" '
        f'fill="{FOR if share > 0 else AGAINST}" opacity="{0.75 * abs(share):.3f}"/>'
        for (row, col), share in np.ndenumerate(shares)
        if abs(share) >= SMALLEST
    ]
    picture = io.BytesIO()
    Image.fromarray(radiograph.pixels).resize((WIDTH_PX, height)).save(picture, "JPEG", quality=85)
    data = b64encode(picture.getvalue()).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{height}" '
        f'viewBox="0 0 {cols} {rows}" preserveAspectRatio="none" role="img" '
        f'aria-label="Relevance map over the radiograph{number}">'
        f'<image href="data:image/jpeg;base64,{data}" width="{cols}" height="{rows}" '
        f'preserveAspectRatio="none"/>{"".join(cells)}</svg>'
    )
