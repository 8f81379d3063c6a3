"""The model with random weights for a time: does what is computed of it depend on what it learnt?

Cascading from the top, as in Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor

from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.kept import Kept
from medgemma_dash.models.adapter import KEPT_IMAGE_BYTES, VisionLanguageModel

Part = Literal["decoder", "vision tower"]
PARTS: tuple[Part, ...] = ("decoder", "vision tower")


def layer_count(model: VisionLanguageModel, part: Part) -> int:
    """How many layers a part has."""
    return len(_layers(model, part))


@contextmanager
def randomised(model: VisionLanguageModel, part: Part, top: int, seed: int = 0) -> Iterator[None]:
    """Draw the weights of the `top` highest layers of a part anew, each from a normal distribution
    of its own mean and spread; nothing kept of the model is seen inside.

    One seed draws a layer alike whatever `top` is. The weights that were there are put back
    themselves, so that the model is afterwards what it was, to the bit, whatever happens. The
    caller holds the model's lock. Raises ValueError for more layers than there are, and ModelError
    for weights that are not floating-point numbers.
    """
    layers = _layers(model, part)
    if not 1 <= top <= len(layers):
        raise ValueError(f"{top} layers of the {part}; it has {len(layers)}.")
    weights = [one for layer in reversed(layers[-top:]) for one in layer.parameters()]
    if not all(weight.is_floating_point() for weight in weights):
        raise ModelError(
            f"The {part} has quantised weights, which cannot be drawn anew. Load the model "
            "without quantisation for this check."
        )
    device = weights[0].device
    generator = torch.Generator(device).manual_seed(seed)
    before: list[tuple[Any, Tensor]] = []
    with caches_aside(model):
        try:
            for weight in weights:
                before.append((weight, weight.data))
                # Another tensor in its place: graphs that other answers keep stay valid.
                weight.data = _drawn(weight.data, generator)
            yield
        finally:
            for weight, values in before:
                weight.data = values


@contextmanager
def caches_aside(model: VisionLanguageModel) -> Iterator[None]:
    """Soft tokens and replays of what is computed inside are forgotten, those kept before remain.

    New replays keep their graphs only in what those of the open answers leave of the budget.
    """
    replays, features = model.replays, model.image_features
    room = max(0, replays.budget_bytes - replays.bytes)
    model.replays = Kept(room, lambda replay: replay.bytes)
    model.image_features = Kept(KEPT_IMAGE_BYTES, lambda kept: kept.nbytes)
    try:
        yield
    finally:
        model.replays, model.image_features = replays, features


def _layers(model: VisionLanguageModel, part: Part) -> Any:
    inner = model.hf_model.model
    return inner.language_model.layers if part == "decoder" else inner.vision_tower.encoder.layers


def _drawn(weight: Tensor, generator: torch.Generator) -> Tensor:
    wide = weight.float()
    noise = torch.randn(
        weight.shape, generator=generator, device=generator.device, dtype=torch.float32
    )
    return (wide.mean() + wide.std(correction=0) * noise.to(wide.device)).to(weight.dtype)
