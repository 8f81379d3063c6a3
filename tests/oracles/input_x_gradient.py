"""Input times gradient by autograd through the hand-written decoder, in float64."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tests.oracles.target import before_prediction, terms_of, z_of


def oracle(case, targets, options) -> np.ndarray:
    """sum_d h_id dz/dh_id, (targets, S), float64."""
    return np.stack(
        [
            before_prediction(_products(case, target).sum(-1), terms_of(case.answer, target))
            for target in targets
        ]
    )


def scale(case, targets, options) -> Sequence[float]:
    """The largest sum of |h_id dz/dh_id|, before signs cancel.

    In a one-layer model they cancel altogether, since the norm in front of the attention takes the
    input's length away: what is left has the size of the norm's epsilon.
    """
    return [float(_products(case, target).abs().sum(-1).max()) for target in targets]


def _products(case, target) -> Tensor:
    z = z_of(case.forward.logits, terms_of(case.answer, target))
    (g,) = torch.autograd.grad(z, case.forward.embeddings, retain_graph=True)
    return case.forward.embeddings.detach() * g
