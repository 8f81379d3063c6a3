"""A relevance map over its radiograph as one SVG picture, for notebooks."""

import io
from base64 import b64encode

import numpy as np
from jaxtyping import Float
from PIL import Image

from medgemma_dash.core.radiograph import Radiograph

WIDTH_PX = 360
FOR, AGAINST = "#e8590c", "#1c7ed6"
SMALLEST = 0.02  # of the peak; what is fainter cannot be seen


def map_svg(
    image_map: Float[np.ndarray, "rows cols"], radiograph: Radiograph, *, signed: bool
) -> str:
    """The radiograph in grey, and a cell's relevance as the opacity of one colour over it.

    Signed maps have orange for evidence in favour and blue for evidence against.
    """
    rows, cols = image_map.shape
    height = round(WIDTH_PX * radiograph.height / radiograph.width)
    values = image_map if signed else image_map.clip(0)
    peak = float(np.abs(values).max()) or 1.0
    cells = [
        f'<rect x="{col}" y="{row}" width="1" height="1" '
        f'fill="{FOR if share > 0 else AGAINST}" opacity="{0.75 * abs(share):.3f}"/>'
        for (row, col), share in np.ndenumerate(values / peak)
        if abs(share) >= SMALLEST
    ]
    picture = io.BytesIO()
    Image.fromarray(radiograph.pixels).resize((WIDTH_PX, height)).save(picture, "JPEG", quality=85)
    data = b64encode(picture.getvalue()).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{height}" '
        f'viewBox="0 0 {cols} {rows}" preserveAspectRatio="none" role="img" '
        f'aria-label="Relevance map over the radiograph">'
        f'<image href="data:image/jpeg;base64,{data}" width="{cols}" height="{rows}" '
        f'preserveAspectRatio="none"/>{"".join(cells)}</svg>'
    )
