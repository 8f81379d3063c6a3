"""Step by Step in a real browser: from the opening sample to the map of another word."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explain_page import idle, newest

pytestmark = pytest.mark.browser

STEPS = ".st-key-steps_step [role='radiogroup'] label"
MAPS = ".st-key-steps_beside .heatmaplayer image"
# Of what is right of a laptop's window, and below it.
BEYOND = "main => [main.scrollWidth - main.clientWidth, main.scrollHeight - main.clientHeight]"
MARKED = ".sequence-strip [data-mark]"


def said(page: Page) -> str:
    """What the step's sentence says."""
    return newest(page, ".st-key-steps_said .rich-line").inner_text()


def test_every_step_is_gone_through_for_one_word_and_another(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Step_by_Step")
    expect(page.locator(MAPS)).to_have_count(2)
    idle(page)
    expect(page.locator(MARKED)).to_have_text(["isp-1 = 282", "consolidationp = 283"])
    expect(page.locator("[data-part='image']")).to_have_text("image · 256 tokens5–260")
    for step, (key, maps) in enumerate(
        [
            ("steps_input", 2),
            ("steps_generation", 2),
            ("steps_replay", 2),
            ("steps_target", 2),
            ("steps_attention", 2),
            ("steps_row", 2),
            ("steps_map", 5),
        ]
    ):
        page.locator(STEPS).nth(step).click()
        expect(page.locator(f".st-key-{key}").last).to_be_visible()
        expect(page.locator(MAPS)).to_have_count(maps)
        idle(page)
        assert said(page).startswith(f"{step + 1}  ")
        assert page.get_by_test_id("stMain").evaluate(BEYOND) == [0, 0], step
    right = page.locator(MAPS).first.get_attribute("href")
    page.locator("[data-token-index='7']").click()
    expect(page.locator(MARKED)).to_have_text(["thep-1 = 285", "rightp = 286"])
    expect(page.locator(MAPS).first).not_to_have_attribute("href", right or "")
    # The rail goes on with the keys, and stays where it is when the word changes.
    expect(page.locator(".st-key-steps_map")).to_have_count(1)
    page.locator(f"{STEPS} input").nth(6).press("ArrowUp")
    expect(page.locator(".st-key-steps_row").last).to_be_visible()
    idle(page)


def test_a_drawn_picture_is_opened_and_said_to_be_none(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Step_by_Step")
    expect(page.locator(MAPS)).to_have_count(2)
    idle(page)
    page.get_by_role("button", name="Tutorial's pictures").click()
    body = page.get_by_test_id("stPopoverBody")
    expect(body.get_by_role("img", name="Drawn picture: Split, left half white")).to_be_visible()
    body.get_by_role("button", name="Quadrants, upper left white", exact=True).click()
    expect(newest(page, ".st-key-drawn_picture .rich-line")).to_contain_text("no radiographs")
    expect(page.locator(MAPS)).to_have_count(2)
    idle(page)
    assert "sample=quadrants" in page.url
