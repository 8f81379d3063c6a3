"""LeGrad as it is defined: autograd's gradient by every layer's full attention matrices.

Bousselham et al., ICCV 2025, arXiv:2404.03214: the gradient of the layer's own score by its
attention, negative parts cut off, averaged over heads, summed over layers.
"""

import numpy as np
import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import rms_norm
from tests.oracles.target import before_prediction, rows_of, terms_of, z_of


def oracle(case, targets, options) -> np.ndarray:
    """Row p-1 of the sum over layers of mean_h (ds/dA)^+ where A may look, (targets, S), float64.

    Of a sum of logits at several places the mean of their rows, those places left out.
    """
    forward, rows = case.forward, []
    for target in targets:
        terms = terms_of(case.answer, target)
        found = torch.zeros(len(forward.logits), dtype=torch.float64)
        for x, A, visible in zip(forward.outputs, forward.attentions, forward.visible, strict=True):
            own = options.form == "layer readouts"
            logits = readout(case.model.hf_model, x) if own else forward.logits
            (gradient,) = torch.autograd.grad(z_of(logits, terms), A, retain_graph=True)
            found += (gradient * visible).clamp_min(0).mean(0)[rows_of(terms)].mean(0)
        rows.append(before_prediction(found, terms))
    return np.stack(rows)


def readout(hf_model, x: Tensor) -> Tensor:
    """Logits (S, V) of a layer's output, as if it were the last layer's."""
    weights = hf_model.model.language_model.state_dict()
    normed = rms_norm(x, weights["norm.weight"].double(), hf_model.config.text_config.rms_norm_eps)
    return normed @ weights["embed_tokens.weight"].double().T
