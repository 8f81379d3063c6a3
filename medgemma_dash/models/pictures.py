"""Many pictures through the vision tower, in batches."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel

# Patches in flight: 16 pictures of the demo model's tower, one of MedGemma's; more on a GPU.
PROCESSOR_PATCHES = 4096
GPU_PATCHES = 1 << 16


def encode_pictures(
    model: VisionLanguageModel,
    pictures: Sequence[UInt8[np.ndarray, "height width 3"]],
    check: Callable[[], None] | None = None,
) -> Float[Tensor, "pictures soft_tokens hidden"]:
    """Each picture's soft tokens, kept nowhere; `check` is called once per batch and may raise."""
    step = pictures_at_once(model)
    found = []
    for start in range(0, len(pictures), step):
        if check is not None:
            check()
        shown = [Image.fromarray(one) for one in pictures[start : start + step]]
        pixels = model.processor.image_processor(shown, do_pan_and_scan=False, return_tensors="pt")[
            "pixel_values"
        ]
        with torch.no_grad():
            soft = model.hf_model.get_image_features(pixels.to(model.device, model.dtype))
        found.append(soft.pooler_output)
    return torch.cat(found)


def pictures_at_once(model: VisionLanguageModel) -> int:
    """How many pictures make a batch on this device."""
    patches = (model.layout.image_size // model.layout.patch_size) ** 2
    most = PROCESSOR_PATCHES if model.device.type == "cpu" else GPU_PATCHES
    return max(1, most // patches)
