"""The common mistakes on the way to a Chefer map, from full matrices in float64.

Each is the map (rows, cols) of the current image that comes of it for one token of the answer.
"""

import numpy as np
import torch

from medgemma_dash.models.logit_target import LogitTerm
from tests.oracles.chefer_matrices import chefer, layer_matrices
from tests.oracles.gemma3_float64 import decode


def _map(case, row) -> np.ndarray:
    image = case.answer.images[-1]
    return row[image.span[0] : image.span[1]].reshape(image.grid).numpy()


def doubled_bos(case, index: int) -> np.ndarray:
    """Everything behind the first BOS one place late, but the place where the image is read."""
    ids = case.answer.input_ids
    forward = decode(case.model.hf_model, np.concatenate([ids[:1], ids]), case.features)
    token = case.answer.tokens[index]
    return _map(case, chefer(forward, [LogitTerm(token.position, (token.id,), 1.0)]))


def causal_images(case, index: int) -> np.ndarray:
    """A soft token sees what stands before it, and nothing behind."""
    forward = decode(case.model.hf_model, case.answer.input_ids, case.features, causal=True)
    return _map(case, chefer(forward, case.terms(index)))


def last_position(case, index: int) -> np.ndarray:
    """Whatever is most probable behind the answer's last token."""
    last = len(case.answer.input_ids) - 1
    best = int(case.forward.logits[last].argmax())
    return _map(case, chefer(case.forward, [LogitTerm(last, (best,), 1.0)]))


def row_p(case, index: int) -> np.ndarray:
    """The token's logit and row where the token stands, not where it was chosen."""
    token = case.answer.tokens[index]
    return _map(case, chefer(case.forward, [LogitTerm(token.position, (token.id,), 1.0)]))


def row_p_of_the_right_matrix(case, index: int) -> np.ndarray:
    """Row p, itself left out, of the R whose gradients are those of the right logit."""
    R = torch.eye(len(case.forward.logits), dtype=torch.float64)
    for A_bar in layer_matrices(case.forward, case.terms(index), "mean"):
        R = R + A_bar @ R
    row = R[case.answer.tokens[index].position].clone()
    row[case.answer.tokens[index].position] = 0
    return row.numpy()
