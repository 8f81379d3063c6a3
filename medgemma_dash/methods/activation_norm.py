"""How strongly each place of the picture excites the vision tower, whatever the word."""

from dataclasses import dataclass

import torch

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import NoOptions
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.vision_tower import (
    pooled_to_soft_tokens,
    vision_activations,
    vision_layers,
)


@dataclass(frozen=True)
class ActivationNorm:
    """Lengths of the last layer's outputs, in front of the tower's last norm, which evens them."""

    spec = MethodSpec(
        name="activation_norm",
        title="Activation norm",
        card="The same map for every word: where the vision tower's last layer is most active. It "
        "knows neither the question nor the answer, and is no explanation of a word. Use it to see "
        "what stands out in the picture by itself, and to ask whether another method's map shows "
        "more than that. Distrust single bright cells: vision transformers keep notes to "
        "themselves in patches of empty background.",
        formula=r"r_i = \frac{1}{|P_i|}\sum_{j \in P_i} \lVert A_j \rVert_2,\quad "
        r"P_i = \mathrm{patches\ of\ soft\ token}\ i",
        source="MedGemma Visualizer documentation; on patches of background, Darcet et al., "
        "ICLR 2024, https://arxiv.org/abs/2309.16588",
        cost="0, after 1 pass of the vision tower for a radiograph",
        needs="the vision tower's activations",
        family="vision tower",
        signed=False,
        contrastive=False,
        per_token=False,
        all_tokens_at_once=True,
    )

    def rows(self, call: Call[NoOptions]) -> Relevance:
        """See `Method.rows`."""
        call.at()
        model, last = call.model, vision_layers(call.model) - 1
        lengths = []
        for image in call.answer.images:
            A = vision_activations(model, image.radiograph, last, call.check)
            lengths.append(pooled_to_soft_tokens(model, A.float().norm(dim=-1).unsqueeze(0)))
        values = torch.cat(lengths, 1).expand(len(call.targets), -1)
        return call.relevance(call.on_images(values))


METHOD = ActivationNorm()
