"""A real browser and a real server for tests: Debian's chromium, driven by Playwright.

Test modules here carry `pytestmark = pytest.mark.browser`; without a chromium they are skipped
on a developer's machine and fail in CI, which the conftest above decides.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

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
)
# A loaded machine may need long; a healthy one never waits for these.
START_SECONDS = 120
WAIT_MILLISECONDS = 60_000

expect.set_options(timeout=WAIT_MILLISECONDS)

OpenPage = Callable[..., Page]
ServeApp = Callable[[Path], str]


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
def served(script: Path, log: Path) -> Iterator[str]:
    """Run a Streamlit script on a free port of 127.0.0.1; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
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


@pytest.fixture(scope="session")
def serve_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeApp]:
    """Serve a script; each is started once a session and stopped at its end."""
    running: dict[Path, tuple[str, Callable[[], object]]] = {}

    def serve(script: Path) -> str:
        if script not in running:
            manager = served(script, tmp_path_factory.mktemp("server") / "log.txt")
            address = manager.__enter__()
            running[script] = address, lambda: manager.__exit__(None, None, None)
        return running[script][0]

    try:
        yield serve
    finally:
        for _, stop in running.values():
            stop()


@pytest.fixture(scope="session")
def app_url(serve_app: ServeApp) -> str:
    """The address of the whole program."""
    return serve_app(ROOT / "Home.py")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens pages, each a session of its own, of a given width, height and theme.

    Nothing but this machine can be reached from it; whatever a page tries to load from
    elsewhere is listed in `page.outside`, and uncaught script errors in `page.failures`.
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
        page = context.new_page()
        outside: list[str] = []
        failures: list[str] = []
        page.outside, page.failures = outside, failures  # type: ignore[attr-defined]

        def guard(route: Route) -> None:
            if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
                route.continue_()
            else:
                outside.append(route.request.url)
                route.abort()

        context.route("**/*", guard)
        page.on("pageerror", lambda error: failures.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A dark page of 1440 x 900."""
    return open_page()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures for a person's eyes go; not part of the repository."""
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def wait_until_idle() -> Callable[[Page], None]:
    """Waits until Streamlit has run the page's script to its end."""

    def wait(page: Page) -> None:
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )

    return wait
