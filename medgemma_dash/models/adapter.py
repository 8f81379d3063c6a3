"""The model as the rest of the program holds it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.kept import Kept
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models.gemma3 import ModelLayout

if TYPE_CHECKING:
    from medgemma_dash.models.replay import Replay

# 256 soft tokens of a 4B model in bfloat16 are 1.3 MB, its patches at one vision layer 9.4 MB.
KEPT_IMAGE_BYTES = 64 << 20


@dataclass(eq=False)
class VisionLanguageModel:
    """A loaded Gemma 3 image-text model, frozen and in eval mode.

    Hold `lock` during any computation: one model serves every session.
    """

    hf_model: Any
    processor: Any
    name: str
    revision: str
    is_demo: bool
    layout: ModelLayout
    replays: "Kept[str, Replay]"
    load_seconds: float = 0.0
    lock: RLock = field(default_factory=RLock)
    image_features: Kept[str, Tensor] = field(
        default_factory=lambda: Kept(KEPT_IMAGE_BYTES, lambda features: features.nbytes)
    )

    @property
    def device(self) -> torch.device:
        """Where the decoder computes."""
        return self.hf_model.get_input_embeddings().weight.device  # type: ignore[no-any-return]

    @property
    def dtype(self) -> torch.dtype:
        """The decoder's number format."""
        return self.hf_model.get_input_embeddings().weight.dtype  # type: ignore[no-any-return]

    @property
    def memory_bytes(self) -> int:
        """Bytes of all parameters, tied ones counted once."""
        return sum(p.numel() * p.element_size() for p in self.hf_model.parameters())

    @property
    def vocabulary_size(self) -> int:
        """How many tokens have an input embedding."""
        return int(self.hf_model.get_input_embeddings().weight.shape[0])

    @property
    def decoder_parameters(self) -> int:
        """Numbers that the decoder was trained with."""
        return sum(p.numel() for p in self.hf_model.model.language_model.parameters())

    def encode_image(
        self, sha256: str, pixel_values: Float[Tensor, "1 3 height width"]
    ) -> Float[Tensor, "soft_tokens hidden"]:
        """The radiograph's soft tokens, computed once per radiograph and kept."""
        return self.keep_of_image(sha256, lambda: self.encode_pixels(pixel_values))

    def encode_pixels(
        self, pixel_values: Float[Tensor, "1 3 height width"]
    ) -> Float[Tensor, "soft_tokens hidden"]:
        """A preprocessed radiograph's soft tokens, kept nowhere."""
        with torch.no_grad():
            pixels = pixel_values.to(self.device, self.dtype)
            return self.hf_model.get_image_features(pixels).pooler_output[0]  # type: ignore[no-any-return]

    def encode_images(
        self,
        radiographs: Sequence[Radiograph],
        pixel_values: Float[Tensor, "images 3 height width"],
    ) -> Float[Tensor, "soft_tokens hidden"]:
        """The soft tokens of all, image after image, each radiograph encoded for itself."""
        every = zip(radiographs, pixel_values.split(1), strict=True)
        return torch.cat([self.encode_image(one.sha256, pixels) for one, pixels in every])

    def keep_of_image(self, key: str, compute: Callable[[], Tensor]) -> Tensor:
        """What is kept of a radiograph under this key, computed when it is not there.

        The entries used least recently are forgotten when there are too many.
        """
        return self.image_features.get_or_make(key, compute)

    def drop_caches(self) -> None:
        """Free what can be computed again: soft tokens and replay graphs."""
        self.image_features.clear()
        self.replays.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
