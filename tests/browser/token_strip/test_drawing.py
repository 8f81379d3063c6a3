"""The token strip while it is drawn: as it is written, anew, at length, at any width."""

import pytest
from playwright.sync_api import expect

from tests.browser.looking import idle
from tests.browser.token_strip.strip_page import expect_box, expect_log, opened, token

pytestmark = pytest.mark.browser

WIDTHS = 1440, 800, 360


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
    idle(page)
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
    idle(page)
    for kind in ("words", "tokens"):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            photograph(page, f"strip-{kind}-{width}-{theme}")
        page.get_by_role("switch", name="single tokens").click()
