"""What the user chose becomes the tokens that are explained, or an error that says why not."""

import json

import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import PromptError, TargetError
from medgemma_dash.core.target import Against
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.explaining.targets import (
    against_token,
    choose_target,
    locate_phrase,
    target_for,
)
from medgemma_dash.services.exporting import explanation_json
from tests.gemma3_factory import Shape, radiograph, random_adapter

TEXT = "Yes, pneumonia. Pneumonia in the right zone; PNEUMONIA!"


@pytest.fixture(scope="module")
def model():
    return random_adapter(Shape(layers=2))


@pytest.fixture(scope="module")
def answer(model) -> Answer:
    return ask(model, radiograph(), "Is there an effusion in the left zone?", force=TEXT)


def words(answer: Answer, span: tuple[int, int]) -> str:
    return "".join(token.text for token in answer.tokens[slice(*span)])


def test_every_occurrence_is_found_whatever_its_case_across_subwords(answer):
    spans = locate_phrase(answer, "pneumonia")
    assert len(spans) == 3
    assert all("pneumonia" in words(answer, span).lower() for span in spans)
    assert any(stop - start > 1 for start, stop in spans)  # more than one token
    assert locate_phrase(answer, "  PNEUMONIA ") == spans


@pytest.mark.parametrize("phrase", ["right zone", "n the ri", "Yes, pneumonia", TEXT, "s", ";"])
def test_a_span_is_the_fewest_tokens_that_hold_the_phrase(answer, phrase):
    for start, stop in locate_phrase(answer, phrase):
        assert phrase in words(answer, (start, stop))
        assert phrase not in words(answer, (start + 1, stop))
        assert phrase not in words(answer, (start, stop - 1))


def test_the_question_is_not_searched(answer):
    for phrase in ("effusion", "left"):
        with pytest.raises(TargetError, match=f"'{phrase}' is not in the answer"):
            locate_phrase(answer, phrase)


@pytest.mark.parametrize("phrase", ["", "  ", "\n"])
def test_an_empty_phrase_is_refused(answer, phrase):
    with pytest.raises(TargetError, match="phrase is empty"):
        locate_phrase(answer, phrase)


@pytest.mark.parametrize(
    ("text", "phrase", "part"),
    [
        ("a 🫁 b", "🫁", "🫁"),
        ("a 👩🏽‍⚕️ b", "👩🏽‍⚕️ b", "👩🏽‍⚕️ b"),
        ("İİ consolidation", "consolidation", "consolidation"),  # lower() makes it longer
        ("Zone İ", "i", "İ"),
        ("naïve", "NAÏVE", "naïve"),
        ("نعم في الرئة", "الرئة", "الرئة"),
    ],
)
def test_offsets_hold_for_text_that_is_not_ascii(model, text, phrase, part):
    answer = ask(model, radiograph(), "Why?", force=text)
    span = locate_phrase(answer, phrase)[0]
    assert part in words(answer, span)
    # A character's text belongs to its last token; those that only begin it are empty.
    assert part not in words(answer, (span[0] + 1, span[1]))


def test_overlapping_occurrences_are_all_listed(model):
    answer = ask(model, radiograph(), "Why?", force="no no no")
    assert len(locate_phrase(answer, "no no")) == 2


def test_nothing_chosen_means_the_whole_answer_without_its_closing_token(model, answer):
    assert target_for(answer).token_indices == tuple(range(len(answer.tokens)))
    assert target_for(answer).kind == "answer"
    assert target_for(answer).text == TEXT
    said = ask(model, radiograph(), "Why?", max_new_tokens=3)
    model.hf_model.generation_config.eos_token_id = [1, 5, said.tokens[-1].id]
    ended = ask(model, radiograph(), "Why?", max_new_tokens=3)
    model.hf_model.generation_config.eos_token_id = [1, 5]
    assert ended.stopped == "end of turn"
    assert target_for(ended).token_indices == tuple(range(len(ended.tokens) - 1))


def test_tokens_spans_and_phrases(answer):
    count = len(answer.tokens)
    assert target_for(answer, token=3).token_indices == (3,)
    assert target_for(answer, token=-1).token_indices == (count - 1,)
    assert target_for(answer, span=(2, 6)).token_indices == (2, 3, 4, 5)
    assert target_for(answer, span=(2, 6)).text == words(answer, (2, 6))
    phrase = target_for(answer, phrase="zone")
    assert phrase.kind == "phrase"
    assert "zone" in phrase.text


@pytest.mark.parametrize("token", [1000, -1000])
def test_a_token_that_is_not_there_is_refused_with_what_is(answer, token):
    with pytest.raises(TargetError, match=f"tokens 0 to {len(answer.tokens) - 1}"):
        target_for(answer, token=token)


@pytest.mark.parametrize("span", [(3, 3), (4, 2), (-1, 2), (0, 1000)])
def test_a_span_that_is_not_there_is_refused_with_what_is(answer, span):
    with pytest.raises(TargetError, match=f"start < stop <= {len(answer.tokens)}"):
        target_for(answer, span=span)


