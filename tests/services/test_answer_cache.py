"""Sessions share answers, never pictures."""

from dataclasses import replace

import pytest

from medgemma_dash.services.explaining.answer_cache import AnswerCache, AnswerKey
from tests.services.makers import make_answer, make_radiograph


def make_key(prompt: str = "Fluid?") -> AnswerKey:
    sha256 = make_radiograph().sha256
    return AnswerKey((sha256,), prompt, None, 256, "demo", "abc123", "float32", "cpu")


def test_an_answer_comes_back_with_the_askers_own_radiograph() -> None:
    cache, first, second = AnswerCache(), make_radiograph(), make_radiograph()
    answer = make_answer(radiograph=first)
    cache.put(make_key(), answer)
    found = cache.get(make_key(), (second,))
    assert found is not None
    assert found.radiograph is second
    assert (found.text, found.tokens, found.key) == (answer.text, answer.tokens, answer.key)


def test_the_cache_keeps_no_picture() -> None:
    cache = AnswerCache()
    cache.put(make_key(), make_answer())
    kept = cache._answers.get(make_key())
    assert kept is not None
    assert kept.radiograph.pixels.size == 3
    assert kept.radiograph.intensities.size == 1
    assert kept.radiograph.tags == ()


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Fluid"},
        {"force": "No."},
        {"max_new_tokens": 8},
        {"model_name": "other"},
        {"model_revision": "def"},
        {"dtype": "bfloat16"},
        {"device": "cuda:0"},
    ],
)
def test_whatever_an_answer_depends_on_keeps_it_apart(change: dict[str, object]) -> None:
    cache = AnswerCache()
    cache.put(make_key(), make_answer())
    assert cache.get(replace(make_key(), **change), (make_radiograph(),)) is None


def test_another_radiograph_is_refused() -> None:
    with pytest.raises(ValueError, match="another radiograph"):
        AnswerCache().get(make_key(), (make_radiograph(shade=7),))


def test_a_full_cache_forgets_what_was_used_least_recently() -> None:
    cache = AnswerCache(budget_bytes=20_000)  # two answers of five tokens
    for prompt in ("a", "b"):
        cache.put(make_key(prompt), make_answer(prompt=prompt))
    assert cache.get(make_key("a"), (make_radiograph(),)) is not None
    cache.put(make_key("c"), make_answer(prompt="c"))
    found = [cache.get(make_key(prompt), (make_radiograph(),)) is not None for prompt in "abc"]
    assert found == [True, False, True]
