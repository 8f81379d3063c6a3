"""Every page for everybody: rules of accessibility, keys, and windows as narrow as a phone."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from medgemma_dash.ui.state.samples import samples
from tests.browser.explain_page import (
    DICOM,
    ask,
    close_popover,
    explain,
    idle,
    newest,
    opened_instead,
    seen,
    upload,
    zone_rows,
)
from tests.browser.looking import OpenPage, Photograph, wait_until

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# (address, what stands on the page once it has its answer, how many of it)
PAGES = [
    ("", ".st-key-sample_grid img", len(samples())),
    ("Explain", ".st-key-overlay .heatmaplayer image", 1),
    ("Compare", ".st-key-comparison .heatmaplayer image", 6),
    ("Layers", ".st-key-head_maps .heatmaplayer image", 1),
    ("Step_by_Step", ".st-key-steps_beside .heatmaplayer image", 2),
    ("Target_Words", ".st-key-words_maps .heatmaplayer image", 5),
    ("Prompt_Sensitivity", ".st-key-prompt_pair .heatmaplayer image", 3),
    ("Faithfulness", ".st-key-masked_answer .rich-line", 1),
    ("Question_Sets", ".st-key-questions_rows iframe", 1),
    ("Methods", ".st-key-methods_table canvas", 1),
]
# What other people's markup breaks and this program cannot reach: the rule, what the element's
# markup begins with, and why.
NOT_OURS = [
    # Streamlit's upload box: a region with a role of none and a label. Its button has both.
    ("presentation-role-conflict", '<section role="presentation" tabindex="-1" data-testid='),
]
MENU = '[data-testid="stPopoverBody"]'
# (key of a popover, what stands in it)
MENUS = [("method_popover", ".katex-display"), ("layers_table", "canvas")]
OF_COLOUR = ("color-contrast", "link-in-text-block")
# Nothing is computed, drawn anew or fading: it would be judged half drawn.
STILL = """() => document.querySelector('[data-test-script-state="notRunning"]')
  && !document.querySelector('[data-stale="true"], [class*="st-key-cancel_"]')
  && document.getAnimations().every(one => one.effect.getTiming().iterations === Infinity)"""
# What of that is not so.
RESTLESS = """() => [
  document.querySelector('[data-test-script-state]')?.dataset.testScriptState,
  ...[...document.querySelectorAll('[data-stale="true"], [class*="st-key-cancel_"]')]
    .map(one => one.className + ' ' + one.innerText).slice(0, 5),
  ...document.getAnimations().map(one => one.effect.target?.className).slice(0, 5),
]"""
# What stands wider than its place, or too near to what the header has at the right.
CUT = """() => {
  const right = (one) => one.getBoundingClientRect().right;
  const [links, state] = [document.querySelectorAll('.rc-overflow-item:not([aria-hidden])'),
    document.querySelector('.st-key-status').getBoundingClientRect()];
  const column = document.querySelector('.st-key-attention_columns [data-testid="stColumn"]');
  const cut = [...column.querySelectorAll('button, [data-testid="stSelectbox"] *')]
    .filter(one => right(one) > right(column) + 1).map(one => one.textContent);
  return right([...links].at(-1)) + 16 > state.left ? [...cut, 'the navigation'] : cut;
}"""
WORDS_ARE_WHOLE = """() => {
  const chart = document.querySelector('.st-key-attention_words .main-svg').getBoundingClientRect();
  const texts = [...document.querySelectorAll('.st-key-attention_words text')]
    .map(one => one.getBoundingClientRect());
  return texts.length > 1
    && texts.every(one => one.left >= chart.left - 1 && one.right <= chart.right + 1);
}"""
PHONE = {"width": 390, "height": 844}


def opened(page: Page, app_url: str, address: str, landmark: str, count: int) -> None:
    page.goto(f"{app_url}/{address}")
    shown(page, landmark, count)


def still(page: Page) -> None:
    try:
        # By the clock: on a busy machine a browser may for minutes draw no frame to ask in.
        page.wait_for_function(STILL, polling=50)
    except Error as error:
        error.add_note(f"{page.url}: {page.evaluate(RESTLESS)}")
        raise


def shown(page: Page, landmark: str, count: int) -> None:
    expect(page.locator(landmark).nth(count - 1)).to_be_visible()
    # The last of a page's text.
    expect(page.get_by_text("Research only.").last).to_be_visible()
    idle(page)


def violations(page: Page, *within: str, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds on the page and in the frames on it, without what is not ours.

    within: selectors; all of the page without any. rules: axe's names of them; all without any.
    """
    still(page)
    for frame in page.frames:
        frame.evaluate(AXE)
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found: dict[str, Any] = page.evaluate(
        "([within, only]) => axe.run(within ?? document, {resultTypes: ['violations'], ...only})",
        [{"include": [[one] for one in within]} if within else None, only],
    )
    return [
        f"{rule['id']}: {node['target']} {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(rule["id"] == known and node["html"].startswith(to) for known, to in NOT_OURS)
    ]