def test_only_one_choice_is_taken(answer):
    with pytest.raises(TargetError, match="one of token, phrase and span"):
        target_for(answer, token=1, phrase="zone")


def test_a_contrast_needs_one_token_and_another_than_was_said(model, answer):
    with pytest.raises(TargetError, match="give token as well"):
        explain(model, answer, against="No")
    with pytest.raises(TargetError, match="give token as well"):
        explain(model, answer, phrase="zone", against="No")
    said = answer.tokens[1]
    with pytest.raises(TargetError, match="did say"):
        target_for(answer, token=1, against=Against(said.id, said.text))
    with pytest.raises(TargetError, match="empty"):
        against_token(model, answer, 1, " ")


def test_a_runner_up_is_taken_as_it_is(model, answer):
    rival = answer.tokens[0].runners_up[0]
    if rival.text.strip():
        assert against_token(model, answer, 0, rival.text).id == rival.id


def test_other_text_gets_the_leading_space_of_the_token_that_stands_there(model, answer):
    tokenizer = model.processor.tokenizer
    place = next(t.index for t in answer.tokens if t.text.startswith(" "))
    wanted = tokenizer(" zone", add_special_tokens=False)["input_ids"][0]
    assert against_token(model, answer, place, "zone").id == wanted
    wanted = tokenizer("zone", add_special_tokens=False)["input_ids"][0]
    assert against_token(model, answer, 0, "zone").id == wanted


def test_a_margin_is_the_first_place_and_each_side_s_one_token_spellings(model, answer):
    target = choose_target(model, answer, margin=(" Yes", "No"))
    assert (target.kind, target.token_indices, target.text) == (
        "margin",
        (0,),
        "Yes rather than No",
    )
    decode = model.processor.tokenizer.decode
    for ids, word in ((target.margin.yes_ids, "yes"), (target.margin.no_ids, "no")):
        texts = [decode([one]) for one in ids]
        assert {text.strip().lower() for text in texts} == {word}
        assert {word.capitalize(), f" {word}"} & set(texts)
    other = ask(model, radiograph(), "Why?", force="Nothing here.")
    assert choose_target(model, other, margin=("Yes", "No")) == target


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"margin": ("Ja", "Nein")}, "not one token in any spelling"),
        ({"margin": ("Yes", " ")}, "not one token"),
        ({"margin": ("No", "no")}, "same word"),
        ({"margin": ("Yes", "No"), "token": 0}, "give it alone"),
        ({"margin": ("Yes", "No"), "against": "No"}, "give it alone"),
    ],
)
def test_a_margin_that_cannot_be_is_refused_with_the_reason(model, answer, choice, reason):
    with pytest.raises(TargetError, match=reason):
        explain(model, answer, **choice)


def test_a_method_that_cannot_contrast_refuses_a_margin(model, answer):
    with pytest.raises(TargetError, match="cannot explain a decision"):
        explain(model, answer, margin=("Yes", "No"), method="rollout")


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"token": "Yes"}, "token has to be a whole number"),
        ({"token": True}, "token has to be a whole number"),
        ({"span": 3}, "span has to be two whole numbers"),
        ({"span": (1, 2, 3)}, "span has to be two whole numbers"),
        ({"span": (1.5, 2)}, "span has to be two whole numbers"),
        ({"phrase": 3}, "phrase has to be a text"),
        ({"token": 0, "against": 3}, "against has to be a text"),
        ({"margin": ("Yes",)}, "margin has to be two words"),
        ({"margin": "Yes"}, "margin has to be two words"),
    ],
)
def test_what_is_no_target_at_all_is_refused_with_what_is_one(model, answer, choice, reason):
    with pytest.raises(TargetError, match=reason):
        explain(model, answer, **choice)


def test_a_contrast_of_several_tokens_says_that_it_is_with_the_first(model, answer):
    with pytest.warns(UserWarning, match="“Banana” is several tokens.*“B”"):
        found = explain(model, answer, token=0, against="Banana")
    against = found.target.against
    assert (against.asked, against.text.strip()) == ("Banana", "B")
    alone = against_token(model, answer, 0, "B")  # one token: nothing to say
    assert (alone.id, alone.asked, alone.notice) == (against.id, "", "")
    assert json.loads(explanation_json(found, answer))["target"]["against"]["asked"] == "Banana"
    assert against.notice in explanation_report(found, answer, [False] * 2).lines


@pytest.mark.parametrize(
    ("choice", "what"),
    [({"token": 0, "against": "No\udcc3"}, "contrast"), ({"margin": ("Yes", "N\udcc3")}, "margin")],
)
def test_half_a_character_is_no_contrast(model, answer, choice, what):
    with pytest.raises(PromptError, match=f"{what} holds half a character"):
        explain(model, answer, **choice)
