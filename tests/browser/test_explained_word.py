"""On the Explain page with a word explained: other words, zones, questions, files to take home."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explain_page import (
    FIRST_SAMPLE,
    MAP,
    RADIOGRAPH,
    SELECTED,
    SENTENCE,
    ZONES,
    Said,
    another_radiograph,
    answer_text,
    answered,
    changed,
    choose_span,
    close_popover,
    downloaded,
    go_home_and_back,
    idle,
    newest,
    put,
    seen,
    sentence,
    zone_rows,
)
from tests.browser.looking import OpenPage

pytestmark = pytest.mark.browser

# Asked by one test here, for a question that was asked before is answered at once.
EFFUSION = "Is there evidence of pleural effusion?"


def test_clicking_a_word_changes_sentence_map_bars_and_table(standing: Page) -> None:
    before = seen(standing)
    standing.locator("[data-token-index]:not(.selected)").first.click()
    changed(standing, before)
    assert standing.locator(SELECTED).count() == 1


def test_shift_click_selects_a_span(standing: Page) -> None:
    newest(standing, '[data-token-index="0"]').click()
    expect(sentence(standing)).not_to_contain_text("these")
    idle(standing)
    before = seen(standing)
    choose_span(standing, 0, 3)
    changed(standing, before)
    assert standing.locator(SELECTED).count() == 4


def test_the_whole_answer_and_a_contrast_are_one_click_away(standing: Page) -> None:
    standing.get_by_role("button", name="whole answer").click()
    expect(sentence(standing)).to_contain_text("Why this answer?")
    newest(standing, '[data-token-index="0"]').click()
    expect(sentence(standing)).not_to_contain_text("Why this answer?")
    standing.locator(f"{SENTENCE} button.action").first.click()
    expect(sentence(standing)).to_contain_text("rather than")
    standing.locator(f"{SENTENCE} button.action").first.click()
    expect(sentence(standing)).not_to_contain_text("rather than")


def test_a_phrase_is_found_and_a_missing_one_is_named(standing: Page) -> None:
    standing.get_by_role("button", name="whole answer").click()
    expect(sentence(standing)).to_contain_text("Why this answer?")
    standing.get_by_role("button", name="Find a phrase").click()
    box = standing.get_by_label("Phrase in the answer")
    box.fill("no such words")
    box.press("Enter")
    expect(newest(standing, ".st-key-phrase_error")).to_contain_text("not in the answer")
    words = newest(standing, '[data-token-index="0"]').inner_text().strip()
    box.fill(words)
    box.press("Enter")
    standing.get_by_role("button", name=re.compile("Explain place 1 of")).click()
    expect(sentence(standing)).to_contain_text(f"Why {words}?")
    close_popover(standing)


def test_a_question_is_answered_while_the_picture_stays(standing: Page, said: Said) -> None:
    before = seen(standing)
    assert before["answer"] != said(FIRST_SAMPLE, EFFUSION)
    put(standing, EFFUSION)
    expect(standing.locator(MAP)).to_have_count(1)
    assert answered(standing) == said(FIRST_SAMPLE, EFFUSION)
    changed(standing, before)
    assert newest(standing, RADIOGRAPH).get_attribute("href") == before["radiograph"]
    expect(newest(standing, ".st-key-question input")).to_have_value(EFFUSION)


def test_another_page_and_back_keeps_everything(standing: Page) -> None:
    before = seen(standing)
    standing.locator("[data-token-index]:not(.selected)").first.click()
    changed(standing, before)
    idle(standing)
    single = standing.get_by_role("switch", name="single tokens")
    single.click()
    before = seen(standing)
    go_home_and_back(standing)
    assert seen(standing) == before
    expect(single).to_have_attribute("aria-checked", "true")
    single.click()
    expect(single).to_have_attribute("aria-checked", "false")


def test_a_chosen_zone_is_lit_on_the_film_and_dragging_there_changes_the_window(
    standing: Page,
) -> None:
    shapes = standing.locator(".st-key-overlay .shapelayer path")
    row = zone_rows(standing).locator(".ag-row").filter(has_text="Left mid")
    unlit = shapes.count()
    row.click()
    expect(shapes).to_have_count(unlit + 1)
    # The row of that zone, wherever the numbers of another word have put it.
    before = seen(standing)
    newest(standing, "[data-token-index]:not(.selected)").first.click()
    changed(standing, before)
    expect(row).to_contain_class("ag-row-selected")
    go_home_and_back(standing)
    expect(row).to_contain_class("ag-row-selected")
    expect(zone_rows(standing).locator(".ag-row-selected")).to_have_count(1)
    # One stop of the Tab key; its cells are reached by arrows.
    newest(standing, ".st-key-zones_title input").focus()
    frame, active = newest(standing, ZONES), "one => document.activeElement === one"
    for inside in (True, False):
        standing.keyboard.press("Tab")
        assert frame.evaluate(active) is inside
    # It is set in the page's typeface.
    loaded = "() => [...document.fonts].filter(one => one.status == 'loaded')"
    assert row.evaluate(f"({loaded})().map(one => one.family)") == ["Source Sans"]
    row.click()
    expect(shapes).to_have_count(unlit)

    idle(standing)
    shown = newest(standing, RADIOGRAPH).get_attribute("href") or ""
    switch = standing.get_by_text("Drag to window", exact=True)
    switch.click()
    idle(standing)
    box = newest(standing, ".window-drag-over").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    standing.mouse.move(x, y)
    standing.mouse.down()
    standing.mouse.move(x + 60, y + 40, steps=4)
    standing.mouse.up()
    another_radiograph(standing, shown)
    switch.click()
    idle(standing)


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("Map PNG", b"\x89PNG"),
        ("Numbers CSV", b"table,item,row,column,measure,value"),
    ],
)
def test_files_can_be_taken_home(standing: Page, tmp_path: Path, name: str, marks: bytes) -> None:
    assert downloaded(standing, name, tmp_path).read_bytes().startswith(marks)


def test_the_archive_holds_numbers_and_provenance(standing: Page, tmp_path: Path) -> None:
    with zipfile.ZipFile(downloaded(standing, "NPZ + JSON", tmp_path)) as archive:
        assert archive.namelist() == ["relevancy.npz", "explanation.json"]


def test_the_report_opens_anywhere_and_asks_for_nothing(
    standing: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    report = downloaded(standing, "Report HTML", tmp_path)
    reader = open_page()
    requests: list[str] = []
    reader.on("request", lambda request: requests.append(request.url))
    reader.goto(report.as_uri())
    expect(
        reader.locator(".plot .js-plotly-plot .bars path, .plot .bars path").first
    ).to_be_visible()
    picture = reader.locator(".hero img")
    assert picture.evaluate("one => one.complete && one.naturalWidth > 100")
    expect(newest(reader, ".answer")).to_contain_text(answer_text(standing).strip())
    expect(reader.locator("mark").first).to_be_visible()
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [report.as_uri()]
