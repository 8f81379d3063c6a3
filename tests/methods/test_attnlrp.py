"""What AttnLRP hands on, what it loses, and that its rules stay inside their context."""

import pytest
import torch

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.relevance_rules import relevance_rules
from medgemma_dash.models.replay_forward import build_replay
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import Shape, random_adapter
from tests.models.test_restoring import state
from tests.oracles.attnlrp import propagate
from tests.oracles.target import z_of
from tests.random_answers import SHAPES, case, soft_tokens

# 2^-52 relative rounding, some 1e4 operations in a row of sums over up to 1e3 terms, whose errors
# add as the root of their number.
FLOAT64 = 1e-10

every_shape = pytest.mark.parametrize("shape", SHAPES)


@every_shape
def test_relevance_is_conserved_layer_by_layer_but_for_what_the_softmax_keeps(shape):
    """The oracle's own proof: without it, both could share a wrong rule."""
    found = case(shape)
    for token in (0, -1):
        terms = found.terms(token)
        handed = propagate(found.model.hf_model, found.forward, terms)
        z = z_of(found.forward.logits, terms).detach()
        assert abs(handed.z - z) < FLOAT64
        for of_output, lost, of_input in handed.layers:
            assert abs(of_output - lost - of_input) < FLOAT64 * max(1, abs(of_output))
        every_loss = sum(lost for _, lost, _ in handed.layers)
        assert abs(handed.relevance.sum() + every_loss - z) < FLOAT64 * len(handed.layers)
        assert abs(every_loss) > 0.01 * abs(z)  # not conserved by itself


def test_the_method_hands_on_what_the_oracle_hands_on():
    """All positions but the predicting one, whose own relevance is removed."""
    found = case("six layers, heads 8 on 4")
    handed = propagate(found.model.hf_model, found.forward, found.terms(0))
    own = handed.relevance[found.answer.tokens[0].position - 1]
    row = explain(found.model, found.answer, token=0, method="attnlrp").row
    assert float(row.sum(dtype="float64")) == pytest.approx(
        float(handed.relevance.sum() - own), abs=1e-5
    )


def test_outputs_inside_the_rules_are_bit_identical():
    found = case("six layers, heads 8 on 4")
    ids = torch.tensor(found.answer.input_ids)
    features = soft_tokens(found.model, found.answer)
    with relevance_rules(found.model):
        inside = build_replay(found.model, ids, found.answer.image_spans, features)
    outside = replay_answer(found.model, found.answer)
    assert (inside.final == outside.final).all()
    assert (inside.logits(3) == outside.logits(3)).all()


def test_a_zero_activation_has_the_slope_of_its_limit():
    model = random_adapter(Shape(layers=1))
    activation = model.hf_model.model.language_model.layers[0].mlp.act_fn
    with relevance_rules(model):
        x = torch.tensor([0.0, 1e-6, -2.0], requires_grad=True)
        y = activation(x)
        (g,) = torch.autograd.grad(y.sum(), x)
    assert g.tolist() == pytest.approx([0.5, 0.5, y[2].item() / -2], rel=1e-5)


def test_a_forward_that_was_set_before_comes_back_and_others_go():
    model = random_adapter(Shape(layers=2))
    norm = model.hf_model.model.language_model.norm
    norm.forward = own = norm.forward
    before = state(model)

    def fail_inside() -> None:
        with relevance_rules(model):
            assert norm.forward is not own
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail_inside()
    assert norm.forward is own
    assert state(model) == before
