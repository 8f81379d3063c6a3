"""What the browser tests see and do on the Compare page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.explain_page import FIRST_SAMPLE, SELECTED, idle, newest, token

OPENING_WORD = "consolidation"  # of the first sample
SUBJECT = ".st-key-subject_line .subject-line"
MAPS = ".st-key-comparison .heatmaplayer image"
# One figure, whose layout and pictures are both of these methods: Plotly knows a new layout
# before its pictures are drawn, and Streamlit shows an earlier figure beside a newer one. What
# goes on in a second line is a title; R and L do not.
SHOWS = """([maps, titles]) => {
  const figures = [...document.querySelectorAll('.st-key-comparison .js-plotly-plot')];
  if (figures.length !== 1 || !figures[0].layout) return false;
  const titled = (figures[0].layout.annotations ?? [])
    .map(one => /^<b>(.*?)<\\/b><br>/.exec(one.text)?.[1]).filter(Boolean);
  return JSON.stringify(titled.sort()) === JSON.stringify([...titles].sort())
    && document.querySelectorAll(maps).length === titles.length;
}"""


def choose_methods(page: Page, *titles: str) -> None:
    """Exactly these methods, by clicking the pills that have to change; until they are shown."""
    pills = page.locator(".st-key-compared_methods button")
    expect(pills.first).to_be_visible()
    for place in range(pills.count()):
        pill = pills.nth(place)
        wanted = pill.inner_text().strip() in titles
        if wanted != (pill.get_attribute("aria-pressed") == "true"):
            pill.click()
            expect(pill).to_have_attribute("aria-pressed", "true" if wanted else "false")
    page.wait_for_function(SHOWS, arg=[MAPS, titles])
    idle(page)


def compare_three(page: Page, app_url: str) -> Page:
    """The Compare page of the first sample's opening word, with three methods that cost little.

    A page that stands there already is brought back to that; what was computed is kept.
    """
    place = f"{app_url}/Compare"
    if not page.url.startswith(f"{place}?sample={FIRST_SAMPLE.stem}"):
        page.goto(place)
    expect(page.locator(MAPS).first).to_be_visible()
    choose_word(page, OPENING_WORD)
    choose_methods(page, "Chefer", "Attention rollout", "LeGrad")
    return page


def choose_word(page: Page, text: str) -> None:
    """Choose one word alone, if it is not chosen already; until the page is about it."""
    idle(page)
    if newest(page, SELECTED).all_inner_texts() != [text]:
        token(page, text).click()
    expect(page.locator(f"{SUBJECT}.waiting")).to_have_count(0)
    expect(newest(page, f"{SUBJECT} .word")).to_have_text(text)
    idle(page)
