"""The token strip in a real browser: mouse, keyboard, reruns, hostile text, both themes."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import ServeApp, pages_of

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "strip.py"
WIDTHS = 1440, 800, 360


@pytest.fixture
def strip_url(serve_app) -> str:
    return serve_app(APP)


@pytest.fixture(scope="module")
def look(browser: Browser, serve_app: ServeApp) -> Iterator[Callable[[str], Page]]:
    """A page of a query, opened once, for tests that leave it as it is."""
    with pages_of(browser) as open_one:

        @cache
        def page_of(query: str) -> Page:
            return opened(open_one(), serve_app(APP), query)

        yield page_of


def wait_until_idle(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def opened(page: Page, address: str, query: str = "") -> Page:
    page.goto(f"{address}/?{query}")
    expect(token(page, 0)).to_be_visible()
    wait_until_idle(page)
    return page


def token(page: Page, index: int) -> Locator:
    return page.locator(f'[data-token-index="{index}"]')


def boxed(page: Page) -> list[int]:
    found = page.locator("[data-token-index].selected").evaluate_all(
        "all => all.map(one => Number(one.dataset.tokenIndex))"
    )
    return [int(index) for index in found]


def expect_log(page: Page, entries: str) -> None:
    expect(page.get_by_text(f"log {entries}", exact=True)).to_be_visible()


def expect_box(page: Page, start: int, stop: int) -> None:
    expect(page.locator("[data-token-index].selected")).to_have_count(stop - start)
    assert boxed(page) == list(range(start, stop))


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


def test_the_box_moves_before_python_answers(page, strip_url):
    opened(page, strip_url)
    selected = token(page, 2).evaluate("one => { one.click(); return one.ariaSelected; }")
    assert selected == "true"
    expect_log(page, "[[2, 3, false]]")


def option(page: Page, name: str) -> Locator:
    return page.get_by_role("option").filter(has_text=re.compile(f"^{name}$"))


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


def test_a_tooltip_tells_what_came_next(look):
    page = look("")
    expect(option(page, "consolidation")).to_have_attribute(
        "title", re.compile("probability 0.57 · .* · in place of consol next came an 0.11$")
    )


def test_the_whole_answer_has_a_button(page, strip_url):
    opened(page, strip_url)
    page.get_by_role("button", name="whole answer").click()
    expect_log(page, "[[0, 13, true]]")
    expect(page.get_by_role("button", name="whole answer")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_up_and_down_change_lines(look):
    page = look("case=long")
    token(page, 3).focus()
    first_line = token(page, 3).bounding_box()["y"]
    focused = page.locator("[data-token-index]:focus")
    page.keyboard.press("ArrowDown")
    assert focused.bounding_box()["y"] > first_line
    page.keyboard.press("ArrowUp")
    assert focused.bounding_box()["y"] == first_line


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


def test_arrow_keys_follow_the_eye_in_right_to_left_answers(page, strip_url):
    opened(page, strip_url, "case=rtl")
    token(page, 2).focus()
    page.keyboard.press("ArrowLeft")
    expect(option(page, "تصلب")).to_be_focused()
    assert token(page, 3).bounding_box()["x"] < token(page, 2).bounding_box()["x"]


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


def test_tokens_are_appended_while_the_answer_is_written(page, strip_url):
    opened(page, strip_url)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator("[data-token-index]")).to_have_count(1)
    first = token(page, 0).element_handle()
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator("[data-token-index]")).to_have_count(4)
    assert first.evaluate("one => one.isConnected")
    expect(page.get_by_role("listbox")).to_have_attribute("aria-busy", "true")
    token(page, 2).evaluate("one => one.click()")
    page.get_by_role("button", name="Finish writing").click()
    expect(page.locator("[data-token-index]")).to_have_count(13)
    expect_log(page, "[]")
    token(page, 2).click()
    expect_log(page, "[[2, 3, false]]")


def test_five_hundred_tokens_answer_a_click_within_a_frame_or_two(page, strip_url):
    opened(page, strip_url, "case=long")
    expect(page.locator("[data-token-index]")).to_have_count(500)
    milliseconds = token(page, 300).evaluate(
        "one => { const start = performance.now(); one.click(); return performance.now() - start; }"
    )
    # Two orders above what it takes; it catches work that grows with the square of the tokens.
    assert milliseconds < 400
    expect_log(page, "[[300, 301, false]]")


OVERTAKEN = """async (source) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const draw = (await import(url)).default;
  const parentElement = document.body.appendChild(document.createElement('div'));
  const tokens = (...texts) => texts.map((text) => ({ text, probability: 1, share: 1 }));
  const mount = (generation, tokens) => draw({
    parentElement, setStateValue: () => {},
    data: {
      generation, tokens, words: tokens.map((one, at) => ({ ...one, start: at, stop: at + 1 })),
      selected: null, ready: true, measure: 'image share', note: '',
    },
  });
  const texts = () =>
    [...parentElement.querySelectorAll('[data-token-index]')].map((one) => one.textContent);
  const endFirst = mount('1', tokens('old'));
  const endSecond = mount('2', tokens('new', ' words'));
  endFirst();
  const left = texts();
  endSecond();
  return [left, texts()];
}"""


def test_the_end_of_an_overtaken_drawing_leaves_the_newer_one(page, strip_url, repository):
    # Streamlit draws anew while a first drawing still waits for its script, as it does on a busy
    # machine, and ends that first drawing afterwards.
    opened(page, strip_url)
    script = repository / "medgemma_dash" / "ui" / "components" / "token_strip" / "strip.js"
    left, at_the_end = page.evaluate(OVERTAKEN, script.read_text("utf-8"))
    assert left == ["new", "words"]
    assert at_the_end == []


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_it_wraps_inside_its_column_in_both_themes(open_page, strip_url, photograph, dark):
    theme = "dark" if dark else "light"
    page = opened(open_page(dark=dark), strip_url)
    token(page, 4).click()
    token(page, 9).click(modifiers=["Shift"])
    # The answer of Python draws the strip anew; what is measured is what stands after it.
    expect_log(page, "[[4, 6, false], [4, 10, false]]")
    expect_box(page, 4, 10)
    wait_until_idle(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        edges = page.locator("[data-token-index]").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])"
        )
        assert len(edges) == 13
        assert all(0 <= left < right <= width for left, right in edges), edges
        photograph(page, f"strip-{width}-{theme}")
    opened(page, strip_url, "case=report")
    token(page, 10).click()
    wait_until_idle(page)
    for kind in ("words", "tokens"):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            photograph(page, f"strip-{kind}-{width}-{theme}")
        page.get_by_role("switch", name="single tokens").click()
