"""The vision tower layer by layer: activations of one layer, and gradients back to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models.adapter import VisionLanguageModel


def vision_layers(model: VisionLanguageModel) -> int:
    """Number of layers of the vision tower: 27 in MedGemma."""
    return len(model.hf_model.model.vision_tower.encoder.layers)


def pixel_values(
    model: VisionLanguageModel, radiograph: Radiograph
) -> Float[Tensor, "1 3 height width"]:
    """The radiograph as the tower is shown it, by the processor's own image part."""
    pictures = [Image.fromarray(radiograph.pixels)]
    encode = model.processor.image_processor
    return encode(pictures, do_pan_and_scan=False, return_tensors="pt")["pixel_values"]  # type: ignore[no-any-return]


def vision_activations(
    model: VisionLanguageModel,
    radiograph: Radiograph,
    layer: int,
    check: Callable[[], None] | None = None,
) -> Float[Tensor, "patches channels"]:
    """Output of one layer for a radiograph, in front of the tower's last norm.

    Patches stand row by row. Kept with the soft tokens, since the tower costs about two passes
    of the decoder. `check` is called once per layer and may raise.
    """

    def encode() -> Tensor:
        tower = model.hf_model.model.vision_tower
        pixels = pixel_values(model, radiograph)
        with _own_modes(gradients=False):
            state = tower.embeddings(pixels.to(model.device, model.dtype))
            for piece in tower.encoder.layers[: layer + 1]:
                _call(check)
                state = piece(state, None)
        return state[0]  # type: ignore[no-any-return]

    return model.keep_of_image(f"{radiograph.sha256} vision layer {layer}", encode)


def vision_gradients(
    model: VisionLanguageModel,
    activations: Float[Tensor, "patches channels"],
    layer: int,
    gradients: Float[Tensor, "targets soft_tokens hidden"],
    check: Callable[[], None] | None = None,
) -> Float[Tensor, "targets patches channels"]:
    """From gradients by the soft tokens to gradients by a layer's activations.

    The layers behind run again one by one, so that only one layer's graph is held at a time: all
    of them would take gigabytes at 4096 patches. `check` is called once per layer and may raise.
    """
    tower, projector = model.hf_model.model.vision_tower, model.hf_model.model.multi_modal_projector
    layers = tower.encoder.layers[layer + 1 :]
    states = [activations.unsqueeze(0)]
    with _own_modes(gradients=False):
        for piece in layers:
            _call(check)
            states.append(piece(states[-1], None))
    found = gradients.to(activations.dtype)
    found = _pulled_back(lambda x: projector(tower.post_layernorm(x)), states.pop(), found)
    for piece in reversed(layers):
        _call(check)
        found = _pulled_back(partial(piece, attention_mask=None), states.pop(), found)
    return found


def pooled_to_soft_tokens(
    model: VisionLanguageModel, maps: Float[Tensor, "maps patches"]
) -> Float[Tensor, "maps soft_tokens"]:
    """Mean over the patches of each soft token, by the projector's own pooling."""
    pool = model.hf_model.model.multi_modal_projector.avg_pool
    with _own_modes(gradients=False):
        return pool(on_patch_grid(model, maps)).flatten(1)  # type: ignore[no-any-return]


def on_patch_grid(
    model: VisionLanguageModel, maps: Float[Tensor, "maps patches"]
) -> Float[Tensor, "maps rows cols"]:
    """The patches where they lie: 64 x 64 in MedGemma."""
    side = model.layout.image_size // model.layout.patch_size
    return maps.unflatten(1, (side, side))  # type: ignore[no-any-return]


def _pulled_back(
    function: Callable[[Tensor], Tensor], state: Tensor, gradients: Tensor
) -> Float[Tensor, "targets patches channels"]:
    with _own_modes(gradients=True):
        leaf = state.detach().requires_grad_()
        output = function(leaf)
        found = [
            torch.autograd.grad(output, leaf, one, retain_graph=True)[0]
            for one in gradients.split(1)
        ]
    return torch.cat(found)


@contextmanager
def _own_modes(*, gradients: bool) -> Iterator[None]:
    """Gradients on or off, whatever the caller's modes: what is kept may need a graph later."""
    with torch.inference_mode(mode=False), torch.set_grad_enabled(gradients):
        yield


def _call(check: Callable[[], None] | None) -> None:
    if check is not None:
        check()
