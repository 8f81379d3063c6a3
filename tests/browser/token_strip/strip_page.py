"""The token strip on a page of its own: what a test sees of it."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import idle

APP = Path(__file__).parents[1] / "apps" / "strip.py"


def opened(page: Page, address: str, query: str = "") -> Page:
    page.goto(f"{address}/?{query}")
    expect(token(page, 0)).to_be_visible()
    idle(page)
    return page


def token(page: Page, index: int) -> Locator:
    return page.locator(f'[data-token-index="{index}"]')


def boxed(page: Page) -> list[int]:
    found = page.locator("[data-token-index].selected").evaluate_all(
        "all => all.map(one => Number(one.dataset.tokenIndex))"
    )
    return [int(index) for index in found]


def expect_log(page: Page, entries: str) -> None:
    expect(page.get_by_text(f"log {entries}", exact=True)).to_be_visible()


def expect_box(page: Page, start: int, stop: int) -> None:
    expect(page.locator("[data-token-index].selected")).to_have_count(stop - start)
    assert boxed(page) == list(range(start, stop))


def option(page: Page, name: str) -> Locator:
    return page.get_by_role("option").filter(has_text=re.compile(f"^{name}$"))
