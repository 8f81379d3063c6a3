"""A reader draws on the film, and sees what becomes of the answer without those patches."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.explain_page import explain
from tests.browser.looking import OUR_DIALOG, OpenPage, Photograph, idle
from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser

LINE = ".st-key-intervention_changes_line .rich-line"
ANSWERS = ".st-key-intervention_changed_answers .rich-line"
FILM = ".st-key-intervention_film"
FITS = "e => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]"

Places = list[tuple[float, float]]  # in shares of the film's width and height


@pytest.fixture
def opened(page: Page, app_url: str) -> Page:
    explain(page, app_url)
    return open_dialog(page)


def open_dialog(page: Page) -> Page:
    page.get_by_role("button", name=OUR_DIALOG).click()
    found(page, r"\d+ of 256 patches are removed")
    return page


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name=OUR_DIALOG)


def found(page: Page, words: str) -> None:
    """Until the result says this, and nothing is drawn any more."""
    expect(page.locator(LINE)).to_have_text(re.compile(words))
    idle(page)
    expect(page.locator(f"{FILM} .heatmaplayer image")).to_have_count(1)


def drag(page: Page, places: Places) -> None:
    frame = page.locator(f"{FILM} .nsewdrag").bounding_box()
    assert frame is not None
    at = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def test_without_the_lesion_the_model_says_no_and_with_it_alone_the_same(
    opened: Page, photograph: Photograph
) -> None:
    page = opened
    # Over the patches of rows 7 to 13 and columns 2 to 6, which hold the consolidation.
    drag(page, [(0.1, 0.42), (0.2, 0.5), (0.45, 0.88)])
    found(page, "35 of 256 patches are removed")
    expect(page.locator(LINE)).to_contain_text("“Yes” changes most: its logit falls by")
    expect(page.locator(ANSWERS)).to_have_text(
        re.compile(r"Before\s+Yes, there is consolidation.*After\s+No, there is no", re.S)
    )
    expect(page.locator(".st-key-intervention_changes_figure .bars path")).to_have_count(11)
    expect(page.locator(".st-key-intervention_box_numbers canvas").first).to_be_visible()
    photograph(page, "interventions-removed")
    dialog(page).get_by_text("Keep", exact=True).click()
    found(page, "35 of 256 patches are kept")
    expect(page.locator(ANSWERS)).to_contain_text("Asked anew, the model gives the same answer.")
    assert dialog(page).evaluate(FITS) == [0, 0]
    assert violations(page, '[role="dialog"]') == []


def test_a_selection_is_painted_cleared_and_still_there_when_the_dialog_is_opened_again(
    opened: Page,
) -> None:
    page = opened
    # From the corner of the film, which a drag would otherwise push aside.
    drag(page, [(0.004, 0.004), (0.1, 0.1), (0.2, 0.2)])
    found(page, "9 of 256 patches are removed")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".st-key-no_intervention")).to_contain_text("No patch is selected.")
    dialog(page).get_by_text("Paint", exact=True).click()
    expect(dialog(page).get_by_text("Draw over patches, or around them")).to_be_visible()
    idle(page)
    drag(page, [(0.6, 0.3), (0.8, 0.3), (0.8, 0.5), (0.6, 0.5), (0.6, 0.31)])
    # Columns 10 to 12, rows 5 to 7.
    found(page, "9 of 256 patches are removed")
    frame = page.locator(f"{FILM} .nsewdrag").bounding_box()
    assert frame is not None
    page.mouse.click(frame["x"] + 0.1 * frame["width"], frame["y"] + 0.1 * frame["height"])
    found(page, "10 of 256 patches are removed")
    # A stroke that goes around nothing: columns 10 to 13 of row 12.
    drag(page, [(0.64, 0.78), (0.86, 0.78)])
    found(page, "14 of 256 patches are removed")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_role("button", name=OUR_DIALOG)).to_be_enabled()
    open_dialog(page)
    found(page, "14 of 256 patches are removed")


def test_on_a_phone_it_is_one_column(
    open_page: OpenPage, app_url: str, photograph: Photograph
) -> None:
    page = open_dialog(explain(open_page(width=390, height=844, dark=False), app_url))
    assert dialog(page).evaluate(FITS)[0] == 0
    photograph(page, "interventions-phone")
