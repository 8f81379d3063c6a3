"""One replay: the same function as transformers' forward, and as the definition."""

import pytest
import torch

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import Shape, encodings_of, radiograph, random_adapter
from tests.oracles.target import z_of
from tests.random_answers import (
    QUESTION,
    SHAPES,
    case,
    processed,
    relative_difference,
    transformers_forward,
)

every_shape = pytest.mark.parametrize("shape", SHAPES)


@every_shape
def test_the_hand_written_decoder_equals_transformers(shape):
    found = case(shape)
    _, output = transformers_forward(found.model, found.answer, "eager")
    assert (output.logits[0] - found.forward.logits).abs().max() < 1e-4
    for theirs, ours, visible in zip(
        output.attentions, found.forward.attentions, found.forward.visible, strict=True
    ):
        assert (theirs[0] - ours).abs().max() < 1e-4
        assert not theirs[0][:, ~visible].any()


@every_shape
def test_replayed_logits_equal_transformers_whole_model(shape):
    """From pixels and ids as the processor gives them, not from embeddings."""
    found = case(shape)
    inputs = processed(found.model, found.answer)
    answer_length = len(found.answer.tokens)
    answer_ids = torch.tensor(found.answer.input_ids[-answer_length:])[None]
    prompt = inputs["input_ids"]
    assert prompt[0].tolist() == found.answer.input_ids[:-answer_length].tolist()
    with torch.no_grad():
        logits = found.model.hf_model(
            input_ids=torch.cat([prompt, answer_ids], 1),
            pixel_values=inputs["pixel_values"],
            token_type_ids=torch.cat(
                [inputs["token_type_ids"], torch.zeros_like(answer_ids)], dim=1
            ),
            use_cache=False,
        ).logits[0]
    replay = replay_answer(found.model, found.answer)
    replayed = torch.stack([replay.logits(row) for row in range(replay.sequence)])
    assert relative_difference(replayed, logits) < 1e-5
    assert relative_difference(replayed, found.forward.logits.detach()) < 1e-4


@every_shape
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_gradient_by_input_embeddings_equals_plain_autograd(shape, attention):
    found = case(shape)
    rival = found.answer.tokens[4].runners_up[0].id
    terms = tuple(found.terms(1) + found.terms(4, against=rival))
    replay = replay_answer(found.model, found.answer)
    gradient = replay.backward([LogitTarget(terms)], lambda _layer: None)
    embeddings, output = transformers_forward(found.model, found.answer, attention)
    z = z_of(output.logits[0], terms)
    (wanted,) = torch.autograd.grad(z, embeddings)
    assert gradient.shape == (1, *wanted.shape[1:])
    assert relative_difference(gradient, wanted) < 2e-5  # float32 on both sides
    z = z_of(found.forward.logits, terms)
    (exact,) = torch.autograd.grad(z, found.forward.embeddings, retain_graph=True)
    assert relative_difference(gradient[0], exact) < 1e-5


class LastBlocks:
    """Keeps the newest block's sum of dA * A."""

    def visit(self, target, rows, keys, A, dA_A, dA):
        self.found = (rows, keys, float(dA_A.sum()))


@pytest.mark.parametrize("lowest", [0, 2, 5])
@pytest.mark.parametrize("kept", [True, False])
def test_visitors_see_the_same_whether_or_not_the_walk_goes_on_to_the_input(lowest, kept):
    model = random_adapter(SHAPES["six layers, heads 8 on 4"])
    if not kept:
        model.replays.budget_bytes = 0
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    replay = replay_answer(model, answer)
    token = answer.tokens[1]
    target = LogitTarget.of_token(token.position - 1, token.id)
    shown, whole = {}, {}
    replay.show_attention(
        [target], lambda layer: shown.setdefault(layer, LastBlocks()), None, lowest
    )
    replay.backward([target], lambda layer: whole.setdefault(layer, LastBlocks()))
    assert list(shown) == list(range(5, lowest - 1, -1))  # no layer below is asked for
    for layer, blocks in shown.items():
        assert blocks.found == whole[layer].found


def test_nothing_accumulates_on_parameters_and_a_second_click_is_the_first():
    found = case("six layers, heads 8 on 4")
    first = explain(found.model, found.answer, token=1)
    explain(found.model, found.answer, token=2)
    again = explain(found.model, found.answer, token=1)
    assert (first.row == again.row).all()
    for parameter in found.model.hf_model.parameters():
        assert parameter.grad is None
        assert not parameter.requires_grad


def test_the_image_is_encoded_once_per_radiograph(monkeypatch):
    model = random_adapter(Shape(layers=2))
    calls = encodings_of(model, monkeypatch)
    answer = ask(model, radiograph(), QUESTION, max_new_tokens=2)
    ask(model, radiograph(), "Where is it?", max_new_tokens=2)
    explain(model, answer, token=0)
    model.replays.clear()
    explain(model, answer, token=0)
    assert len(calls) == 1
    ask(model, radiograph(seed=1), QUESTION, max_new_tokens=2)
    assert len(calls) == 2


def test_another_radiograph_gives_another_map():
    model = random_adapter(Shape())
    maps = [
        explain(model, ask(model, radiograph(seed), QUESTION, force="Yes"), token=0).image
        for seed in (0, 1)
    ]
    assert relative_difference(*maps) > 0.01


def test_a_wrapped_eager_model_is_explained_alike():
    """The replay brings its own attention; what the caller's model uses does not matter."""
    shape = SHAPES["six layers, heads 8 on 4"]
    model = random_adapter(shape, attention="eager")
    answer = ask(model, radiograph(), QUESTION, force="Yes, in the right lower zone.")
    assert model.hf_model.config.text_config._attn_implementation == "eager"
    wanted = explain(case("six layers, heads 8 on 4").model, answer, token=1).row
    assert relative_difference(explain(model, answer, token=1).row, wanted) < 1e-5
