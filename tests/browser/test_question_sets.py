"""A set of questions in a real browser: filtered, asked, its scores, and a row in Explain."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.explain_page import answer_text, newest, settled
from tests.browser.looking import idle
from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser

ROWS = ".st-key-questions_rows iframe"
BARS = ".st-key-questions_scores .bars path"


def rows(page: Page) -> Locator:
    return newest(page, ROWS).content_frame.locator(".ag-center-cols-container .ag-row")


def click(area: Locator, across: float, down: float) -> None:
    """Click where something is drawn, as a hand does: the mouse is there before it is pressed."""
    box = area.bounding_box()
    assert box is not None
    place = {"x": across * box["width"], "y": down * box["height"]}
    area.hover(position=place)
    area.click(position=place)


def test_rows_are_filtered_asked_and_opened(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Question_Sets")
    expect(page.get_by_role("button", name="Ask all 120 questions")).to_be_enabled()
    words = page.get_by_label("Words in the question")
    words.fill("pneumothorax be seen")
    words.press("Enter")
    expect(rows(page)).to_have_count(4)
    page.get_by_role("button", name="Ask these 4 rows").click()
    expect(page.locator(BARS).first).to_be_visible()
    expect(newest(page, ".st-key-questions_sentence")).to_contain_text("4 answers are right")
    expect(page.locator(".st-key-questions_progress")).to_have_count(0)
    idle(page)
    assert violations(page) == []

    # A bar without length is chosen by its row.
    click(page.locator(".st-key-questions_by_finding .nsewdrag"), 0.9, 0.5)
    behind = newest(page, ".st-key-questions_behind")
    expect(behind).to_contain_text("4 rows behind Accuracy of pneumothorax")
    idle(page)
    # A number of a table, drawn on a canvas: whose truth is no, and of which the model said no.
    click(page.locator(".st-key-questions_confusion .dvn-scroller"), 0.5, 0.85)
    expect(behind).to_contain_text("whose truth is no, and of which the model said no")
    idle(page)

    row = rows(page).first
    asked = row.locator('[col-id="asked"]').inner_text()
    said = row.locator('[col-id="answer"]').inner_text()
    row.click()
    settled(page)
    expect(page).to_have_url(re.compile(r"/Explain\?sample=synthetic-1\d"))
    expect(newest(page, ".st-key-question input")).to_have_value(asked)
    assert answer_text(page).startswith(said)
    page.reload()  # a film of the example set is a sample: its address is enough
    settled(page)
    expect(newest(page, ".st-key-question input")).to_have_value(asked)
    # What was asked is kept for another session, too.
    page.goto(f"{app_url}/Question_Sets")
    expect(newest(page, ".st-key-questions_sentence")).to_contain_text("4 answers are right")
