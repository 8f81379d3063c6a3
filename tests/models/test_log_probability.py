"""A target may be a log-probability in place of a logit."""

import pytest
import torch

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.logit_target import LogitTarget
from tests.oracles.target import z_of
from tests.random_answers import SHAPES, case, relative_difference


@pytest.mark.parametrize("shape", SHAPES)
def test_its_gradient_equals_that_of_log_softmax_in_float64_beside_plain_logits(shape):
    found = case(shape)
    phrase = tuple(found.terms(1, 2, 3))
    targets = [LogitTarget(phrase), LogitTarget(phrase, log_probability=True)]
    gradients = replay_answer(found.model, found.answer).backward(targets, lambda _layer: None)
    for values, gradient in zip(
        (found.forward.logits, found.forward.logits.log_softmax(-1)), gradients, strict=True
    ):
        y = z_of(values, phrase)
        (wanted,) = torch.autograd.grad(y, found.forward.embeddings, retain_graph=True)
        assert relative_difference(gradient, wanted) < 1e-5
    assert relative_difference(*gradients) > 0.01


def test_a_difference_of_log_probabilities_is_a_difference_of_logits():
    found = case("six layers, heads 8 on 4")
    terms = tuple(found.terms(2, against=found.answer.tokens[2].runners_up[0].id))
    replay = replay_answer(found.model, found.answer)
    plain, log = replay.backward(
        [LogitTarget(terms), LogitTarget(terms, log_probability=True)], lambda _layer: None
    )
    assert relative_difference(log, plain) < 1e-5
