"""Every step to a token's map: the map is the engine's, and each mistake is really made."""

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import CancelledError
from medgemma_dash.core.progress import finish
from medgemma_dash.core.target import Target
from medgemma_dash.metrics.agreement import agreement
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.explain import explain, explain_target
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.layers.view import layer_view
from medgemma_dash.services.pipeline.run import pipeline_steps, pipeline_view
from tests.oracles import mistakes as oracles
from tests.random_answers import case, relative_difference
from tests.services.makers import NobodyWaits

SIX = "six layers, heads 8 on 4"
TOLERANCE = 1e-5  # float32 against float64
NAMES = ("doubled_bos", "causal_images", "last_position", "row_p")
TOKEN = 2


def word(*indices: int) -> Target:
    return Target("token" if len(indices) == 1 else "span", indices, "")


@pytest.fixture(scope="module")
def found():
    return case(SIX)


@pytest.fixture(scope="module")
def view(found):
    return pipeline_view(found.model, found.answer, word(TOKEN))


def test_the_last_steps_map_is_the_engines_to_the_bit(found, view):
    wanted = explain(found.model, found.answer, token=TOKEN)
    assert np.array_equal(view.image_map, wanted.image)
    assert np.array_equal(view.row, wanted.row)
    assert view.word is None


def test_of_a_word_of_several_tokens_the_map_is_the_engines_and_each_token_has_its_own(found):
    target = choose_target(found.model, found.answer, span=(1, 4))
    wanted = explain_target(found.model, found.answer, target)
    parts = [pipeline_view(found.model, found.answer, target, place) for place in range(3)]
    assert [one.token for one in parts] == [1, 2, 3]
    for one in parts:
        assert np.array_equal(one.word.row, wanted.row)
    assert relative_difference(np.mean([one.image_map for one in parts], 0), wanted.image) < 1e-6


@pytest.mark.parametrize("shape", [SIX, "image pushed back by a text in front"])
@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_is_what_full_matrices_make_of_it(shape, name):
    found = case(shape)
    made = pipeline_view(found.model, found.answer, word(TOKEN)).mistake(name)
    wanted = getattr(oracles, name)(found, TOKEN)
    assert relative_difference(made.image_map, wanted) < TOLERANCE
    right = explain(found.model, found.answer, token=TOKEN).image
    assert relative_difference(made.image_map, right) > 0.01
    assert made.divergence.value == agreement(right, made.image_map).divergence
    assert made.overlap.value == agreement(right, made.image_map).top_overlap


def test_row_p_of_the_right_matrix_is_empty(found):
    assert not oracles.row_p_of_the_right_matrix(found, TOKEN).any()


def test_what_a_wrong_replay_would_say_is_told_token_by_token(found, view):
    right = found.forward.logits.detach()
    ids = found.answer.input_ids
    wrong = {
        "causal_images": oracles.decode(found.model.hf_model, ids, found.features, causal=True),
        "doubled_bos": oracles.decode(
            found.model.hf_model, np.concatenate([ids[:1], ids]), found.features
        ),
    }
    for name, other in wrong.items():
        logits = other.logits.detach()
        moved = len(logits) - len(right)
        said = view.mistake(name).replayed
        for token in found.answer.tokens:
            row = token.position - 1
            p = logits[row + moved].softmax(-1)[token.id]
            assert said.probabilities[token.index] == pytest.approx(float(p), rel=1e-4)
            difference = (logits[row + moved] - right[row]).abs().max()
            assert said.differences[token.index] == pytest.approx(float(difference), rel=1e-4)
            same = int(logits[row + moved].argmax()) == int(right[row].argmax())
            assert (token.index not in said.mismatches) == same
    assert view.mistake("row_p").replayed is None


def test_with_the_span_found_anew_a_doubled_bos_is_nearer_than_with_the_old_one(found, view):
    ids = found.answer.input_ids
    forward = oracles.decode(found.model.hf_model, np.concatenate([ids[:1], ids]), found.features)
    token = found.answer.tokens[TOKEN]
    row = oracles.chefer(forward, [oracles.LogitTerm(token.position, (token.id,), 1.0)])
    start, stop = found.answer.image_span
    anew = row[start + 1 : stop + 1].reshape(found.answer.grid).numpy()
    made = view.mistake("doubled_bos")
    assert made.found_anew == pytest.approx(agreement(view.image_map, anew).divergence, rel=1e-3)
    assert made.found_anew < made.divergence.value
    assert made.read_row == token.position


