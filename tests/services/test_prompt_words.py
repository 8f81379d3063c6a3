"""Which words mattered: the user's and the model's own, never the template's."""

from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.services.explaining.prompt_words import prompt_words
from tests.services.makers import (
    GRID,
    make_answer,
    make_answer_of_two,
    make_explanation,
    make_target,
)

CELLS = GRID[0] * GRID[1]
BEFORE = ("<bos>", "<start_of_turn>", "user", "\n", "<start_of_image>")
AFTER = ("<end_of_turn>", "\n", "<start_of_turn>", "model", "\n")


def asked(*question: str, said: tuple[str, ...] = ("Yes", ".")) -> Answer:
    """An answer behind Gemma's template; the question is given in its tokens' texts."""
    prompt = (*BEFORE, *[""] * CELLS, "<end_of_image>", "\n\n", *question, *AFTER)
    answer = make_answer(said, "".join(question))
    pieces = (*prompt, *said, "<end_of_turn>")
    tokens = [replace(one, position=len(prompt) + one.index) for one in answer.tokens]
    return replace(
        answer,
        tokens=tuple(tokens),
        input_ids=np.arange(len(pieces), dtype=np.int64),
        images=(replace(answer.images[0], span=(len(BEFORE), len(BEFORE) + CELLS)),),
        piece_texts=pieces,
    )


def words_of(answer: Answer) -> dict[str, float]:
    """Every word with its relevance, where each position has a relevance of 1."""
    explanation = make_explanation(answer, make_target(answer, 0))
    row = np.ones(len(answer.input_ids), np.float32)
    start, stop = answer.image_span
    whole = replace(explanation, row=row, images=(row[start:stop].reshape(GRID).copy(),))
    return {word.text: word.value for word in prompt_words(whole, answer, 99)}


def test_words_are_the_question_s_and_the_answer_s_and_never_the_template_s() -> None:
    answer = asked("Is", " the", " heart", " big", "?")
    assert words_of(answer) == {"Is": 1, "the": 1, "heart": 1, "big?": 2, "Yes": 1}


@pytest.mark.parametrize("tag", ["<b>", "</b>", "<unused7>", "<x>"])
def test_a_tag_that_the_user_typed_is_a_word_like_any_other(tag: str) -> None:
    answer = asked("Is", " ", tag, "big", "</i>", " there")
    assert words_of(answer) == {"Is": 1, f"{tag}big</i>": 3, "there": 1, "Yes": 1}
    alone = asked("Is", " ", tag)
    assert words_of(alone)[tag] == 1


@pytest.mark.parametrize("word", ["model", "user"])
def test_a_question_that_looks_like_a_role_is_a_question(word: str) -> None:
    assert words_of(asked(word)) == {word: 1, "Yes": 1}


def test_a_character_in_several_tokens_belongs_to_its_word_with_all_of_them() -> None:
    answer = asked("Is", " it", "", "", "🙂", "ok", "?", said=("Yes", "", "é", "."))
    assert words_of(answer) == {"Is": 1, "it🙂ok?": 6, "Yesé": 3}


def test_white_space_around_the_question_does_not_hide_it() -> None:
    answer = replace(asked("Is", " it"), prompt="  Is it\n")
    assert words_of(answer) == {"Is": 1, "it": 1, "Yes": 1}


def test_a_question_that_the_tokenizer_rewrote_is_not_lost_and_the_image_is_no_word() -> None:
    words = words_of(replace(asked("is", " it"), prompt="IS IT"))
    assert {"is", "it", "Yes"} < words.keys()
    assert max(words.values()) < CELLS


def test_text_between_two_images_is_a_word_only_where_the_question_was_rewritten() -> None:
    two = make_answer_of_two()
    row = np.ones(len(two.input_ids), np.float32)
    images = tuple(row[slice(*one.span)].reshape(one.grid) for one in two.images)
    given = replace(make_explanation(two, make_target(two, 0)), row=row, images=images)
    words = {word.text: word.value for word in prompt_words(given, two, 99)}
    assert words == {"Fluid?": 1, "Yes": 1, "left": 1}
    rewritten = replace(two, prompt="FLUID?")
    words = {word.text: word.value for word in prompt_words(given, rewritten, 99)}
    assert words == {"between": 1, "Fluid?": 1, "Yes": 1, "left": 1}


def test_a_control_token_in_the_answer_is_no_word() -> None:
    answer = asked("Is", " it", said=("Yes", "", " No"))
    tokens = [replace(one, special=one.special or one.index == 1) for one in answer.tokens]
    pieces = list(answer.piece_texts)
    pieces[tokens[1].position] = "<start_of_image>"
    answer = replace(answer, tokens=tuple(tokens), piece_texts=tuple(pieces))
    assert words_of(answer) == {"Is": 1, "it": 1, "Yes": 1, "No": 1}


def test_the_answer_s_words_are_those_of_the_strip() -> None:
    said = (
        "Find",
        "ings",
        ":**",
        "\n\n",
        "*",
        " left",
        "-",
        "sided",
        " (",
        "3",
        ".",
        "5",
        " cm",
        ").",
    )
    words = words_of(asked("Is", " it", said=said))
    assert words == {"Is": 1, "it": 1, "Findings": 2, "left-sided": 3, "3.5": 3, "cm": 1}
