"""The main path in a real browser: open, ask, click a word, see why, and take it home."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

OpenPage = Callable[..., Page]
SAMPLES = Path(__file__).parents[2] / "assets" / "samples"
SENTENCE = ".st-key-why_sentence .rich-line"


def explain(page: Page, app_url: str, query: str = "") -> Page:
    """The Explain page with its opening word explained."""
    page.goto(f"{app_url}/Explain{query}")
    settled(page)
    return page


def sentence(page: Page) -> Locator:
    """The one sentence; while the page is drawn anew the old one may still stand beside it."""
    found = page.locator(SENTENCE)
    expect(found).to_have_count(1)
    return found


def settled(page: Page) -> None:
    """Until a map is drawn for the selected word."""
    expect(page.locator(".st-key-overlay .heatmaplayer image")).to_have_count(1)
    expect(page.locator(".st-key-layers .bars path").first).to_be_visible()
    expect(sentence(page)).to_contain_text("Why ")
    grid = page.frame_locator(".st-key-zones iframe").locator(".ag-center-cols-container")
    expect(grid).to_contain_text("lower")


def token(page: Page, text: str) -> Locator:
    return page.locator("[data-token-index]").filter(has_text=re.compile(f"^{text}$")).first


def seen(page: Page) -> dict[str, str]:
    """What is on screen: sentence, map, bars and table, each as something to compare."""
    grid = page.frame_locator(".st-key-zones iframe").locator(".ag-center-cols-container")
    return {
        "sentence": page.locator(SENTENCE).inner_text(),
        "map": page.locator(".st-key-overlay .heatmaplayer image").get_attribute("href") or "",
        "bars": page.locator(".st-key-layers .bars").inner_html(),
        "zones": grid.inner_text(),
    }


def changed(page: Page, before: dict[str, str]) -> None:
    """Until sentence, map, bars and table all differ from before."""
    expect(sentence(page)).not_to_have_text(before["sentence"], use_inner_text=True)
    map_picture = page.locator(".st-key-overlay .heatmaplayer image")
    expect(map_picture).not_to_have_attribute("href", before["map"])
    grid = page.frame_locator(".st-key-zones iframe").locator(".ag-center-cols-container")
    expect(grid).not_to_have_text(before["zones"], use_inner_text=True)
    page.wait_for_function(
        "before => document.querySelector('.st-key-layers .bars')?.innerHTML !== before",
        arg=before["bars"],
    )


def ask(page: Page, question: str) -> None:
    page.locator(".st-key-question input").fill(question)
    page.locator(".st-key-ask button").click()


@pytest.fixture
def explained(page: Page, app_url: str) -> Page:
    return explain(page, app_url)


def test_a_sample_opens_from_home_with_its_word_explained(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.locator(".st-key-sample_grid [data-testid='stBaseButton-tertiary']").first.click()
    settled(page)
    assert "/Explain" in page.url
    assert page.locator('[data-token-index][aria-selected="true"]').count() >= 1
    assert not page.outside, page.outside  # type: ignore[attr-defined]
    assert not page.failures, page.failures  # type: ignore[attr-defined]


def test_clicking_a_word_changes_sentence_map_bars_and_table(explained: Page) -> None:
    before = seen(explained)
    explained.locator('[data-token-index][aria-selected="false"]').first.click()
    changed(explained, before)
    assert explained.locator('[data-token-index][aria-selected="true"]').count() == 1


def test_shift_click_selects_a_span(explained: Page) -> None:
    explained.locator('[data-token-index="0"]').click()
    expect(explained.locator('[data-token-index="0"]')).to_have_attribute("aria-selected", "true")
    explained.locator('[data-token-index="3"]').click(modifiers=["Shift"])
    expect(explained.locator('[data-token-index][aria-selected="true"]')).to_have_count(4)
    expect(sentence(explained)).to_contain_text("tokens")


def test_the_whole_answer_and_a_contrast_are_one_click_away(explained: Page) -> None:
    explained.get_by_role("button", name="whole answer").click()
    expect(sentence(explained)).to_contain_text("Why this answer?")
    explained.locator('[data-token-index="0"]').click()
    explained.locator(f"{SENTENCE} button.action").first.click()
    expect(sentence(explained)).to_contain_text("rather than")
    explained.locator(f"{SENTENCE} button.action").first.click()
    expect(sentence(explained)).not_to_contain_text("rather than")


def test_a_phrase_is_found_and_a_missing_one_is_named(explained: Page) -> None:
    explained.get_by_role("button", name="Find a phrase").click()
    box = explained.get_by_label("Phrase in the answer")
    box.fill("no such words")
    box.press("Enter")
    expect(explained.locator(".st-key-phrase_error")).to_contain_text("not in the answer")
    words = explained.locator('[data-token-index="0"]').inner_text().strip()
    box.fill(words)
    box.press("Enter")
    explained.get_by_role("button", name=re.compile("Explain place 1 of")).click()
    expect(sentence(explained)).to_contain_text(f"Why {words}?")


def test_a_question_is_answered_while_the_picture_stays(explained: Page) -> None:
    ask(explained, "Is the heart enlarged?")
    expect(explained.locator(".st-key-stream, .st-key-tokens").first).to_be_visible()
    settled(explained)
    expect(explained.locator(".st-key-question input")).to_have_value("Is the heart enlarged?")


def test_an_uploaded_dicom_is_shown_and_can_be_asked_about(explained: Page) -> None:
    explained.get_by_role("button", name="Open another").click()
    explained.locator('input[type="file"]').set_input_files(next(SAMPLES.glob("*.dcm")))
    expect(explained.locator(".st-key-overlay .heatmaplayer image")).to_have_count(0)
    assert "sample=" not in explained.url
    ask(explained, "Describe this chest X-ray.")
    settled(explained)


def test_a_hostile_upload_is_refused_and_everything_stays(explained: Page, tmp_path: Path) -> None:
    before = seen(explained)
    hostile = tmp_path / "<img src=x onerror=alert(1)>.png"
    hostile.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    explained.get_by_role("button", name="Open another").click()
    explained.locator('input[type="file"]').set_input_files(hostile)
    expect(explained.locator(".st-key-notice")).to_contain_text("not opened")
    assert seen(explained)["map"] == before["map"]


HOSTILE_QUESTIONS = [
    '<img src="http://outside.invalid/x.png"><script>alert(1)</script>',
    "![x](http://outside.invalid/x.png) **bold** $$x$$ :smile:",
    "هل يوجد التهاب رئوي؟ \u202e abc",
    "👩🏽‍⚕️🫁 ?",
]


@pytest.mark.parametrize("question", HOSTILE_QUESTIONS)
def test_a_question_with_markup_stays_text(explained: Page, question: str) -> None:
    ask(explained, question)
    settled(explained)
    expect(explained.locator(".st-key-question input")).to_have_value(question)
    assert explained.locator("img[src*='outside.invalid']").count() == 0
    assert not explained.outside, explained.outside  # type: ignore[attr-defined]
    assert not explained.failures, explained.failures  # type: ignore[attr-defined]


# Within the box's limit of characters, and more than 1,024 tokens.
TOO_LONG = "ż7" * 1900


@pytest.mark.parametrize("question", ["", "<start_of_image> what is this?", TOO_LONG])
def test_a_question_that_cannot_be_asked_is_refused_and_everything_stays(
    explained: Page, question: str
) -> None:
    before = seen(explained)
    ask(explained, question)
    expect(explained.locator(".st-key-notice")).to_be_visible()
    settled(explained)
    assert seen(explained)["map"] == before["map"]


def test_another_page_and_back_keeps_everything(explained: Page) -> None:
    first = explained.locator('[data-token-index="0"]')
    first.click()
    expect(sentence(explained)).to_contain_text(f"Why {first.inner_text().strip()}?")
    settled(explained)
    before = seen(explained)
    explained.get_by_role("link", name="MedGemma Dash").click()
    expect(explained.get_by_text("Open a radiograph")).to_be_visible()
    explained.get_by_role("link", name="Explain").click()
    settled(explained)
    assert seen(explained)["sentence"] == before["sentence"]
    assert seen(explained)["map"] == before["map"]


def test_leaving_in_the_middle_of_an_answer_loses_nothing(explained: Page) -> None:
    ask(explained, "Describe this chest X-ray.")
    explained.get_by_role("link", name="MedGemma Dash").click()
    expect(explained.get_by_text("Open a radiograph")).to_be_visible()
    explained.get_by_role("link", name="Explain").click()
    settled(explained)
    expect(explained.locator(".st-key-question input")).to_have_value("Describe this chest X-ray.")


def test_every_word_can_be_explained_and_a_patch_says_which_words_leaned_on_it(
    explained: Page,
) -> None:
    explained.get_by_role("button", name="Explain every word").click()
    expect(explained.get_by_role("button", name="Every word is explained")).to_be_disabled()
    expect(explained.locator("[data-token-index]:not(.computed)")).to_have_count(0)
    explained.locator(".st-key-overlay .nsewdrag").first.click(position={"x": 150, "y": 350})
    expect(explained.locator(".st-key-cell_line")).to_contain_text("Row ")


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("Map PNG", b"\x89PNG"),
        ("Numbers CSV", b"table,item,row,column,measure,value"),
        ("Report HTML", b"<!DOCTYPE html>"),
    ],
)
def test_files_can_be_taken_home(explained: Page, name: str, marks: bytes) -> None:
    with explained.expect_download() as waiting:
        explained.get_by_role("button", name=name).click()
    content = Path(waiting.value.path()).read_bytes()
    assert content.startswith(marks)


def test_the_archive_holds_numbers_and_provenance(explained: Page) -> None:
    with explained.expect_download() as waiting:
        explained.get_by_role("button", name="NPZ + JSON").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.namelist() == ["relevancy.npz", "explanation.json"]


def test_two_sessions_at_once_do_not_meet(open_page: OpenPage, app_url: str) -> None:
    first, second = explain(open_page(), app_url), explain(open_page(), app_url)
    ask(first, "Is the heart enlarged?")
    ask(second, "Describe this chest X-ray.")
    settled(first)
    settled(second)
    expect(first.locator(".st-key-question input")).to_have_value("Is the heart enlarged?")
    expect(second.locator(".st-key-question input")).to_have_value("Describe this chest X-ray.")


@pytest.mark.parametrize("width", [1440, 800])
@pytest.mark.parametrize("dark", [True, False])
def test_the_pages_fit_their_window(
    open_page: OpenPage, app_url: str, screenshots: Path, width: int, dark: bool
) -> None:
    page = explain(open_page(width=width, height=900, dark=dark), app_url)
    theme = "dark" if dark else "light"
    page.screenshot(path=screenshots / f"explain-{theme}-{width}.png", full_page=True)
    heights = "m => [m.scrollHeight - m.clientHeight, m.scrollWidth - m.clientWidth]"
    down, across = page.get_by_test_id("stMain").evaluate(heights)
    assert across <= 0
    if width == 1440:
        assert down <= 0
    page.goto(app_url)
    expect(page.locator(".st-key-sample_grid img").first).to_be_visible()
    page.screenshot(path=screenshots / f"home-{theme}-{width}.png", full_page=True)
