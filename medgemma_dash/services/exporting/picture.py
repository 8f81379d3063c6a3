"""The map over the radiograph as a PNG file that says what it is."""

import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.notices import notices
from medgemma_dash.core.paper import DPI
from medgemma_dash.services.exporting.subject import method_words


def overlay_png(
    picture: UInt8[np.ndarray, "height width 3"],
    explanation: Explanation,
    image: int | None = None,
    about: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A composited picture as PNG; its text fields hold the notices, the method and the digest.

    image: the number of the one it shows; None for all of them, whose digests it then holds.
    about: further text fields, see `subject`. The file says 300 dots an inch.
    """
    digests = explanation.provenance.image_sha256s
    shown = digests if image is None else (digests[image],)
    facts = PngInfo()
    facts.add_itxt("Comment", " ".join(notices(explanation.provenance.is_demo)))
    facts.add_itxt("Method", method_words(explanation.provenance))
    facts.add_itxt("Source", f"sha256 {', '.join(shown)}")
    for name, value in about:
        if name != "Method":
            facts.add_itxt(name, value)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", pnginfo=facts, dpi=(DPI, DPI))
    return buffer.getvalue()
