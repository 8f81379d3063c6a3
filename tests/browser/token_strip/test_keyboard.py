"""The token strip by keyboard: walking, choosing, spans, and leaving it."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.token_strip.strip_page import expect_box, expect_log, opened, option, token

pytestmark = pytest.mark.browser


def test_alt_enter_chooses_the_word_s_tokens_in_turn(page, strip_url):
    opened(page, strip_url)
    option(page, "consolidation").focus()
    log = []
    for start in (4, 5, 4):
        page.keyboard.press("Alt+Enter")
        log.append([start, start + 1, False])
        expect_log(page, json.dumps(log))
    page.keyboard.press("Enter")
    expect_box(page, 4, 6)


def test_the_keyboard_walks_chooses_spans_and_clears(page, strip_url):
    opened(page, strip_url)
    expect(page.locator('.token-strip .words [tabindex="0"]')).to_have_count(1)
    token(page, 9).focus()
    page.keyboard.press("Control+ArrowRight")
    expect(token(page, 10)).to_be_focused()
    page.keyboard.press("Control+Home")
    expect(token(page, 0)).to_be_focused()
    page.keyboard.press("Control+ArrowLeft")
    expect(token(page, 0)).to_be_focused()
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Enter")
    expect_log(page, "[[1, 2, false]]")
    expect(token(page, 1)).to_be_focused()
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Shift+Enter")
    expect_log(page, "[[1, 2, false], [1, 4, false]]")
    expect_box(page, 1, 4)
    page.keyboard.press("Control+End")
    expect(token(page, 12)).to_be_focused()
    page.keyboard.press("Space")
    expect_log(page, "[[1, 2, false], [1, 4, false], [12, 13, false]]")  # else the last click wins
    expect_box(page, 12, 13)
    # It leaves the words, and asks for nothing.
    page.keyboard.press("Escape")
    expect(token(page, 12)).not_to_be_focused()
    expect_box(page, 12, 13)
    token(page, 0).click()
    expect_log(page, "[[1, 2, false], [1, 4, false], [12, 13, false], [0, 1, false]]")


def test_the_word_on_which_the_arrow_keys_rest_is_chosen_and_those_on_the_way_are_not(
    page, strip_url
):
    opened(page, strip_url)
    # In one turn of the browser, as fast as a key that is held down.
    page.evaluate(
        """() => {
          document.querySelector('[data-token-index="0"]').focus();
          for (let i = 0; i < 3; i++) {
            document.activeElement.dispatchEvent(
              new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
          }
        }"""
    )
    expect(token(page, 3)).to_be_focused()
    expect_log(page, "[[3, 4, false]]")
    page.keyboard.press("Shift+ArrowRight")
    expect_log(page, "[[3, 4, false], [3, 6, false]]")
    expect_box(page, 3, 6)


def test_up_and_down_change_lines(look):
    page = look("case=long")
    token(page, 3).focus()
    first_line = token(page, 3).bounding_box()["y"]
    focused = page.locator("[data-token-index]:focus")
    page.keyboard.press("ArrowDown")
    assert focused.bounding_box()["y"] > first_line
    page.keyboard.press("ArrowUp")
    assert focused.bounding_box()["y"] == first_line


def test_arrow_keys_follow_the_eye_in_right_to_left_answers(page, strip_url):
    opened(page, strip_url, "case=rtl")
    token(page, 2).focus()
    page.keyboard.press("ArrowLeft")
    expect(option(page, "تصلب")).to_be_focused()
    assert token(page, 3).bounding_box()["x"] < token(page, 2).bounding_box()["x"]
