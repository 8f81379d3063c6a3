"""Pages of a real browser: opened, waited for, photographed, and watched for what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

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
WAIT_MILLISECONDS = 120_000  # a loaded machine may need long; a healthy one never waits for it
POLICY = "Content Security Policy"  # in every browser's message of a violation

# What Streamlit itself draws when something went wrong: but for one dialog the program draws none
# of these, for it has lines of its own. Watched from the page's first moment on, since the next run
# of a script takes them away again.
ERROR_BOXES = '[data-testid="stException"], [data-testid="stAlert"], \
[data-testid="stErrorElementStack"], [data-testid="stDialog"]'
OUR_DIALOG = "Remove or keep patches"
WATCH_FOR_ERROR_BOXES = """(() => {
  const told = new WeakSet();
  new MutationObserver(() => {
    for (const box of document.querySelectorAll('ERROR_BOXES')) {
      if (told.has(box) || box.innerText.includes('OUR_DIALOG')) continue;
      told.add(box);
      window.tellOfErrorBox(box.innerText);
    }
  }).observe(document, { childList: true, subtree: true });
})();""".replace("ERROR_BOXES", ERROR_BOXES).replace("OUR_DIALOG", OUR_DIALOG)

expect.set_options(timeout=WAIT_MILLISECONDS)

OpenPage = Callable[..., Page]
Photograph = Callable[[Page, str], None]
Look = Callable[[str], Page]


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


def idle(page: Page) -> None:
    """Until Streamlit has run the page's script to its end."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


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


def take_picture(page: Page, file: Path) -> None:
    """Of a whole page, whose own scroller hides what stands below the fold."""
    before = page.viewport_size
    assert before is not None
    hidden = page.get_by_test_id("stMain").evaluate("m => m.scrollHeight - m.clientHeight")
    page.set_viewport_size({"width": before["width"], "height": before["height"] + hidden})
    # What is drawn anew for the new size has been painted after two frames.
    page.evaluate("() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")
    page.screenshot(path=file)
    page.set_viewport_size(before)
