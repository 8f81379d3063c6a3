"""What the browser tests see and do on the Compare page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.explain_page import idle

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
    """The Compare page with three methods that cost little."""
    page.goto(f"{app_url}/Compare")
    expect(page.locator(MAPS).first).to_be_visible()
    expect(page.locator("[data-token-index]").first).to_be_visible()
    choose_methods(page, "Chefer", "Attention rollout", "LeGrad")
    return page
