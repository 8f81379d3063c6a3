"""The layer walk against full matrices: every head's row, and relevance layer by layer."""

import pytest
import torch

from medgemma_dash.methods.layer_walk import walk_layers
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.services.explaining.explain import explain
from tests.random_answers import SHAPES, case, relative_difference

TOLERANCE = 1e-5  # float32 against float64


@pytest.mark.parametrize("shape", SHAPES)
def test_every_head_and_layer_equals_the_full_matrices(shape):
    found = case(shape)
    token = found.answer.tokens[2]
    row = token.position - 1
    logit = LogitTarget.of_token(row, token.id)
    walk = walk_layers(replay_answer(found.model, found.answer), logit)
    forward = found.forward
    z = forward.logits[row, token.id]
    gradients = torch.autograd.grad(z, forward.attentions, retain_graph=True)
    r = torch.zeros(len(forward.logits), dtype=torch.float64)
    r[row] = 1
    for layer in reversed(range(len(gradients))):
        A = forward.attentions[layer].detach()
        positive = (gradients[layer] * A).clamp_min(0)
        assert relative_difference(walk.attention[layer].numpy(), A[:, row]) < TOLERANCE
        assert relative_difference(walk.weighted[layer].numpy(), positive[:, row]) < TOLERANCE
        r = r + r @ positive.mean(0)
        others = r.clone()
        others[row] = 0
        assert relative_difference(walk.gathered[layer].numpy(), others) < TOLERANCE


def test_the_first_layers_row_is_the_chefer_row():
    found = case("six layers, heads 8 on 4")
    token = found.answer.tokens[1]
    replay = replay_answer(found.model, found.answer)
    walk = walk_layers(replay, LogitTarget.of_token(token.position - 1, token.id))
    row = explain(found.model, found.answer, token=1).row
    assert relative_difference(walk.gathered[0].numpy(), row) < TOLERANCE
