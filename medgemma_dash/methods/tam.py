"""Token activation map: what the soft tokens say of a word, less what they say of earlier words.

Li et al., "Token Activation Map to Visually Explain Multimodal LLMs", ICCV 2025. Written from its
description. Where that is silent:
- An earlier word is any text position in front of the target, those of the chat frame included,
  except where the very same token stands: its map is the target's own, and would cancel it.
- Its text score is its own final state, read out for the target's token, cut off at zero; the
  scores are divided by their sum.
- Ranks are counted from the median of a window, and sigma is the window's standard deviation over
  its mean, so that a constant window keeps its value; the border is repeated outwards.
- Of several images the interference has one scale, and each image is filtered apart.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import NoOptions
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.logit_target import normed, unembedding

WINDOW = 3  # cells


@dataclass(frozen=True)
class TokenActivationMap:
    """Activation, less the estimated interference of the context, through a rank filter."""

    spec = MethodSpec(
        name="tam",
        title="Token activation map",
        card="At which places of the picture the model's last layer itself speaks of the word, "
        "after what earlier words explain as well has been taken off. Needs no gradient, and tells "
        "neighbouring words apart. It presumes that what the model holds at the picture's places "
        "can be read as words, which nothing taught the demo model. Distrust an empty map, which "
        "may only mean that earlier words say the same, and single cells: the filter smooths them "
        "away.",
        formula=r"a_t = (X_V w_t)^+,\quad r_t = F\big[(a_t - s \sum_{j<t} c_j a_j)^+\big],\quad "
        r"c_j = \frac{(x_j^\top w_t)^+}{\sum_{j'<t} (x_{j'}^\top w_t)^+},\quad "
        r"s = \arg\min_s \lVert a_t - s \sum_{j<t} c_j a_j \rVert^2",
        source="Li et al., Token Activation Map, ICCV 2025, https://arxiv.org/abs/2506.23270; "
        "F is its rank Gaussian filter, 3 x 3 cells",
        cost="0",
        needs="the decoder's last states",
        family="activation",
        signed=False,
        contrastive=False,
        all_tokens_at_once=True,
    )

    def rows(self, call: Call[NoOptions]) -> Relevance:
        """See `Method.rows`."""
        answer = call.answer
        ids = torch.from_numpy(answer.input_ids.copy()).to(call.device)
        is_text = torch.ones(len(ids), dtype=torch.bool, device=call.device)
        is_text[call.cells] = False
        text = is_text.nonzero().flatten()
        found = torch.zeros(len(call.targets), len(call.cells), device=call.device)
        with torch.no_grad():
            x = normed(call.model, call.replay.final.float())
            w = unembedding(call.model, ids[text]).float()
            maps = (x[call.cells] @ w.T).clamp_min(0)
            scores = (x[text] @ w.T).clamp_min(0)
            for row, place in zip(found, call.predicting, strict=True):
                call.at()
                position = place + 1
                own = int((text == position).nonzero())
                earlier = (text < position) & (ids[text] != ids[position])
                residual = without_interference(
                    maps[:, own], maps[:, earlier], scores[earlier, own]
                )
                for part, grid in zip(call.cells_of_images, call.grids, strict=True):
                    row[part] = rank_gaussian(residual[part].view(grid)).flatten()
        return call.relevance(call.on_images(found))


METHOD = TokenActivationMap()


def without_interference(
    own: Float[Tensor, " cells"],
    earlier: Float[Tensor, "cells tokens"],
    scores: Float[Tensor, " tokens"],
) -> Float[Tensor, " cells"]:
    """The map less its least-squares share of the earlier tokens' maps, cut off at zero."""
    mix = earlier @ scores
    energy = mix @ mix
    # The scale makes up for the scores' sum. With no interference there is nothing to take off.
    s = (own @ mix) / energy if energy > 0 else 0.0
    return (own - s * mix).clamp_min(0)


def rank_gaussian(image: Float[Tensor, "rows cols"]) -> Float[Tensor, "rows cols"]:
    """In each window the mean of the sorted values, weighted by a Gaussian around the median.

    Windows whose values differ much are averaged, even ones give their median: single peaks go,
    edges stay.
    """
    padded = torch.nn.functional.pad(image[None, None], [WINDOW // 2] * 4, mode="replicate")
    windows = padded[0, 0].unfold(0, WINDOW, 1).unfold(1, WINDOW, 1).flatten(2)
    ranked = windows.sort(-1).values
    mean = ranked.mean(-1, keepdim=True)
    sigma = ranked.std(-1, correction=0, keepdim=True) / mean
    # A window of zeros has no sigma. In a constant one it is zero, or rounding that is near it.
    sigma = sigma.nan_to_num(0).clamp_min(1e-3)
    rank = torch.arange(WINDOW**2, device=image.device) - WINDOW**2 // 2
    weights = torch.exp(-0.5 * (rank / sigma) ** 2)
    return (weights * ranked).sum(-1) / weights.sum(-1)
