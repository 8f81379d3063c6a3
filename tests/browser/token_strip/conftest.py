"""A script that shows the token strip alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.serving import ServeApp
from tests.browser.token_strip.strip_page import APP, opened


@pytest.fixture(scope="session")
def strip_url(serve_app: ServeApp) -> str:
    return serve_app(APP)


@pytest.fixture(scope="session")
def opened_at(strip_url: str) -> Callable[[Page, str], Page]:
    return lambda page, query: opened(page, strip_url, query)
