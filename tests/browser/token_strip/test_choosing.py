"""Choosing in the token strip with the mouse: words, tokens, spans, the whole answer."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.token_strip.strip_page import expect_box, expect_log, opened, option, token

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("query", ["", "callback=1"], ids=["returned", "callback"])
def test_a_click_reaches_python_once_and_not_again_at_the_next_rerun(page, strip_url, query):
    opened(page, strip_url, query)
    token(page, 2).click()
    expect_log(page, "[[2, 3, false]]")
    expect_box(page, 2, 3)
    page.get_by_role("button", name="Run the fragment").click()
    expect(page.get_by_text("fragment runs 3", exact=True)).to_be_visible()
    expect_log(page, "[[2, 3, false]]")
    page.get_by_role("button", name="Run everything").click()
    expect(page.get_by_text("fragment runs 4", exact=True)).to_be_visible()
    expect_log(page, "[[2, 3, false]]")
    expect_box(page, 2, 3)


def test_the_same_token_can_be_chosen_again(page, strip_url):
    opened(page, strip_url)
    token(page, 2).click()
    expect_log(page, "[[2, 3, false]]")
    token(page, 2).click()
    expect_log(page, "[[2, 3, false], [2, 3, false]]")


def test_a_double_click_chooses_and_marks_no_text(page, strip_url):
    opened(page, strip_url)
    token(page, 2).dblclick()
    expect_box(page, 2, 3)
    assert page.evaluate("getSelection().toString()") == ""


def test_the_box_moves_before_python_answers(page, strip_url):
    opened(page, strip_url)
    selected = token(page, 2).evaluate("one => { one.click(); return one.ariaSelected; }")
    assert selected == "true"
    expect_log(page, "[[2, 3, false]]")


def test_a_click_chooses_the_word_and_alt_click_a_token_of_it(page, strip_url):
    opened(page, strip_url)
    token(page, 5).click()
    expect_log(page, "[[4, 6, false]]")
    expect_box(page, 4, 6)
    expect(option(page, "consolidation")).to_have_attribute("aria-selected", "true")
    expect(option(page, "consolidation")).to_be_focused()
    token(page, 5).click(modifiers=["Alt"])
    expect_log(page, "[[4, 6, false], [5, 6, false]]")
    expect_box(page, 5, 6)
    expect(option(page, "consolidation")).to_have_attribute(
        "aria-label", re.compile("^consolidation, .* of it chosen: idation$")
    )
    # A word of one token is the same either way.
    token(page, 2).click(modifiers=["Alt"])
    expect_log(page, "[[4, 6, false], [5, 6, false], [2, 3, false]]")


def test_a_switch_makes_every_click_choose_a_token(page, strip_url):
    opened(page, strip_url)
    switch = page.get_by_role("switch", name="single tokens")
    expect(page.get_by_role("option")).to_have_count(12)
    expect(page.get_by_role("listbox", name="The answer, word by word")).to_be_visible()
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("option")).to_have_count(13)
    expect(page.get_by_role("listbox", name="The answer, token by token")).to_be_visible()
    page.get_by_role("button", name="Run everything").click()
    expect(page.get_by_text("fragment runs 2", exact=True)).to_be_visible()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(page.locator('.token-strip .words [tabindex="0"]')).to_have_count(1)
    token(page, 4).click()
    expect_box(page, 4, 5)
    page.keyboard.press("Control+ArrowRight")
    expect(token(page, 5)).to_be_focused()
    token(page, 7).click(modifiers=["Shift"])
    expect_log(page, "[[4, 5, false], [4, 8, false]]")
    switch.click()
    expect(page.get_by_role("option")).to_have_count(12)
    # Words again: a span begun at a token takes in the whole of its word.
    token(page, 2).click(modifiers=["Shift"])
    expect_log(page, "[[4, 5, false], [4, 8, false], [2, 6, false]]")


def test_a_broken_line_is_of_a_word_but_outside_its_box(page, strip_url):
    opened(page, strip_url, "case=report")
    findings = option(page, "Findings")
    expect(findings).to_have_count(1)
    token(page, 2).click()  # ":**", which the line break ends
    expect_log(page, "[[2, 4, false]]")
    expect_box(page, 2, 3)
    token(page, 9).click()  # " pneum" of " pneum|othor|ax"
    expect_log(page, "[[2, 4, false], [9, 12, false]]")
    token(page, 10).click(modifiers=["Alt"])
    expect_log(page, "[[2, 4, false], [9, 12, false], [10, 11, false]]")
    expect_box(page, 10, 11)
    token(page, 16).click()  # a space, two parts of a character, the character, and a comma
    expect_log(page, "[[2, 4, false], [9, 12, false], [10, 11, false], [13, 18, false]]")
    expect_box(page, 16, 18)


def test_shift_click_chooses_a_span_of_words_in_either_direction(page, strip_url):
    opened(page, strip_url)
    token(page, 4).click()
    token(page, 9).click(modifiers=["Shift"])
    expect_log(page, "[[4, 6, false], [4, 10, false]]")
    expect_box(page, 4, 10)
    token(page, 2).click(modifiers=["Shift"])
    expect_log(page, "[[4, 6, false], [4, 10, false], [2, 6, false]]")
    expect_box(page, 2, 6)


def test_the_whole_answer_has_a_button(page, strip_url):
    opened(page, strip_url)
    page.get_by_role("button", name="whole answer").click()
    expect_log(page, "[[0, 13, true]]")
    expect(page.get_by_role("button", name="whole answer")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_click_on_an_older_answer_is_dropped(page, strip_url):
    opened(page, strip_url)
    # A choice that names the answer before: what a slow connection would deliver too late.
    page.get_by_role("button", name="New answer behind the strip's back").click()
    expect(page.get_by_text("fragment runs 2", exact=True)).to_be_visible()
    token(page, 2).click()
    expect_log(page, "[]")
    expect(page.get_by_text("fragment runs 3", exact=True)).to_be_visible()
    expect_log(page, "[]")
    # Now the strip has seen the new answer, and clicks count again.
    token(page, 3).click()
    expect_log(page, "[[3, 4, false]]")
