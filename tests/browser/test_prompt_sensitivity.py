"""Prompt Sensitivity in a real browser: what it opens with, its matrix, more at a click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explain_page import idle, newest

pytestmark = pytest.mark.browser

MATRIX = ".st-key-prompt_matrix"
MAPS = ".st-key-prompt_pair .heatmaplayer image"
SUMMARY = ".st-key-prompts_summary .rich-line"
PAIR = ".st-key-prompts_pair_words .rich-line"
PICKERS = ".st-key-prompts_pickers"


def click_cell(page: Page, row: int, column: int, rows: int, columns: int) -> None:
    area = newest(page, f"{MATRIX} .nsewdrag")
    box = area.bounding_box()
    assert box is not None
    x, y = (column + 0.4) / columns * box["width"], (row + 0.4) / rows * box["height"]
    area.click(position={"x": x, "y": y})


# Over 5 s: three plans are asked, of 4, 8 and 4 answers.
def test_phrasings_are_asked_looked_at_and_added_to(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Prompt_Sensitivity")
    expect(newest(page, SUMMARY)).to_contain_text("Of 4 phrasings")
    expect(page.locator(MAPS)).to_have_count(3)
    idle(page)
    # The answer stands in a laptop's window.
    for part in (MATRIX, ".st-key-prompt_pair", ".st-key-prompts_words_first"):
        box = newest(page, part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, part
    click_cell(page, 0, 1, 1, 4)
    expect(newest(page, PAIR)).to_contain_text("2 technical  Radiological assessment:")
    click_cell(page, 0, 3, 1, 4)
    expect(newest(page, PAIR)).to_contain_text("4 phrasing variation")
    pickers = newest(page, PICKERS).get_by_role("combobox")
    expect(pickers.first).to_have_value("4 phrasing variation")
    pickers.last.click()
    page.get_by_role("option", name="held against 2 technical").click()
    expect(newest(page, PAIR)).to_contain_text("2 technical  Radiological assessment:")
    idle(page)
    page.get_by_role("button", name="All 8 phrasings").click()
    expect(newest(page, SUMMARY)).to_contain_text("Of 8 phrasings")
    idle(page)
    page.get_by_role("button", name="Change what is asked").click()
    body = page.get_by_test_id("stPopoverBody")
    for chip in ("synonym replacement", "clause reordering", "register shift", "voice change"):
        body.get_by_role("button", name=chip).click()
        idle(page)
    for chip in ("technical", "plain", "phrasing variation"):
        body.get_by_role("button", name=chip, exact=True).click()
        idle(page)
    own = body.get_by_label("Your own, one a line")
    own.fill("Pneumonia, yes or no?")
    own.blur()
    other = body.get_by_label("Other changes")
    other.fill("brightness 0, rotation 3")
    other.press("Enter")
    expect(body).to_contain_text("6 answers, each with a map")
    body.get_by_role("button", name="Ask", exact=True).click()
    expect(body).to_have_count(0)
    expect(newest(page, SUMMARY)).to_contain_text("Of all 4 answers")
    expect(newest(page, SUMMARY)).to_contain_text("Not asked: brightness 0 empties the image")
    click_cell(page, 1, 1, 2, 2)
    expect(newest(page, PAIR)).to_contain_text("4 own 1, rotation 3  Pneumonia, yes or no?")
