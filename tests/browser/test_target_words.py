"""The Target Words page in a real browser: words that were said, and one that was not."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from medgemma_dash import read_record
from tests.browser.explain_page import covered_by_controls, downloaded, idle, newest, token

pytestmark = pytest.mark.browser

MAPS = ".st-key-words_maps .heatmaplayer image"
# One figure, whose layout and pictures are both of these words; see the Compare page's.
SHOWS = """([maps, titles]) => {
  const figures = [...document.querySelectorAll('.st-key-words_maps .js-plotly-plot')];
  if (figures.length !== 1 || !figures[0].layout) return false;
  const titled = (figures[0].layout.annotations ?? [])
    .map(one => /^<b>(.*?)<\\/b><br>/.exec(one.text)?.[1]).filter(Boolean);
  return JSON.stringify(titled) === JSON.stringify(titles)
    && document.querySelectorAll(maps).length === titles.length;
}"""
BARS = """() => [...document.querySelectorAll('.st-key-words_quality .bars path')]
  .map(bar => bar.getAttribute('d')).join()"""


def shows(page: Page, *titles: str) -> None:
    page.wait_for_function(SHOWS, arg=[MAPS, titles])
    idle(page)


def test_words_said_and_forced_are_mapped_and_the_record_is_saved(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    page.goto(f"{app_url}/Target_Words")
    shows(page, "Yes", "consolidation", "right", "lower", "zone")
    main = page.get_by_test_id("stMain")
    fold = main.evaluate("main => main.getBoundingClientRect().bottom")
    for part in ("words_maps", "words_quality"):
        box = newest(page, f".st-key-{part}").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= fold, part  # seen without scrolling
    words = newest(page, ".st-key-words_typed").get_by_role("textbox")
    words.fill("right, effusion")
    words.press("Enter")
    shows(page, "right")
    line = newest(page, ".st-key-words_missing .rich-line")
    expect(line).to_contain_text("'effusion' is not in the answer")
    line.get_by_role("button", name="force it into the answer").click()
    shows(page, "right (answer)", "right (forced)", "effusion (forced)")
    expect(line).to_have_count(0)
    token(page, "lower").click()
    shows(
        page, "right (answer)", "right (forced)", "effusion (forced)", "lower (answer)",
        "lower (forced)",
    )  # fmt: skip
    expect(words).to_have_value("right, effusion, lower")
    bars, pictures = page.evaluate(BARS), page.locator(MAPS)
    before = pictures.first.get_attribute("href")
    newest(page, ".st-key-words_border").locator("label").first.click()
    expect(pictures.first).not_to_have_attribute("href", before or "")
    idle(page)
    assert page.evaluate(BARS) == bars
    assert covered_by_controls(page, 2) == []
    record = read_record(downloaded(page, "Record ZIP", tmp_path))
    assert record.plan["words"] == ["right", "effusion", "lower"]
    assert record.plan["places"] == ["answer", "forced"]
