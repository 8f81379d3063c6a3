"""Integrated gradients along the straight path from a baseline image to the image.

Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks", ICML 2017. The path runs over
the soft tokens alone: the words stay as they are, and their relevance is zero.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.progress import finish
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.input_contributions import LINEAR_SPAN, contributions
from medgemma_dash.methods.options import Option, SeveralWords
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.models.replay import Replay
from medgemma_dash.models.replay_forward import build_replay
from medgemma_dash.models.vision_tower import pixel_values

Baseline = Literal["blurred image", "mean token", "zeros"]

BASELINE = Option(
    "baseline",
    "Baseline",
    ("blurred image", "mean token", "zeros"),
    "What the image is compared with: the radiograph blurred by a Gaussian whose sigma is the side "
    "of one map cell (56 of 896 pixels in MedGemma), read by the same vision tower; the mean of "
    "its image tokens everywhere; or zeros. The blurred image is the only one that the model could "
    "be shown. From zeros the path misleads: every layer first brings its inputs to one length, so "
    "nearly all of the change happens right at its beginning.",
)
STEPS = Option(
    "steps",
    "Steps",
    ("16", "32", "64"),
    "Points on the path, each one forward and one backward pass. More steps close the gap between "
    "the sum of the map and the change in the logit.",
    values=(16, 32, 64),
)


@dataclass(frozen=True)
class IntegratedGradientsOptions:
    """Where the path starts, its points, and what becomes of several words."""

    baseline: Baseline = "blurred image"
    steps: Literal[16, 32, 64] = 16
    words: SeveralWords = "mean of maps"


@dataclass(frozen=True)
class IntegratedGradients:
    """Equation 1 and the sum of section 5, by the midpoint rule."""

    spec = MethodSpec(
        name="integrated_gradients",
        title="Integrated gradients",
        card="Gradients collected on the way from a baseline picture to the radiograph. The map "
        "adds up to what the radiograph changed in the logit against the baseline; the gap says "
        "how nearly. Negative means evidence against the word. Distrust it when the gap is large, "
        "and remember that it cannot see what image and baseline have in common.",
        formula=r"r_i = \sum_d (h_{i,d} - h'_{i,d})\,\frac{1}{m}\sum_{k=1}^{m}"
        r"\frac{\partial z}{\partial h_{i,d}}\Big(h' + \tfrac{k - 1/2}{m}(h - h')\Big)",
        source="Sundararajan, Taly, Yan, ICML 2017, equations 1 and 3, "
        "https://arxiv.org/abs/1703.01365",
        cost="m (F + B)",
        needs="a gradient through the decoder at every step; the vision tower for a blurred image",
        family="gradient",
        signed=True,
        contrastive=True,
        options=(BASELINE, STEPS, LINEAR_SPAN),
        options_type=IntegratedGradientsOptions,
        passes=32,
    )

    def rows(self, call: Call[IntegratedGradientsOptions]) -> Relevance:
        """See `Method.rows`."""
        return finish(self.steps(call))

    def steps(self, call: Call[IntegratedGradientsOptions]) -> Generator[None, None, Relevance]:
        """See `SteppedMethod.steps`; a step is a point on the path."""
        steps, logits, answer = call.options.steps, call.logits, call.answer
        h = call.soft_tokens()
        baseline = baseline_tokens(call, call.options.baseline)
        # What follows the last predicting position cannot reach the targets.
        reach = max(logit.rows[-1] for logit in logits) + 1
        input_ids = torch.from_numpy(answer.input_ids[:reach].copy())

        def replayed(features: Tensor) -> Replay:
            spans = answer.image_spans
            with _graphs_beside_the_kept_ones(call.model):
                return build_replay(call.model, input_ids, spans, features, check=call.check)

        total = torch.zeros(len(logits), *h.shape, device=h.device)
        z_baseline = _values(replayed(baseline), logits)
        for step in range(steps):
            point = torch.lerp(baseline, h, (step + 0.5) / steps)
            gradients = replayed(point).backward(logits, lambda _layer: None, call.check)
            total += gradients[:, call.cells]
            call.tell(step + 1, steps)
            if step + 1 < steps:
                yield
        rows = call.on_images(contributions(h - baseline, total / steps)).cpu()
        change = [z - z0 for z, z0 in zip(_values(call.replay, logits), z_baseline, strict=True)]
        sums = rows.sum(1, dtype=torch.float64).tolist()
        return call.relevance(rows, gaps=[s - c for s, c in zip(sums, change, strict=True)])


METHOD = IntegratedGradients()


def baseline_tokens(
    call: Call[IntegratedGradientsOptions], name: Baseline
) -> Float[Tensor, "cells hidden"]:
    """The soft tokens that the path starts from, float32."""
    if name == "zeros":
        return torch.zeros_like(call.soft_tokens())
    if name == "mean token":
        return call.mean_soft_tokens()
    model = call.model
    sigma = model.layout.image_size / model.layout.grid[1]
    found = []
    for image in call.answer.images:
        key = f"{image.radiograph.sha256} blurred {sigma}"
        soft = _blurred(pixel_values(model, image.radiograph), sigma)
        found.append(model.encode_image(key, soft).float())
    return torch.cat(found)


def _blurred(
    pixels: Float[Tensor, "1 3 height width"], sigma_pixels: float
) -> Float[Tensor, "1 3 height width"]:
    """A Gaussian of the model's input, cut off at four sigma, mirrored at the border."""
    side = 2 * round(4 * sigma_pixels) + 1
    image = np.ascontiguousarray(pixels[0].permute(1, 2, 0).float().numpy())
    soft = cv2.GaussianBlur(
        image, (side, side), sigma_pixels, sigmaY=sigma_pixels, borderType=cv2.BORDER_REFLECT
    )
    return torch.from_numpy(soft).permute(2, 0, 1).unsqueeze(0)


def _values(replay: Replay, logits: Sequence[LogitTarget]) -> list[float]:
    """The targets' z."""
    return [
        sum(t.weight * float(replay.logits(t.row)[list(t.ids)].logsumexp(0)) for t in logit.terms)
        for logit in logits
    ]


@contextmanager
def _graphs_beside_the_kept_ones(model: VisionLanguageModel) -> Iterator[None]:
    """New replays keep their graphs only in what the open answers leave of the memory budget."""
    budget = model.replays.budget_bytes
    model.replays.budget_bytes = max(0, budget - model.replays.bytes)
    try:
        yield
    finally:
        model.replays.budget_bytes = budget
