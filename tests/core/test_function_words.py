"""Which words of a sentence say something."""

import pytest

from medgemma_dash.core.function_words import FUNCTION_WORDS, is_content_word


@pytest.mark.parametrize("word", ["Yes", " no", "not", "consolidation", " 3.5", "left-sided", "sì"])
def test_what_answers_is_content(word: str) -> None:
    assert is_content_word(word)


@pytest.mark.parametrize("word", ["There", " the", "IS", ",", " ", "", "--"])
def test_function_words_and_punctuation_are_none(word: str) -> None:
    assert not is_content_word(word)


def test_the_list_is_of_bare_lower_case_words() -> None:
    assert all(word == word.strip().lower() and word.isalpha() for word in FUNCTION_WORDS)
