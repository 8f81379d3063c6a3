"""Grad-CAM at a layer of the vision tower."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import logit_target
from medgemma_dash.methods.specification import Control, MethodSpec, Rows
from medgemma_dash.models.replay import Replay
from medgemma_dash.models.vision_tower import (
    on_patch_grid,
    pooled_to_soft_tokens,
    vision_activations,
    vision_gradients,
    vision_layers,
)

LAYER = Control(
    "layer",
    "Vision layer",
    ("last", "second to last", "middle", "first"),
    "The layer of the vision tower whose activations are weighted; the middle one is layer L // 2, "
    "counted from 0.",
)
WORDS = Control(
    "words",
    "Several words",
    ("mean of maps", "sum of log-probabilities"),
    "A phrase is the mean of its tokens' maps of their logits, or one map of the log-probability "
    "of the whole phrase. The gradient of a log-probability vanishes where the model is sure.",
)


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
        controls=(LAYER, WORDS),
    )

    def rows(
        self,
        replay: Replay,
        answer: Answer,
        targets: Sequence[Target],
        settings: tuple[tuple[str, str], ...],
        check: Check | None = None,
    ) -> Rows:
        """See `Method.rows`."""
        chosen = dict(settings)
        model = replay.model
        layer = layer_index(vision_layers(model), chosen["layer"])
        summed = chosen["words"] == "sum of log-probabilities"
        scores = [replace(logit_target(answer, t), log_probability=summed) for t in targets]
        A = vision_activations(model, answer, layer, check)
        start, stop = answer.image_span
        # A slice of its own, so that the words' gradients need not stay.
        by_soft_tokens = replay.backward(scores, lambda _layer: None, check)[:, start:stop].clone()
        dA = vision_gradients(model, A, layer, by_soft_tokens, check)
        maps = grad_cam(A, dA)
        relevance = torch.zeros(len(targets), replay.sequence)
        relevance[:, start:stop] = pooled_to_soft_tokens(model, maps).cpu()
        return Rows(relevance, fine=on_patch_grid(model, maps).cpu())


METHOD = GradCAM()


def grad_cam(
    A: Float[Tensor, "patches channels"], dA: Float[Tensor, "targets patches channels"]
) -> Float[Tensor, "targets patches"]:
    """Activations weighted by the mean gradient of their channel; what is negative is cut off."""
    alpha = dA.float().mean(1)
    return (alpha @ A.float().T).clamp_min(0)


def layer_index(count: int, choice: str) -> int:
    """Index of the chosen one of `count` layers; raises MethodError when there are too few."""
    if choice == "second to last" and count == 1:
        raise MethodError("This vision tower has a single layer. Choose the last one.")
    return {"last": count - 1, "second to last": count - 2, "middle": count // 2, "first": 0}[
        choice
    ]
