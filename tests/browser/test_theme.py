"""The system's theme changes while a page is open: at dusk, or by the reader's hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from medgemma_dash.figures import palette
from tests.browser.explain_page import ZONES, explain, newest, seen, settled

pytestmark = pytest.mark.browser

# Words that a figure writes in the colours of its theme.
LABEL = ".st-key-overlay .annotation-text"


def in_theme(page: Page, dark: bool) -> None:
    """Until the figure's words and the table's ground have the colours of this theme."""
    colours = palette(dark)
    written, ground = _rgb(colours.muted), _rgb(colours.background)
    expect(newest(page, LABEL).last).to_have_css("fill", written)
    table = newest(page, ZONES).content_frame.locator(".ag-root-wrapper")
    expect(table).to_have_css("background-color", ground)


def _rgb(colour: str) -> str:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgb({red}, {green}, {blue})"


def test_figures_and_table_follow_a_theme_that_changes_under_the_page(
    page: Page, app_url: str
) -> None:
    """Over 5 s: the Explain page is opened, and all of it drawn anew."""
    explain(page, app_url)
    in_theme(page, dark=True)
    said = seen(page)["sentence"]
    page.emulate_media(color_scheme="light")
    in_theme(page, dark=False)
    settled(page)
    assert seen(page)["sentence"] == said
