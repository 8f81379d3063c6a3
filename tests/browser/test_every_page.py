"""Every page for everybody: rules of accessibility, keys, and windows as narrow as a phone."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.explain_page import idle, newest, zone_rows

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# (address, what stands on the page once it has its answer)
PAGES = [
    ("", ".st-key-sample_grid img"),
    ("Explain", ".st-key-overlay .heatmaplayer image"),
    ("Compare", ".st-key-comparison .heatmaplayer image"),
    ("Layers", ".st-key-head_maps .heatmaplayer image"),
    ("Methods", ".st-key-methods_table canvas"),
]
# What other people's markup breaks and this program cannot reach: the rule, what the element's
# markup begins with, and why.
NOT_OURS = [
    # Streamlit's upload box: a region with a role of none and a label. Its button has both.
    ("presentation-role-conflict", '<section role="presentation" tabindex="-1" data-testid='),
]
PHONE = {"width": 390, "height": 844}


def opened(page: Page, app_url: str, address: str, landmark: str) -> None:
    page.goto(f"{app_url}/{address}")
    expect(page.locator(landmark).first).to_be_visible()
    # The last of a page's text; what is still computed would be judged half drawn.
    expect(page.get_by_text("Research only.").last).to_be_visible()
    idle(page)


def violations(page: Page) -> list[str]:
    """What axe finds on the page and in the frames on it, without what is not ours."""
    for frame in page.frames:
        frame.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']} {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(rule["id"] == known and node["html"].startswith(to) for known, to in NOT_OURS)
    ]


# Five pages in two themes with the whole of axe: a minute, for no page is left out.
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_no_page_breaks_a_rule_of_accessibility(
    open_page: OpenPage, app_url: str, dark: bool
) -> None:
    page = open_page(dark=dark)
    found = []
    for address, landmark in PAGES:
        opened(page, app_url, address, landmark)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        if address == "Explain":
            expect(zone_rows(page)).to_contain_text("lower")
        found += [f"/{address}: {one}" for one in violations(page)]
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
    for address, landmark in PAGES:
        opened(page, app_url, address, landmark)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0, address
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Layers").click()
    expect(page.locator(PAGES[3][1]).first).to_be_visible()
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
