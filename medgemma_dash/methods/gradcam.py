"""Grad-CAM at a layer of the vision tower."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import Option
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.vision_tower import (
    on_patch_grid,
    pooled_to_soft_tokens,
    vision_activations,
    vision_gradients,
    vision_layers,
)

VisionLayer = Literal["last", "second to last", "middle", "first"]

LAYER = Option(
    "layer",
    "Vision layer",
    ("last", "second to last", "middle", "first"),
    "The layer of the vision tower whose activations are weighted; the middle one is layer L // 2, "
    "counted from 0.",
)
WORDS = Option(
    "words",
    "Several words",
    ("mean of maps", "sum of log-probabilities"),
    "A phrase is the mean of its tokens' maps of their logits, or one map of the log-probability "
    "of the whole phrase. The gradient of a log-probability vanishes where the model is sure.",
)


@dataclass(frozen=True)
class GradCAMOptions:
    """At which layer of the vision tower, and what becomes of several words."""

    layer: VisionLayer = "last"
    words: Literal["mean of maps", "sum of log-probabilities"] = "mean of maps"


@dataclass(frozen=True)
class GradCAM:
    """Equations 1 and 2, with patches in the place of pixels of a feature map."""

    spec = MethodSpec(
        name="gradcam",
        title="Grad-CAM",
        card="Which parts of the picture hold the features that raise the word, seen from the "
        "vision tower. Each feature has one weight for the whole picture, so the map is smooth and "
        "tells regions, not fine detail. Distrust it where a feature helps in one place and harms "
        "in another: the weight is their mean. No map at all means that no place spoke for it.",
        formula=r"\alpha_k = \frac{1}{Z}\sum_i \frac{\partial z}{\partial A_i^k},\quad "
        r"L_i = \Big(\sum_k \alpha_k A_i^k\Big)^{\!+}",
        source="Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2, "
        "https://arxiv.org/abs/1610.02391; of a phrase: MedGemma Visualizer documentation",
        cost="1 B, through the vision tower as far as the layer",
        needs="a gradient through the decoder and the vision tower",
        family="vision tower",
        signed=False,
        contrastive=True,
        options=(LAYER, WORDS),
        options_type=GradCAMOptions,
    )

    def rows(self, call: Call[GradCAMOptions]) -> Relevance:
        """See `Method.rows`."""
        model, check = call.model, call.check
        layer = layer_index(vision_layers(model), call.options.layer)
        summed = call.options.words == "sum of log-probabilities"
        scores = [replace(logit, log_probability=summed) for logit in call.logits]
        activations = [
            vision_activations(model, image.radiograph, layer, check)
            for image in call.answer.images
        ]
        # A copy of the cells', so that the words' gradients need not stay.
        by_cells = call.replay.backward(scores, lambda _layer: None, check)[:, call.cells]
        maps = []
        for A, part in zip(activations, call.cells_of_images, strict=True):
            maps.append(grad_cam(A, vision_gradients(model, A, layer, by_cells[:, part], check)))
        pooled = torch.cat([pooled_to_soft_tokens(model, one) for one in maps], 1)
        fine = [on_patch_grid(model, one) for one in maps]
        return call.relevance(call.on_images(pooled), fine=fine)


METHOD = GradCAM()


def grad_cam(
    A: Float[Tensor, "patches channels"], dA: Float[Tensor, "targets patches channels"]
) -> Float[Tensor, "targets patches"]:
    """Activations weighted by the mean gradient of their channel; what is negative is cut off."""
    alpha = dA.float().mean(1)
    return (alpha @ A.float().T).clamp_min(0)


def layer_index(count: int, choice: VisionLayer) -> int:
    """Index of the chosen one of `count` layers; raises MethodError when there are too few."""
    if choice == "second to last" and count == 1:
        raise MethodError("This vision tower has a single layer. Choose the last one.")
    return {"last": count - 1, "second to last": count - 2, "middle": count // 2, "first": 0}[
        choice
    ]
