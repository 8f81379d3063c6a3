"""Several radiographs: each its own block that sees those in front of it, never those behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers.models.gemma3.modeling_gemma3 import (
    create_masks_for_vision_model,
    get_block_sequence_ids_for_mask,
)

from medgemma_dash.core.errors import PromptError
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.attention import attention_weights
from medgemma_dash.models.image_attention import image_attention_shares
from medgemma_dash.models.masked_forward import masked_logits
from medgemma_dash.models.prompting import MAX_IMAGES
from medgemma_dash.services.costs.measure import extra_peak_bytes
from medgemma_dash.services.explaining.answer_cache import AnswerCache, AnswerKey
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.random_answers import QUESTION, relative_difference

MODELS = {
    "six layers": Shape(seed=21),
    "window shorter than an image": Shape(
        layers=7, heads=(4, 1), head_dim=16, window=24, image_size=56, soft_tokens=64, seed=22
    ),
}
COUNTS = (1, 2, 3)


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return random_adapter(MODELS[request.param])


def films(count: int):
    return [radiograph(seed) for seed in range(count)]


def processed(model, radiographs, prompt):
    """The prompt as transformers' processor makes it."""
    images = [{"type": "image", "image": np.asarray(one.pixels)} for one in radiographs]
    return model.processor.apply_chat_template(
        [{"role": "user", "content": [*images, {"type": "text", "text": prompt}]}],
        add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip


def whole_forward(model, answer):
    """Ids, pixels and token types as the processor gives them; returns types and logits."""
    inputs = processed(model, [image.radiograph for image in answer.images], answer.prompt)
    said = torch.tensor([[token.id for token in answer.tokens]])
    assert torch.cat([inputs["input_ids"], said], 1)[0].tolist() == answer.input_ids.tolist()
    types = torch.cat([inputs["token_type_ids"], torch.zeros_like(said)], dim=1)
    with torch.no_grad():
        logits = model.hf_model(
            input_ids=torch.cat([inputs["input_ids"], said], 1),
            pixel_values=inputs["pixel_values"],
            token_type_ids=types,
            use_cache=False,
        ).logits[0]
    return types, logits


@pytest.mark.parametrize("count", COUNTS)
def test_masks_and_logits_are_transformers_own(model, count):
    answer = ask(model, films(count), QUESTION, force="Yes, in the right lower zone.")
    types, logits = whole_forward(model, answer)
    replay = replay_answer(model, answer)
    replayed = torch.stack([replay.logits(row) for row in range(replay.sequence)])
    assert relative_difference(replayed, logits) < 1e-5  # float32 on both sides
    masks = create_masks_for_vision_model(
        config=model.hf_model.config.text_config,
        inputs_embeds=replay.pieces[0].input.detach(),
        attention_mask=None, cache=None, position_ids=None,
        block_sequence_ids=get_block_sequence_ids_for_mask(types),
    )  # fmt: skip
    kinds = model.hf_model.config.text_config.layer_types
    places = torch.arange(replay.sequence)
    for kind, record in zip(kinds, replay.attention_records(), strict=True):
        assert (record.mask.allowed == masks[kind][0, 0]).all()
        assert not attention_weights(record, places)[:, ~record.mask.allowed].any()
        for image in answer.images:
            before_it = slice(0, image.span[0])
            behind_it = slice(image.span[1], None)
            rows = record.mask.allowed[slice(*image.span)]
            assert rows[:, slice(*image.span)].diagonal(1).all()  # looks ahead inside itself
            assert rows[:, before_it].any()
            assert not rows[:, behind_it].any()


@pytest.mark.parametrize("count", COUNTS)
def test_the_answer_is_that_of_transformers_generate(model, count):
    answer = ask(model, films(count), QUESTION, max_new_tokens=10)
    inputs = processed(model, films(count), QUESTION)
    with torch.no_grad():
        said = model.hf_model.generate(**inputs, max_new_tokens=10, do_sample=False)
    assert said[0].tolist() == answer.input_ids.tolist()
    assert answer.fidelity.exact
    assert answer.fidelity.max_logit_difference < 1e-4


def test_each_image_has_its_span_and_the_last_is_the_current_one(model):
    shown = films(3)
    answer = ask(model, shown, QUESTION, force="Yes")
    soft = model.layout.soft_tokens
    assert [image.radiograph for image in answer.images] == shown
    assert all(stop - start == soft for start, stop in answer.image_spans)
    is_soft = answer.input_ids == model.layout.image_token_id
    assert np.flatnonzero(is_soft).tolist() == [
        place for span in answer.image_spans for place in range(*span)
    ]
    assert answer.radiograph is shown[-1]
    assert answer.image_span == answer.image_spans[-1]
    assert {answer.piece_texts[start - 1] for start, _ in answer.image_spans} == {
        "<start_of_image>"
    }


def test_one_radiograph_in_a_list_is_one_radiograph(model):
    alone, listed = (ask(model, one, QUESTION, force="Yes") for one in (radiograph(), films(1)))
    assert alone.key == listed.key
    assert (alone.tokens, alone.fidelity, alone.margin) == (
        listed.tokens, listed.fidelity, listed.margin,
    )  # fmt: skip


def test_order_matters(model):
    first, second = films(2)
    one = ask(model, [first, second], QUESTION, force="Yes")
    other = ask(model, [second, first], QUESTION, force="Yes")
    assert one.key != other.key
    row = one.prompt_length - 1
    logits = [replay_answer(model, answer).logits(row) for answer in (one, other)]
    assert relative_difference(*logits) > 1e-3


def test_the_prior_does_not_see_the_current_one(model):
    """Its states are the same whatever stands behind it, and the current one's are not."""
    answers = [ask(model, [radiograph(0), radiograph(n)], QUESTION, force="Yes") for n in (1, 2)]
    replays = [replay_answer(model, answer).final for answer in answers]
    (_, stop), current = answers[0].image_spans
    assert relative_difference(*(final[:stop] for final in replays)) < 1e-5
    swapped = ask(model, [radiograph(2), radiograph(1)], QUESTION, force="Yes")
    found = replay_answer(model, swapped).final[slice(*current)]
    assert relative_difference(found, replays[0][slice(*current)]) > 1e-3


def test_shares_and_masked_runs_are_of_all_images(model):
    answer = ask(model, films(2), QUESTION, force="Yes")
    replay = replay_answer(model, answer)
    row = answer.prompt_length - 1
    both = image_attention_shares(replay, [row], answer.image_spans)
    each = [image_attention_shares(replay, [row], [span]) for span in answer.image_spans]
    torch.testing.assert_close(both, each[0] + each[1])
    other = ask(model, [radiograph(5), radiograph(1)], QUESTION, force="Yes")
    soft = model.layout.soft_tokens
    (start, stop), (start_2, stop_2) = answer.image_spans
    theirs = replay_answer(model, other).pieces[0].input[0].detach()
    substitute = torch.cat([theirs[start:stop], theirs[start_2:stop_2]])
    masks = torch.zeros(2, 2 * soft, dtype=torch.bool)
    masks[1, :soft] = True  # the prior taken out of the one, put into the other
    found = masked_logits(replay, answer.image_spans, masks, substitute, [(row, 7)])
    assert relative_difference(found[0], replay.logits(row)[7:8]) < 1e-5
    wanted = replay_answer(model, other).logits(row)[7:8]
    assert relative_difference(found[1], wanted) < 1e-5


def test_a_replay_is_rebuilt_and_the_same_film_is_encoded_once(monkeypatch):
    model = random_adapter(MODELS["six layers"])
    calls, original = [], model.hf_model.get_image_features

    def counted(*arguments, **named):
        calls.append(1)
        return original(*arguments, **named)

    monkeypatch.setattr(model.hf_model, "get_image_features", counted)
    answer = ask(model, [radiograph(0), radiograph(1), radiograph(0)], QUESTION, force="Yes")
    before = replay_answer(model, answer).final
    model.replays.clear()
    assert (replay_answer(model, answer).final == before).all()
    assert len(calls) == 2


@pytest.mark.parametrize("count", [0, MAX_IMAGES + 1])
def test_none_and_too_many_are_refused(model, count):
    with pytest.raises(PromptError, match=f"{count} radiographs.*1 to {MAX_IMAGES}"):
        ask(model, films(count), QUESTION)


def test_a_kept_answer_is_about_all_its_radiographs_in_order(model):
    shown, cache = films(2), AnswerCache()
    answer = ask(model, shown, QUESTION, force="Yes")
    shas = tuple(one.sha256 for one in shown)
    key = AnswerKey(shas, QUESTION, "Yes", 256, model.name, model.revision, "float32", "cpu")
    cache.put(key, answer)
    found = cache.get(key, shown)
    assert [image.radiograph for image in found.images] == shown
    assert (found.key, found.image_spans) == (answer.key, answer.image_spans)
    with pytest.raises(ValueError, match="another radiograph"):
        cache.get(key, shown[::-1])
    turned = replace(key, image_sha256=shas[::-1])
    assert cache.get(turned, shown[::-1]) is None


def test_two_images_with_the_real_tokenizer(real_miniature):
    answer = ask(real_miniature, films(2), "What has changed?", max_new_tokens=3)
    assert answer.image_spans == ((5, 261), (264, 520))  # the blank lines between are one token
    assert answer.fidelity.exact
    types, logits = whole_forward(real_miniature, answer)
    assert types[0].nonzero().flatten().tolist() == [*range(5, 261), *range(264, 520)]
    replay = replay_answer(real_miniature, answer)
    row = answer.prompt_length - 1
    assert relative_difference(replay.logits(row), logits[row]) < 1e-5


def test_logits_of_a_vocabulary_of_262208_are_never_kept_for_all_tokens(real_miniature):
    """The share of 20 tokens in what 300 may take, 400 MB; kept twice, logits are 42 MB."""
    tokens, answers = 20, []

    def step() -> None:
        answers.append(ask(real_miniature, radiograph(), "Describe it.", max_new_tokens=tokens))

    ask(real_miniature, radiograph(), "Describe it.", max_new_tokens=2)
    peak = extra_peak_bytes(step, real_miniature.device)
    assert len(answers[0].tokens) == tokens
    assert peak - replay_answer(real_miniature, answers[0]).bytes < 400e6 * tokens / 300


@pytest.mark.parametrize("given", ["cxr.png", ["a.png", "b.png"], None, b"bytes"])
def test_what_is_no_radiograph_is_refused_with_the_way_to_one(model, given):
    with pytest.raises(PromptError, match="load_radiograph"):
        ask(model, given, "Is there pneumonia?")
