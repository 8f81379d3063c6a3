"""LeGrad as it is defined: autograd's gradient by every layer's full attention matrices.

Bousselham et al., ICCV 2025, arXiv:2404.03214: the gradient of the layer's own score by its
attention, negative parts cut off, averaged over heads, summed over layers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward, rms_norm

Terms = Sequence[tuple[int, int, float]]  # (predicting position, token id, weight)


def legrad(forward: FullForward, hf_model, terms: Terms, form: str = "layer readouts") -> Tensor:
    """Row p-1, (S,), of the sum over layers of mean_h (ds/dA)^+ where A may look.

    Of a sum of logits at several places the mean of their rows, those places left out.
    """
    predicting = sorted({row for row, _, _ in terms})
    found = torch.zeros(len(forward.logits), dtype=torch.float64)
    for x, A, visible in zip(forward.outputs, forward.attentions, forward.visible, strict=True):
        logits = readout(hf_model, x) if form == "layer readouts" else forward.logits
        s = sum(weight * logits[row, token] for row, token, weight in terms)
        (gradient,) = torch.autograd.grad(s, A, retain_graph=True)
        found += (gradient * visible).clamp_min(0).mean(0)[predicting].mean(0)
    found[predicting] = 0
    return found


def readout(hf_model, x: Tensor) -> Tensor:
    """Logits (S, V) of a layer's output, as if it were the last layer's."""
    weights = hf_model.model.language_model.state_dict()
    normed = rms_norm(x, weights["norm.weight"].double(), hf_model.config.text_config.rms_norm_eps)
    return normed @ weights["embed_tokens.weight"].double().T
