"""A real browser and a real server for tests: Debian's chromium, driven by Playwright.

Test modules here carry `pytestmark = pytest.mark.browser`; without a chromium they are skipped
on a developer's machine and fail in CI, which the conftest above decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.explain_page import Said, settled
from tests.browser.looking import (
    CHROMIUM_FLAGS,
    Look,
    OpenPage,
    Photograph,
    assert_unblemished,
    pages_of,
    take_picture,
)
from tests.browser.serving import ROOT, ServeApp, served

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=browser_path, args=list(CHROMIUM_FLAGS)
        )
        try:
            yield running
        finally:
            running.close()


@pytest.fixture(scope="session")
def serve_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeApp]:
    """Serve a script; each is started once a session and stopped at its end."""
    with ExitStack() as running:

        @cache
        def serve(script: Path, launcher: Path | None = None, **environment: str) -> str:
            log = tmp_path_factory.mktemp("server") / "log.txt"
            return running.enter_context(served(script, log, launcher, **environment))

        yield serve


@pytest.fixture(scope="session")
def app_url(serve_app: ServeApp) -> str:
    """The address of the whole program."""
    return serve_app(ROOT / "Home.py")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens pages as `pages_of` does; at the end of the test each of them is unblemished."""
    pages: list[Page] = []
    with pages_of(browser) as open_one:

        def open_and_note(**options: int | bool) -> Page:
            pages.append(open_one(**options))
            return pages[-1]

        yield open_and_note
        for page in pages:
            assert_unblemished(page)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A dark page of 1440 x 900."""
    return open_page()


@pytest.fixture(scope="module")
def shared_page(browser: Browser) -> Iterator[Page]:
    """A page that the tests of one module use in turn."""
    with pages_of(browser) as open_one:
        yield open_one()


@pytest.fixture(scope="module")
def look(browser: Browser, opened_at: Callable[[Page, str], Page]) -> Iterator[Look]:
    """A page of a query, opened once, for tests that leave it as it is.

    opened_at: of the module or its folder; loads a query of what is under test.
    """
    with pages_of(browser) as open_one:
        yield cache(lambda query: opened_at(open_one(), query))


@pytest.fixture
def standing(shared_page: Page, app_url: str) -> Iterator[Page]:
    """The Explain page with a word of an answer explained, as the test before left it."""
    if shared_page.locator("[data-token-index]").count() == 0:
        shared_page.goto(f"{app_url}/Explain")
    settled(shared_page)
    yield shared_page
    assert_unblemished(shared_page)


@pytest.fixture(scope="session")
def said(demo_model: VisionLanguageModel) -> Said:
    """What the demo model says about a file, asked without any page."""
    from medgemma_dash import ask, load_radiograph

    @cache
    def answer(file: Path, question: str) -> str:
        return ask(demo_model, load_radiograph(file), question).text

    return answer


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures for a person's eyes go; not part of the repository."""
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def photograph(screenshots: Path) -> Photograph:
    """Takes a picture of a whole page, under a name."""
    return lambda page, name: take_picture(page, screenshots / f"{name}.png")
