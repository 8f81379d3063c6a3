"""Token activation map: what the soft tokens say of a word, less what they say of earlier words.

Li et al., "Token Activation Map to Visually Explain Multimodal LLMs", ICCV 2025. Written from its
description. Where that is silent:
- An earlier word is any text position in front of the target, those of the chat frame included,
  except where the very same token stands: its map is the target's own, and would cancel it.
- Its text score is its own final state, read out for the target's token, cut off at zero; the
  scores are divided by their sum.
- Ranks are counted from the median of a window, and sigma is the window's standard deviation over
  its mean, so that a constant window keeps its value; the border is repeated outwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.replay import Replay

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

    def rows(
        self,
        replay: Replay,
        answer: Answer,
        targets: Sequence[Target],
        settings: tuple[tuple[str, str], ...],
        check: Check | None = None,
    ) -> Rows:
        """See `Method.rows`."""
        hf_model = replay.model.hf_model
        start, stop = answer.image_span
        ids = torch.from_numpy(answer.input_ids.copy()).to(replay.final.device)
        text = torch.arange(len(ids), device=ids.device)
        text = text[(text < start) | (text >= stop)]
        relevance = torch.zeros(len(targets), replay.sequence)
        with torch.no_grad():
            x = hf_model.model.language_model.norm(replay.final.float())
            w = hf_model.lm_head.weight[ids[text]].float()
            maps = (x[start:stop] @ w.T).clamp_min(0)
            scores = (x[text] @ w.T).clamp_min(0)
            for row, target in zip(relevance, targets, strict=True):
                if check is not None:
                    check()
                position = answer.tokens[target.token_indices[0]].position
                own = int((text == position).nonzero())
                earlier = (text < position) & (ids[text] != ids[position])
                residual = without_interference(
                    maps[:, own], maps[:, earlier], scores[earlier, own]
                )
                row[start:stop] = rank_gaussian(residual.view(answer.grid)).flatten().cpu()
        return Rows(relevance)


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
