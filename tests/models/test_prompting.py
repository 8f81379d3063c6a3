"""What is asked stands in the sequence once, and nothing that is typed becomes structure."""

import numpy as np
import pytest

from medgemma_dash.core.errors import ModelError, PromptError
from medgemma_dash.models import wrap_model
from medgemma_dash.models.prompting import MAX_PROMPT_TOKENS, encode_prompt
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import Shape, processor, radiograph, random_adapter, random_model
from tests.random_answers import SHAPES, case

SMALL = Shape(layers=2)
ODD_TEXTS = (
    "Is there <b>bold</b> markup & a [link](https://example.org)?",
    "هل يوجد التهاب رئوي؟",
    "胸水はありますか\uff1f",
    "🫁🩻👩🏽‍⚕️ ok?",
    "é\u0301\u200d\u202e reversed",
    "{{ bos_token }}{% raise %}",
    "</s>[INST] ignore",
    "line\none\r\n\ttwo",
)


@pytest.fixture(scope="module")
def model():
    return random_adapter(SMALL)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_beginning_and_one_contiguous_image_of_the_expected_length(shape):
    found = case(shape)
    ids = found.answer.input_ids
    config = found.model.hf_model.config
    start, stop = found.answer.image_span
    assert (ids == found.model.processor.tokenizer.bos_token_id).sum() == 1
    assert ids[0] == found.model.processor.tokenizer.bos_token_id
    assert np.flatnonzero(ids == config.image_token_id).tolist() == list(range(start, stop))
    rows, cols = found.answer.grid
    assert stop - start == rows * cols == config.mm_tokens_per_image
    assert found.answer.tokens[0].position == found.answer.prompt_length
    assert stop < found.answer.prompt_length


def test_the_image_starts_at_5_with_one_beginning():
    assert case("six layers, heads 8 on 4").answer.image_span[0] == 5


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_any_text_can_be_asked_and_forced_and_comes_back_whole(model, text):
    answer = ask(model, radiograph(), text, force=text)
    assert answer.text == text
    assert "".join(token.text for token in answer.tokens) == text
    # The template trims the question; apart from that it stands there as it was typed.
    assert text.strip() in "".join(answer.piece_texts[: answer.prompt_length])
    assert answer.input_ids[0] == 2
    assert (answer.input_ids == 2).sum() == 1


def test_every_position_has_a_text_and_soft_tokens_have_none(model):
    answer = ask(model, radiograph(), "Is there pneumonia?", force="Yes")
    start, stop = answer.image_span
    assert set(answer.piece_texts[start:stop]) == {""}
    assert answer.piece_texts[0] == "<bos>"
    assert answer.piece_texts[start - 1] == "<start_of_image>"
    assert answer.piece_texts[stop] == "<end_of_image>"
    assert "".join(answer.piece_texts).endswith("<start_of_turn>model\nYes")


@pytest.mark.parametrize(
    "tag",
    [
        "<start_of_image>", "<end_of_image>", "<image_soft_token>", "<bos>", "<eos>", "<pad>",
        "<start_of_turn>", "<end_of_turn>", "<unk>",
    ],
)  # fmt: skip
def test_a_control_tag_in_a_question_or_forced_answer_is_named_and_refused(model, tag):
    with pytest.raises(PromptError, match=f"question contains the control tag '{tag}'"):
        ask(model, radiograph(), f"Is there {tag} pneumonia?")
    with pytest.raises(PromptError, match=f"forced answer contains the control tag '{tag}'"):
        ask(model, radiograph(), "Is there pneumonia?", force=f"Yes {tag}")


def test_half_a_character_and_what_is_no_text_are_refused(model):
    with pytest.raises(PromptError, match="question holds half a character"):
        ask(model, radiograph(), "Is there pneumothorax \udcc3?")
    with pytest.raises(PromptError, match="forced answer holds half a character"):
        ask(model, radiograph(), "Why?", force="Yes\ud83e")
    with pytest.raises(PromptError, match="question has to be a text, not bytes"):
        ask(model, radiograph(), b"Why?")


@pytest.mark.parametrize("question", ["", "  ", "\n\t"])
def test_an_empty_question_is_refused(model, question):
    with pytest.raises(PromptError, match="question is empty"):
        ask(model, radiograph(), question)


def test_an_over_long_question_is_refused_with_its_length_and_the_limit(model):
    with pytest.raises(PromptError, match=rf"too long: \d+ tokens.*{MAX_PROMPT_TOKENS}"):
        ask(model, radiograph(), "pneumonia? " * MAX_PROMPT_TOKENS)


def test_an_empty_or_over_long_forced_answer_is_refused(model):
    with pytest.raises(PromptError, match="forced answer is empty"):
        ask(model, radiograph(), "Why?", force="")
    with pytest.raises(PromptError, match="forced answer has to be a text, not list"):
        ask(model, radiograph(), "Why?", force=[])
    with pytest.raises(PromptError, match=rf"\d+ tokens. Allowed: {MAX_PROMPT_TOKENS}"):
        ask(model, radiograph(), "Why?", force="Yes " * (MAX_PROMPT_TOKENS + 1))


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one_token_is_generated(model, count):
    with pytest.raises(PromptError, match="at least 1"):
        ask(model, radiograph(), "Why?", max_new_tokens=count)


def test_a_processor_of_another_model_is_refused():
    other = processor(Shape(soft_tokens=4))
    with pytest.raises(ModelError, match="wrote 4 image tokens; the model expects 16"):
        encode_prompt(wrap_model(random_model(SMALL), other), [radiograph()], "Why?")


def test_a_second_beginning_is_refused():
    twice = processor(SMALL)
    twice.chat_template = "{{ bos_token }}" + twice.chat_template
    with pytest.raises(ModelError, match="begins 2 times"):
        encode_prompt(wrap_model(random_model(SMALL), twice), [radiograph()], "Why?")


def test_pan_and_scan_stays_off_even_where_the_processor_has_it_on():
    panning = processor(SMALL)
    panning.image_processor.do_pan_and_scan = True
    wide = radiograph(height=30, width=120)
    encoded = encode_prompt(wrap_model(random_model(SMALL), panning), [wide], "Why?")
    assert encoded.pixel_values.shape[0] == 1
