"""The main path in a real browser: open, ask, click a word, see why, and take it home."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explain_page import (
    DICOM,
    FIRST_SAMPLE,
    SELECTED,
    Said,
    answer_text,
    answered,
    ask,
    changed,
    choose_span,
    click_new_word,
    click_patch,
    close_popover,
    downloaded,
    explain,
    go_home_and_back,
    idle,
    newest,
    opened_instead,
    put,
    seen,
    sentence,
    settled,
    upload,
)
from tests.browser.looking import OpenPage

pytestmark = pytest.mark.browser

# A question that was asked before is answered at once; these are asked by one test each.
HEART, DESCRIBE = "Is the heart enlarged?", "Describe this chest X-ray."
AT_ONCE = "Where is the nodule?", "Is there evidence of pneumothorax?"
FIRST_QUESTION = "Is there evidence of pneumonia in this chest radiograph?"


def test_the_whole_path_in_one_session(
    page: Page, app_url: str, said: Said, tmp_path: Path
) -> None:
    page.goto(app_url)
    page.locator(".st-key-sample_grid [data-testid='stBaseButton-tertiary']").first.click()
    settled(page)
    assert page.url.endswith(f"/Explain?sample={FIRST_SAMPLE.stem}")
    assert answer_text(page) == said(FIRST_SAMPLE, FIRST_QUESTION)
    assert page.locator(SELECTED).count() >= 1

    before = seen(page)
    assert ask(page, HEART) == said(FIRST_SAMPLE, HEART) != before["answer"]
    changed(page, before)

    before = seen(page)
    click_new_word(page)
    changed(page, before)

    before = seen(page)
    choose_span(page, 0, 3)
    changed(page, before)

    before = seen(page)
    upload(page, DICOM)
    opened_instead(page, before)
    assert "sample=" not in page.url
    close_popover(page)
    assert ask(page, DESCRIBE) == said(DICOM, DESCRIBE)

    word = click_new_word(page)
    expect(sentence(page)).to_contain_text(f"Why {word}?")
    idle(page)
    before = seen(page)
    go_home_and_back(page)
    assert seen(page) == before

    report = downloaded(page, "Report HTML", tmp_path).read_text("utf-8")
    assert said(DICOM, DESCRIBE).split()[-1] in report
    assert DESCRIBE in report


def test_a_patch_of_an_upload_can_be_clicked_before_anything_was_asked(
    page: Page, app_url: str
) -> None:
    before = seen(explain(page, app_url))
    upload(page, DICOM)
    opened_instead(page, before)
    close_popover(page)
    boxes = page.locator(".st-key-overlay .shapelayer path")
    expect(boxes).to_have_count(0)
    click_patch(page, 5, 3)
    expect(boxes).to_have_count(1)
    idle(page)
    expect(boxes).to_have_count(1)
    ask(page, DESCRIBE)


def test_every_word_can_be_explained_and_a_patch_says_which_words_leaned_on_it(
    page: Page, app_url: str
) -> None:
    explain(page, app_url)
    page.get_by_role("button", name="Explain every word").click()
    expect(page.get_by_role("button", name="Every word is explained")).to_be_disabled()
    expect(page.locator("[data-token-index]:not(.computed)")).to_have_count(0)
    click_patch(page, 11, 4)
    expect(newest(page, ".st-key-cell_line")).to_contain_text("Row 11, column 4")


def test_two_sessions_at_once_do_not_meet(open_page: OpenPage, app_url: str, said: Said) -> None:
    first, second = pages = explain(open_page(), app_url), explain(open_page(), app_url)
    for page, question in zip(pages, AT_ONCE, strict=True):
        put(page, question)
    answers = [answered(page) for page in pages]
    assert answers == [said(FIRST_SAMPLE, question) for question in AT_ONCE]
    assert answers[0] != answers[1]
    for page, question in zip(pages, AT_ONCE, strict=True):
        expect(newest(page, ".st-key-question input")).to_have_value(question)
    before = seen(second)
    word = click_new_word(first)
    expect(sentence(first)).to_contain_text(f"Why {word}?")
    assert seen(second) == before


def test_a_patch_that_is_clicked_again_is_let_go_and_can_be_chosen_anew(
    page: Page, app_url: str
) -> None:
    explain(page, app_url)
    boxes = page.locator(".st-key-overlay .shapelayer path")
    peak_alone, with_patch = 1, 2
    for expected in (with_patch, peak_alone, with_patch, peak_alone):
        # Too far from the click before to be taken for the second one of a double click.
        click_patch(page, 3, 12, 0.3 if expected == with_patch else -0.3)
        expect(boxes).to_have_count(expected)
        idle(page)
