"""A real browser and a real server for tests: Debian's chromium, driven by Playwright.

Test modules here carry `pytestmark = pytest.mark.browser`; without a chromium they are skipped
on a developer's machine and fail in CI, which the conftest above decides.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.browser.explain_page import settled

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

ROOT = Path(__file__).parents[2]
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Nothing but this machine can be reached. Stopping requests one by one, as Playwright can,
    # would have every page load all of the program's files again.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
# A loaded machine may need long; a healthy one never waits for these.
START_SECONDS = 120
WAIT_MILLISECONDS = 120_000
POLICY = "Content Security Policy"  # in every browser's message of a violation

# What Streamlit itself draws when something went wrong: the program draws none of these, for it
# has lines of its own. Watched from the page's first moment on, since the next run of a script
# takes them away again.
ERROR_BOXES = '[data-testid="stException"], [data-testid="stAlert"], \
[data-testid="stErrorElementStack"], [data-testid="stDialog"]'
WATCH_FOR_ERROR_BOXES = """(() => {
  const told = new WeakSet();
  new MutationObserver(() => {
    for (const box of document.querySelectorAll('ERROR_BOXES')) {
      if (told.has(box)) continue;
      told.add(box);
      window.tellOfErrorBox(box.innerText);
    }
  }).observe(document, { childList: true, subtree: true });
})();""".replace("ERROR_BOXES", ERROR_BOXES)

expect.set_options(timeout=WAIT_MILLISECONDS)

OpenPage = Callable[..., Page]
Photograph = Callable[[Page, str], None]
Said = Callable[[Path, str], str]


class ServeApp(Protocol):
    """Serves a script, by a launcher of its own or by Streamlit's; more variables if given."""

    def __call__(self, script: Path, launcher: Path | None = None, **environment: str) -> str: ...


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


@contextmanager
def served(
    script: Path, log: Path, launcher: Path | None = None, port: int = 0, **variables: str
) -> Iterator[str]:
    """Run a Streamlit script on a free port of 127.0.0.1; yields its address.

    launcher: a program that takes Streamlit's arguments, in place of Streamlit.
    port: of a server that was there before.
    """
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        **variables,
    }
    program = ["-m", "streamlit"] if launcher is None else [str(launcher)]
    command = [sys.executable, *program, "run", str(script), "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    command += ["--server.fileWatcherType=none"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_healthy(server, address, log)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"The server ended with {server.returncode}:\n{log.read_text()[-4000:]}")
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)  # between two looks at a condition, not instead of one
    pytest.fail(f"No server within {START_SECONDS} s:\n{log.read_text()[-4000:]}")


def wait_until(
    condition: Callable[[], bool], what: str, pause: Callable[[float], None] = time.sleep
) -> None:
    """Wait for something that no page shows.

    pause: a page that is being loaded meanwhile needs one that lets its requests through.
    """
    deadline = time.monotonic() + WAIT_MILLISECONDS / 1000
    while not condition():
        assert time.monotonic() < deadline, f"In vain: {what}"
        pause(0.02)  # between two looks at a condition, not instead of one


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


@contextmanager
def pages_of(browser: Browser) -> Iterator[OpenPage]:
    """Opens pages, each a session of its own, of a given width, height and theme.

    A page lists what it should not have done. `page.outside`: what it tried to load from elsewhere
    than this machine. `page.failures`: uncaught script errors, what the server's policy did not let
    it load, and the text of every box by which Streamlit says that something went wrong.
    """
    contexts: list[BrowserContext] = []

    def open_one(width: int = 1440, height: int = 900, dark: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MILLISECONDS)
        outside: list[str] = []
        failures: list[str] = []
        context.expose_function("tellOfErrorBox", lambda text: failures.append(f"box: {text}"))
        context.add_init_script(WATCH_FOR_ERROR_BOXES)
        page = context.new_page()
        page.outside, page.failures = outside, failures  # type: ignore[attr-defined]

        def listen(request: Request) -> None:
            if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:", "file:")):
                outside.append(request.url)

        page.on("request", listen)
        page.on("pageerror", lambda error: failures.append(f"script: {error}"))
        page.on("console", lambda said: POLICY in said.text and failures.append(said.text))
        return page

    try:
        yield open_one
    finally:
        for context in contexts:
            context.close()


def assert_unblemished(page: Page) -> None:
    """No error box was ever on the page, no script failed, and nothing outside was asked for."""
    failures, outside = list(page.failures), list(page.outside)  # type: ignore[attr-defined]
    # A page that others use after this test does not report the same twice.
    page.failures.clear()  # type: ignore[attr-defined]
    page.outside.clear()  # type: ignore[attr-defined]
    assert not failures, failures
    assert not outside, outside


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
    """Takes a picture of a whole page, whose own scroller hides what stands below the fold."""

    def take(page: Page, name: str) -> None:
        before = page.viewport_size
        assert before is not None
        hidden = page.get_by_test_id("stMain").evaluate("m => m.scrollHeight - m.clientHeight")
        page.set_viewport_size({"width": before["width"], "height": before["height"] + hidden})
        # What is drawn anew for the new size has been painted after two frames.
        page.evaluate(
            "() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"
        )
        page.screenshot(path=screenshots / f"{name}.png")
        page.set_viewport_size(before)

    return take


@pytest.fixture(scope="session")
def wait_until_idle() -> Callable[[Page], None]:
    """Waits until Streamlit has run the page's script to its end."""

    def wait(page: Page) -> None:
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )

    return wait
