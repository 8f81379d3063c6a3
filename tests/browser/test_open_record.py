"""An evidence record goes from the page that computed it to one that did not, and is closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from medgemma_dash import read_record
from tests.browser.explain_page import close_popover, explain, idle, newest, token
from tests.browser.looking import OpenPage

pytestmark = pytest.mark.browser

BOX = '.st-key-record_box input[type="file"]'
STRIP = ".st-key-opened_record [data-token-index]"


def test_an_answers_evidence_is_saved_and_opened_in_another_session(
    open_page: OpenPage, app_url: str, tmp_path: Path
) -> None:
    page = explain(open_page(), app_url)
    page.get_by_role("button", name="Did it need the image?").click()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Record ZIP").click()
    saved = tmp_path / "evidence.zip"
    saving.value.save_as(saved)
    close_popover(page)
    record = read_record(saved)

    other = open_page(dark=False)
    other.goto(app_url)
    address = other.url
    give(other, tmp_path / "half.zip", saved.read_bytes()[: saved.stat().st_size // 2])
    expect(newest(other, ".st-key-record_problem .rich-line")).to_contain_text("was cut off")
    give(other, saved, saved.read_bytes())
    said = newest(other, ".st-key-opened_record .rich-line").first
    expect(said).to_contain_text("Computed elsewhere")
    expect(other.locator(".st-key-record_problem")).to_have_count(0)
    expect(newest(other, STRIP)).to_have_count(len(record.tables["words"]))
    assert other.url == address
    token(other, "there").click()
    word = newest(other, ".st-key-evidence_word_line .rich-line")
    expect(word).to_contain_text("there")
    expect(word).to_contain_text("Language prior")
    expect(newest(other, ".st-key-evidence_word_figure .bars path")).to_have_count(4)
    other.get_by_role("button", name="close it").click()
    expect(other.locator(STRIP)).to_have_count(0)
    expect(other.locator(".st-key-opened_record")).to_have_count(0)
    idle(other)


def give(page: Page, file: Path, data: bytes) -> None:
    """Drop it into the box, once that has let go of what it was given before."""
    file.write_bytes(data)
    idle(page)
    newest(page, BOX).set_input_files(file)
