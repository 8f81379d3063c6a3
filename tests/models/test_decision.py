"""The margin: every spelling of yes against every spelling of no, where the answer begins."""

import math
from types import SimpleNamespace

import pytest
import torch

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.decision import margin, spellings
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import Shape, radiograph, random_adapter, tokenizer

FORMS = {"Yes": "Yes yes YES", "No": "No no NO"}


def by_hand(tokenizer, logits) -> float:
    """Sums in float64 over the vocabulary's own entries; a leading space is Ġ or ▁ in them."""
    vocabulary = tokenizer.get_vocab()
    found = []
    for forms in FORMS.values():
        entries = [mark + form for form in forms.split() for mark in ("", "Ġ", "▁")]
        terms = [math.exp(logits[vocabulary[entry]]) for entry in entries if entry in vocabulary]
        found.append(math.log(sum(terms)))
    return found[0] - found[1]


@pytest.mark.parametrize("text", [{}, {"force": "No."}, {"force": "Perhaps."}])
def test_the_margin_is_that_of_the_first_position_whatever_was_said(demo_model, text):
    answer = ask(demo_model, radiograph(), "Is there a nodule?", max_new_tokens=2, **text)
    logits = replay_answer(demo_model, answer).logits(answer.prompt_length - 1).double()
    wanted = by_hand(demo_model.processor.tokenizer, logits.tolist())
    assert answer.margin == pytest.approx(wanted, rel=1e-12)
    other = ask(demo_model, radiograph(), "Is there a nodule?", force="X")
    # A sequence of another length is rounded otherwise in float32.
    assert answer.margin == pytest.approx(other.margin, abs=1e-4)


def test_its_sign_is_the_decision(demo_model):
    answers = [
        ask(demo_model, radiograph(), question, max_new_tokens=3)
        for question in ("Is there a nodule?", "Is there evidence of consolidation?")
    ]
    for answer in answers:
        assert answer.text.startswith("Yes" if answer.margin > 0 else "No")


def test_the_real_tokenizer_has_six_spellings_of_each(real_miniature):
    real = real_miniature.processor.tokenizer
    for word, forms in FORMS.items():
        ids = spellings(real, word)
        texts = {real.convert_ids_to_tokens(one) for one in ids}
        assert texts == {mark + form for form in forms.split() for mark in ("", "▁")}
        assert ids == spellings(real, word.lower()) == spellings(real, f" {word.upper()} ")
    logits = torch.randn(262_208, generator=torch.Generator().manual_seed(0))
    wanted = by_hand(real, logits.double().tolist())
    assert margin(real, logits) == pytest.approx(wanted, rel=1e-12)


def test_without_a_one_token_spelling_there_is_no_margin():
    logits = torch.zeros(len(tokenizer()))
    assert spellings(tokenizer(), "pneumothorax") == ()
    assert margin(tokenizer(), logits, ("Yes", "pneumothorax")) is None
    model = random_adapter(Shape(layers=1))
    answer = ask(model, radiograph(), "Why?", force="Yes")
    assert (answer.margin is None) == (not spellings(tokenizer(), "No"))


def test_a_token_that_stands_for_all_unknown_words_is_no_spelling():
    class Words(SimpleNamespace):
        def __call__(self, text, **_):
            return {"input_ids": [{"yes": 5}.get(text, self.unk_token_id)]}

    assert spellings(Words(unk_token_id=3), "yes") == (5,)