def test_the_steps_before_are_the_layers_page_and_the_targets_own_numbers(found, view):
    alone = layer_view(found.model, found.answer, word(TOKEN))
    for name in ("attention", "weighted", "gathered"):
        assert np.array_equal(getattr(view.layers, name), getattr(alone, name))
    token = found.answer.tokens[TOKEN]
    assert view.position == token.position
    logits = found.forward.logits[token.position - 1].detach()
    assert view.logit == pytest.approx(float(logits[token.id]), rel=1e-5)
    assert view.candidates[0].id == token.id
    for one in view.candidates:
        assert one.logit == pytest.approx(float(logits[one.id]), rel=1e-4)
    summed = sum(view.added_map(layer) for layer in range(len(view.layers.is_global)))
    assert relative_difference(summed, view.image_map) < 1e-5
    assert view.image_share == pytest.approx(view.image_map.sum() / view.row.sum(), rel=1e-5)


@pytest.mark.parametrize("keeps_graph", [True, False])
def test_the_gradient_is_that_of_attention_and_weighs_it(keeps_graph):
    found = case(SIX, keeps_graph=keeps_graph)
    view = pipeline_view(found.model, found.answer, word(TOKEN))
    row = view.position - 1
    z = found.forward.logits[row, found.answer.tokens[TOKEN].id]
    gradients = torch.autograd.grad(z, found.forward.attentions, retain_graph=True)
    for layer, wanted in enumerate(gradients):
        seen = found.forward.visible[layer][row]
        assert relative_difference(view.gradient[layer], wanted[:, row] * seen) < TOLERANCE
    product = (view.gradient * view.layers.attention).clip(0)
    assert relative_difference(product, view.layers.weighted) < 1e-5


def test_a_contrast_is_one_number_less_another_at_every_step(found):
    target = choose_target(found.model, found.answer, token=TOKEN, against="No")
    view = pipeline_view(found.model, found.answer, target)
    assert np.array_equal(view.image_map, explain_target(found.model, found.answer, target).image)
    logits = found.forward.logits[view.position - 1].detach()
    z = logits[found.answer.tokens[TOKEN].id] - logits[target.against.id]
    assert view.logit == pytest.approx(float(z), rel=1e-4)


def test_several_images_are_moved_and_read_together():
    found = case(SIX, images=2)
    view = pipeline_view(found.model, found.answer, word(TOKEN))
    assert np.array_equal(
        view.image_map, explain(found.model, found.answer, token=TOKEN).images[-1]
    )
    for name in NAMES:
        wanted = getattr(oracles, name)(found, TOKEN)
        assert relative_difference(view.mistake(name).image_map, wanted) < TOLERANCE


def test_mistakes_leave_model_and_answer_as_they_were_also_when_stopped_in_one(found):
    before = explain(found.model, found.answer, token=TOKEN)
    kept = replay_answer(found.model, found.answer)
    state = found.model.hf_model.config.text_config._attn_implementation

    class Stopped(NobodyWaits):
        """Ends the work in the middle of the first mistake."""

        left = 10_000

        def progress(self, done: int, total: int) -> None:
            if done == 1:
                self.left = 3

        def check(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise CancelledError("Stopped.")

    steps = pipeline_steps(
        lambda: found.model, RelevanceStore(found.answer), word(TOKEN), 0, Stopped()
    )
    with pytest.raises(CancelledError):
        finish(steps)
    pipeline_view(found.model, found.answer, word(TOKEN))
    assert found.model.hf_model.config.text_config._attn_implementation == state
    assert replay_answer(found.model, found.answer) is kept
    assert not any(p.requires_grad or p.grad is not None for p in found.model.hf_model.parameters())
    assert np.array_equal(explain(found.model, found.answer, token=TOKEN).row, before.row)


def test_the_doubled_bos_is_what_tokenising_the_templates_text_again_gives(found):
    """The mistake as people make it: the processor's text, and not its tokens."""
    conversation = [{"role": "user", "content": [{"type": "text", "text": found.answer.prompt}]}]
    processor = found.model.processor
    text = processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
    right = processor.apply_chat_template(
        conversation, add_generation_prompt=True, tokenize=True, return_dict=True
    )["input_ids"][0]
    assert processor.tokenizer(text)["input_ids"] == [processor.tokenizer.bos_token_id, *right]