def violations_in_menus(page: Page, rules: Sequence[str]) -> list[str]:
    """In what opens over the Explain page: the fullest menu, and one with a table; their buttons
    too, which look otherwise while they are open.
    """
    found = []
    for menu, content in MENUS:
        page.locator(f".st-key-{menu} button").click()
        expect(page.locator(f"{MENU} {content}").first).to_be_visible()
        idle(page)
        found += violations(page, MENU, f".st-key-{menu}", rules=rules)
        close_popover(page)
    return found


def over(page: Page) -> tuple[int, int]:
    """By how many pixels the page is wider than the window, and longer."""
    across, down = page.get_by_test_id("stMain").evaluate(
        "main => [main.scrollWidth - main.clientWidth, main.scrollHeight - main.clientHeight]"
    )
    return across, down


def fits(page: Page, address: str, landmark: str, count: int, width: int) -> None:
    """Nothing stands beyond the window's right edge; of Explain, nothing below a laptop's."""
    page.set_viewport_size({"width": width, "height": 900})
    # Some of it is drawn for the new width by a run that has not begun yet.
    wait_until(lambda: over(page)[0] <= 0, f"{address} fits {width}")
    still(page)
    shown(page, landmark, count)
    if address in ("Explain", "Step_by_Step") and width == 1440:
        wait_until(lambda: over(page)[1] <= 0, f"{address} fits a laptop")
    assert over(page)[0] <= 0, (address, width)
    if address == "Layers":
        page.get_by_role("tab", name="Attention of any token").click()
        expect(page.locator(".st-key-attention_map .heatmaplayer image")).to_have_count(1)
        idle(page)
        assert page.evaluate(CUT) == [], width


def test_the_buttons_stay_in_sight_below_the_longest_texts(page: Page, app_url: str) -> None:
    """Three lines of the sentence, two of the film's notes, the warning of an upload."""
    before = seen(explain(page, app_url))
    upload(page, DICOM)
    opened_instead(page, before)
    ask(page, "Is the heart enlarged?")
    expect(newest(page, ".st-key-demo_on_upload .rich-line")).to_be_visible()
    idle(page)
    for line in (".st-key-radiograph_notes", ".st-key-why_sentence"):
        newest(page, f"{line} .rich-line").evaluate(
            """line => {
              const text = line.firstElementChild;
              const height = () => text.getBoundingClientRect().height;
              const lines = line.closest('.st-key-why_sentence') ? 3 : 2;
              const one = parseFloat(getComputedStyle(text).lineHeight);
              while (height() < (lines - 0.5) * one) text.append(' and so on');
            }"""
        )
    hidden = "main => main.scrollHeight - main.clientHeight"
    assert page.get_by_test_id("stMain").evaluate(hidden) <= 0
    assert page.locator(".st-key-downloads").bounding_box()["y"] < 900 - 38


