"""What the token strip shows and says of words, hostile ones among them."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.token_strip.strip_page import opened, option, token

pytestmark = pytest.mark.browser


def test_a_word_has_one_underline_and_its_tokens_have_theirs(page, strip_url):
    opened(page, strip_url)
    underlined = page.locator(".token-strip .unit")
    expect(underlined).to_have_count(12)
    word = option(page, "consolidation")
    expect(word).to_have_attribute(
        "aria-label",
        "consolidation, 48% of its relevance on the image, probability 0.57, not explained yet",
    )
    # Token 4 is explained, token 5 is not: then neither is the word.
    assert "computed" in (token(page, 4).get_attribute("class") or "").split()
    assert "computed" not in (word.get_attribute("class") or "").split()
    assert token(page, 4).get_attribute("title") is None
    page.get_by_role("switch", name="single tokens").click()
    expect(underlined).to_have_count(13)
    expect(token(page, 4)).to_have_attribute(
        "aria-label", "consol, 48% of its relevance on the image, probability 0.78"
    )


def test_a_tooltip_tells_what_came_next(look):
    page = look("")
    expect(option(page, "consolidation")).to_have_attribute(
        "title", re.compile("probability 0.57 · .* · in place of consol next came an 0.11$")
    )
    # As sentences say it: what is almost sure is not called certain.
    expect(token(page, 12)).to_have_attribute("title", re.compile("probability > 0.99"))


def test_hostile_text_is_shown_as_written_and_runs_nothing(look):
    page = look("case=hostile")
    expect(token(page, 0)).to_have_text("<img src=x onerror=window.hacked=1>")
    expect(token(page, 1)).to_have_text("<b>bold</b>")
    assert page.locator(".token-strip :is(img, b, strong, script, a)").count() == 0
    token(page, 14).hover()
    assert page.evaluate("window.hacked") is None
    assert page.outside == []
    assert page.failures == []


def test_the_words_on_screen_are_the_answer_text_to_the_letter(look):
    page = look("case=hostile")
    shown = page.locator(".token-strip .words").evaluate("one => one.textContent")
    assert shown.startswith("<img src=x onerror=window.hacked=1> <b>bold</b> **stars**")
    assert "\n\n التهاب رئوي \u202eright to left\u202c 🫁 &lt;" in shown


def test_a_direction_override_ends_with_its_token(look):
    page = look("case=hostile")
    left, right = token(page, 7).bounding_box(), token(page, 8).bounding_box()
    assert left["x"] < right["x"]


def test_subwords_touch_and_words_do_not(look):
    page = look("")
    first, second = token(page, 4).bounding_box(), token(page, 5).bounding_box()
    after = token(page, 6).bounding_box()
    assert second["x"] - (first["x"] + first["width"]) == pytest.approx(0, abs=1)
    assert after["x"] - (second["x"] + second["width"]) > 3


def test_numbers_behind_the_underline_are_said_in_words(look):
    page = look("")
    expect(token(page, 1)).to_have_attribute(
        "aria-label", ",, 37% of its relevance on the image, probability 0.93, not explained yet"
    )
    expect(page.get_by_role("listbox")).to_have_attribute("aria-multiselectable", "true")
    expect(page.get_by_role("option")).to_have_count(12)
    expect(token(page, 12)).to_have_class(re.compile("special"))


def test_the_underline_can_show_probability(page, strip_url):
    opened(page, strip_url, "measure=probability")
    assert token(page, 0).evaluate("one => one.style.getPropertyValue('--value')") == "0.980"
