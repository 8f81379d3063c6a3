"""Each token's share of the text: joined they are the text, whatever the tokens are."""

import random

import pytest
import torch

from medgemma_dash.models import generation
from medgemma_dash.models.text_pieces import PieceStream, text_pieces
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import Shape, radiograph, random_adapter, tokenizer


def decoded(ids) -> str:
    return tokenizer().decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


@pytest.mark.parametrize(
    "text", ["Yes", "🫁", "a👩🏽‍⚕️b", "naïve é", "右下", " \n\n Yes .", "\ufffd!"]
)
def test_a_character_over_several_tokens_belongs_to_its_last(text):
    ids = tokenizer()(text, add_special_tokens=False)["input_ids"]
    pieces = text_pieces(tokenizer(), ids)
    assert "".join(pieces) == text
    assert len(pieces) == len(ids)
    if text == "🫁":
        assert len(ids) == 4
        assert pieces == ["", "", "", "🫁"]


def test_pieces_of_arbitrary_tokens_join_to_their_decoded_text():
    """Random bytes: characters begun and never ended, control tokens in between."""
    chance = random.Random(0)
    for _ in range(300):
        ids = [chance.randrange(len(tokenizer())) for _ in range(chance.randrange(12))]
        assert "".join(text_pieces(tokenizer(), ids)) == decoded(ids)


def test_the_stream_says_what_the_whole_says():
    ids = tokenizer()("Yes 🫁 no", add_special_tokens=False)["input_ids"]
    stream = PieceStream(tokenizer())
    assert [stream.push(i) for i in ids] == text_pieces(tokenizer(), ids)
    assert stream.rest() == ""


def test_a_generated_answers_tokens_join_to_its_text_and_are_streamed():
    model = random_adapter(Shape(layers=2, seed=11))
    said = []
    answer = ask(model, radiograph(), "Why?", max_new_tokens=20, on_token=said.append)
    ids = answer.input_ids[answer.prompt_length :].tolist()
    assert answer.text == decoded(ids)
    assert [token.id for token in answer.tokens] == ids
    assert [piece.index for piece in said] == list(range(len(answer.tokens)))
    assert answer.text.startswith("".join(piece.text for piece in said))
    for token, piece in zip(answer.tokens, said, strict=True):
        assert token.probability == pytest.approx(piece.probability, abs=1e-5)
        assert all(rival.id != token.id for rival in token.runners_up)
        assert all(rival.probability <= token.probability for rival in token.runners_up)
        assert len(token.runners_up) == 5


@pytest.mark.parametrize("tag", ["<end_of_turn>", "<start_of_turn>", "<eos>", "<end_of_image>"])
def test_control_tokens_are_special_and_have_no_text(tag, monkeypatch):
    model = random_adapter(Shape(layers=2))
    wanted = model.processor.tokenizer.convert_tokens_to_ids(tag)
    monkeypatch.setattr(generation, "encode_continuation", lambda *_: torch.tensor([wanted, 300]))
    answer = ask(model, radiograph(), "Why?", force="as if the model had said the tag")
    tokens = answer.tokens
    assert tokens[0].special
    assert tokens[0].text == ""
    assert not tokens[1].special
    assert tokens[1].position == answer.prompt_length + 1


def test_generation_ends_at_the_end_of_the_turn_or_at_the_length():
    model = random_adapter(Shape(layers=2))
    cut = ask(model, radiograph(), "Why?", max_new_tokens=3)
    assert cut.stopped == "length"
    assert len(cut.tokens) == 3
    model.hf_model.generation_config.eos_token_id = cut.tokens[1].id
    ended = ask(model, radiograph(), "Why?", max_new_tokens=3)
    first = [token.id for token in cut.tokens].index(cut.tokens[1].id)
    assert ended.stopped == "end of turn"
    assert len(ended.tokens) == first + 1
    assert ended.tokens[-1].special