# Over 5 s: every page is opened, and judged by all of axe. A theme is colours: in the second one
# only the rules about them are asked for.
@pytest.mark.parametrize(("dark", "rules"), [(True, ()), (False, OF_COLOUR)], ids=["dark", "light"])
def test_every_page_fits_its_window_and_breaks_no_rule_of_accessibility(
    open_page: OpenPage, app_url: str, photograph: Photograph, dark: bool, rules: Sequence[str]
) -> None:
    page = open_page(dark=dark)
    found = []
    for address, *there in PAGES:
        if address:
            page.get_by_role("link", name=address.replace("_", " "), exact=True).click()
            shown(page, *there)
        else:
            opened(page, app_url, address, *there)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("button", name="List the keys")).to_have_count(1)
        if address == "Explain":
            expect(zone_rows(page)).to_contain_text("lower")
        for width in (800, 1440):
            fits(page, address, *there, width)
            photograph(page, f"{address or 'home'}-{'dark' if dark else 'light'}-{width}".lower())
        found += [f"/{address}: {one}" for one in violations(page, rules=rules)]
        if address == "Explain":
            found += violations_in_menus(page, rules)
    assert not found, "\n".join(found)


def test_a_phone_has_navigation_and_one_column(open_page: OpenPage, app_url: str) -> None:
    page = open_page(**PHONE)
    opened(page, app_url, *PAGES[2])
    page.wait_for_function(
        """() => {
          const maps = [...document.querySelectorAll('.st-key-comparison .heatmaplayer image')];
          const lefts = new Set(maps.map(map => Math.round(map.getBoundingClientRect().left)));
          return maps.length > 1 && lefts.size === 1;
        }"""
    )
    # A table that is wider than its place would be scrolled by a finger that means the page.
    table = newest(page, ".st-key-quality_table .dvn-scroller")
    expect(table).to_be_visible()
    assert table.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    measure = newest(page, ".st-key-quality_table_measure").get_by_role("combobox")
    measure.scroll_into_view_if_needed()
    # A list that is open is closed by scrolling, which is told with the next frame.
    page.evaluate("() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")
    measure.click()
    page.get_by_role("option", name="entropy", exact=True).click()
    expect(page.get_by_text("How spread out the map is")).to_be_visible()
    for address, *there in PAGES:
        opened(page, app_url, address, *there)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0, address
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Layers").click()
    expect(page.locator(PAGES[3][1]).first).to_be_visible()
    # The menu that was over the page has closed.
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    page.get_by_role("tab", name="Attention of any token").click()
    expect(page.locator(".st-key-attention_words .bars path").first).to_be_visible()
    page.wait_for_function(WORDS_ARE_WHOLE)
    # The demo model is named in a window of any width.
    expect(page.get_by_text("not MedGemma").first).to_be_visible()


def test_the_keys_are_listed_on_a_key_and_by_a_button(page: Page, app_url: str) -> None:
    opened(page, app_url, *PAGES[1])
    keys = page.get_by_role("dialog", name="Keys")
    box = newest(page, ".st-key-question input")
    box.fill("Why")
    box.press("?")
    expect(box).to_have_value("Why?")
    expect(keys).to_have_count(0)
    newest(page, "[data-token-index]").first.focus()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("go to another word and choose it")
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.get_by_role("button", name="List the keys").click()
    expect(keys).to_be_visible()
    keys.get_by_role("button", name="Close").click()
    expect(keys).to_have_count(0)


def test_trying_methods_keeps_their_list_open(page: Page, app_url: str) -> None:
    opened(page, app_url, *PAGES[1])
    button = page.locator(".st-key-method_popover button").first
    button.click()
    for title in ("Attention rollout", "Chefer"):
        page.get_by_label("Method", exact=True).click()
        page.get_by_role("option", name=title, exact=True).click()
        expect(button).to_contain_text(title)
        idle(page)
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def test_a_sample_is_opened_by_its_picture_and_the_list_closes(page: Page, app_url: str) -> None:
    opened(page, app_url, *PAGES[1])
    page.get_by_role("button", name="Open another").click()
    body = page.get_by_test_id("stPopoverBody")
    expect(body.get_by_role("img", name="Radiograph: Cardiomegaly")).to_be_visible()
    body.get_by_role("button", name="Cardiomegaly", exact=True).click()
    expect(body).to_have_count(0)
    expect(page).to_have_url(f"{app_url}/Explain?sample=cardiomegaly")


def test_every_method_says_what_it_is_under_the_mouse(page: Page, app_url: str) -> None:
    opened(page, app_url, *PAGES[2])
    page.wait_for_function(
        """() => [...document.querySelectorAll('.st-key-compared_methods button')]
          .every(chip => chip.title.includes('Cost of a word'))"""
    )
