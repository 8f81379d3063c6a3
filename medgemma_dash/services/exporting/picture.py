"""The map over the radiograph as a PNG file that says what it is."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.notices import notices


def overlay_png(picture: UInt8[np.ndarray, "height width 3"], explanation: Explanation) -> bytes:
    """A composited picture as PNG; its text fields hold the notices, the method and the digest."""
    facts = PngInfo()
    facts.add_itxt("Comment", " ".join(notices(explanation.provenance.is_demo)))
    facts.add_itxt("Method", explanation.method)
    facts.add_itxt("Source", f"sha256 {explanation.provenance.image_sha256}")
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", pnginfo=facts, optimize=False)
    return buffer.getvalue()
