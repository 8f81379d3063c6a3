"""The Faithfulness page in a real browser: a word tested, the film at a step, checks, removals."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explain_page import downloaded, idle, newest

pytestmark = pytest.mark.browser

SAYS = ".st-key-faithfulness_says .rich-line"
ANSWER = ".st-key-masked_answer .rich-line"
MASKED = ".st-key-masked_film .imagelayer image"
UNDER_WAY = ".st-key-cancel_faithfulness"


def masked(page: Page) -> str:
    """The film at the step that is looked at."""
    expect(newest(page, MASKED)).to_have_count(2)
    return newest(page, MASKED).nth(1).get_attribute("href") or ""


# Over 5 s: some 300 masks, and the sanity checks, by the demo model.
def test_a_word_is_tested_looked_at_step_by_step_and_taken_home(page: Page, app_url, tmp_path):
    page.goto(f"{app_url}/Faithfulness?sample=consolidation-right-lower&word=7")
    # What its image effect is stands in front of the verdict.
    expect(newest(page, SAYS)).to_contain_text("better than chance on this word: yes")
    expect(newest(page, SAYS)).to_have_text(re.compile(r"^By mean token, the image gives it"))
    expect(newest(page, ANSWER)).to_contain_text("The model now answers “No, ")
    idle(page)
    before = masked(page)
    # Far to the left of the second curve nothing is kept; all the way to the right all is.
    area = newest(page, ".st-key-curve_insertion .nsewdrag").first
    box = area.bounding_box()
    assert box is not None
    area.click(position={"x": box["width"] - 2, "y": box["height"] / 2})
    expect(newest(page, ANSWER)).to_contain_text("The model answers as before")
    expect(newest(page, ".st-key-masked_meaning .rich-line")).to_contain_text("100% kept")
    idle(page)
    assert masked(page) != before
    slider = page.get_by_role("slider", name="Share of the image")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    expect(newest(page, ".st-key-masked_meaning .rich-line")).to_contain_text("80% kept")
    page.get_by_role("button", name="Run the sanity checks").click()
    expect(newest(page, ".st-key-sanity_row .rich-line")).to_contain_text("✓ repeatability 0")
    expect(page.locator(UNDER_WAY)).to_have_count(0)
    idle(page)
    record = downloaded(page, "Record ZIP", tmp_path)
    assert record.name.endswith("-faithfulness.zip")
    # A test that takes longer is stopped, and what is known stays.
    page.get_by_role("button", name="Test by all removals").click()
    cancel = newest(page, UNDER_WAY).get_by_text("cancel", exact=True)
    cancel.click()
    expect(newest(page, ".st-key-faithfulness_problem .rich-line")).to_contain_text("stopped")
    expect(newest(page, SAYS)).to_contain_text("better than chance on this word: yes")
