"""Attention rollout as the product of full matrices.

Abnar, Zuidema, ACL 2020: the layer's matrix is 0.5 A + 0.5 I, rows summing to one, and the
rollout of layer l is that matrix times the rollout of the layer below.
"""

import numpy as np
import torch

from tests.oracles.target import before_prediction, terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows p-1 of the product, (targets, S), float64."""
    identity = torch.eye(len(case.forward.logits), dtype=torch.float64)
    product = identity
    for A in case.forward.attentions:
        layer = 0.5 * A.detach().mean(0) + 0.5 * identity
        product = (layer / layer.sum(-1, keepdim=True)) @ product
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        rows.append(before_prediction(product[terms[0].row], terms))
    return np.stack(rows)
