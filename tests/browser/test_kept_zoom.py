"""The zoom of the Explain page's map stays while words are chosen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.explain_page import changed, explain, idle, newest, seen, token

pytestmark = pytest.mark.browser

FIGURE = ".st-key-overlay .js-plotly-plot"


def shown_width(page: Page) -> float:
    """Pixels of the radiograph from the left to the right edge of the picture."""
    left, right = page.evaluate(f"document.querySelector('{FIGURE}').layout.xaxis.range")
    return float(right) - float(left)


def test_a_zoom_stays_when_another_word_is_chosen(page: Page, app_url: str) -> None:
    explain(page, app_url)
    idle(page)
    whole = shown_width(page)
    newest(page, FIGURE).hover()
    newest(page, f'{FIGURE} .modebar-btn[data-title="Zoom in"]').click()
    page.wait_for_function(
        f"whole => {{ const [a, b] = document.querySelector('{FIGURE}').layout.xaxis.range;"
        " return b - a < 0.6 * whole; }",
        arg=whole,
    )
    zoomed = shown_width(page)
    # The figure tells of a zoom when the reader's hand rests; nothing on the page shows that.
    page.wait_for_timeout(400)
    idle(page)
    before = seen(page)
    token(page, "right").click()
    changed(page, before)
    assert shown_width(page) == pytest.approx(zoomed, rel=0.01)
