"""Integrated gradients along the straight path from a baseline image to the image.

Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks", ICML 2017. The path runs over
the soft tokens alone: the words stay as they are, and their relevance is zero.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, tell
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import logit_target
from medgemma_dash.methods.input_contributions import LINEAR_SPAN, contributions
from medgemma_dash.methods.specification import Control, MethodSpec, Rows
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.prompting import encode_prompt
from medgemma_dash.models.replay import LogitTarget, Replay
from medgemma_dash.models.replay_forward import build_replay

BASELINE = Control(
    "baseline",
    "Baseline",
    ("blurred image", "mean token", "zeros"),
    "What the image is compared with: the radiograph blurred by a Gaussian whose sigma is the side "
    "of one map cell (56 of 896 pixels in MedGemma), read by the same vision tower; the mean of "
    "its image tokens everywhere; or zeros. The blurred image is the only one that the model could "
    "be shown. From zeros the path misleads: every layer first brings its inputs to one length, so "
    "nearly all of the change happens right at its beginning.",
)
STEPS = Control(
    "steps",
    "Steps",
    ("16", "32", "64"),
    "Points on the path, each one forward and one backward pass. More steps close the gap between "
    "the sum of the map and the change in the logit.",
)


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
        controls=(BASELINE, STEPS, LINEAR_SPAN),
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
        steps = int(chosen["steps"])
        start, stop = answer.image_span
        logits = [logit_target(answer, target) for target in targets]
        h = replay.pieces[0].input[0, start:stop].detach().float()
        baseline = baseline_tokens(replay.model, answer, h, chosen["baseline"])
        # What follows the last predicting position cannot reach the targets.
        reach = max(logit.rows[-1] for logit in logits) + 1
        input_ids = torch.from_numpy(answer.input_ids[:reach].copy())

        def replayed(features: Tensor) -> Replay:
            return build_replay(replay.model, input_ids, [answer.image_span], features, check=check)

        total = torch.zeros(len(logits), *h.shape, device=h.device)
        with _graphs_beside_the_kept_ones(replay.model):
            z_baseline = _values(replayed(baseline), logits)
            for step in range(steps):
                point = torch.lerp(baseline, h, (step + 0.5) / steps)
                gradients = replayed(point).backward(logits, lambda _layer: None, check)
                total += gradients[:, start:stop]
                tell(check, step + 1, steps)
        rows = torch.zeros(len(logits), replay.sequence)
        rows[:, start:stop] = contributions(h - baseline, total / steps).cpu()
        change = [z - z0 for z, z0 in zip(_values(replay, logits), z_baseline, strict=True)]
        sums = rows.sum(1, dtype=torch.float64).tolist()
        return Rows(rows, tuple(s - c for s, c in zip(sums, change, strict=True)))


METHOD = IntegratedGradients()


def baseline_tokens(
    model: VisionLanguageModel, answer: Answer, h: Float[Tensor, "soft_tokens hidden"], name: str
) -> Float[Tensor, "soft_tokens hidden"]:
    """The soft tokens that the path starts from, float32."""
    if name == "zeros":
        return torch.zeros_like(h)
    if name == "mean token":
        return h.mean(0, keepdim=True).expand_as(h)
    pixels = encode_prompt(model, [answer.radiograph], answer.prompt).pixel_values
    sigma = model.layout.image_size / model.layout.grid[1]
    key = f"{answer.radiograph.sha256} blurred {sigma}"
    return model.encode_image(key, _blurred(pixels, sigma)).float()


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
        sum(weight * float(replay.logits(row)[token]) for row, token, weight in logit.terms)
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
