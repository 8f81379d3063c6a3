"""Back, Forward, a reload and a lost server: never another film than the address names."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.explain_page import (
    FIRST_SAMPLE,
    MAP,
    NOTICE,
    RADIOGRAPH,
    SAMPLES,
    ask,
    explain,
    idle,
    newest,
    opened_instead,
    seen,
    settled,
    upload,
)
from tests.browser.looking import pages_of, wait_until
from tests.browser.serving import ROOT, ServeApp, served

pytestmark = pytest.mark.browser

DICOM = SAMPLES / "pleural-effusion-right.dcm"
LINE = ".st-key-subject_line .subject-line"
BOX = ".st-key-question input"
HEART, SECRET = "Is the heart enlarged?", "Has **Jane Doe** an effusion?"
FIRST = f"?sample={FIRST_SAMPLE.stem}"


def at(page: Page, path: str, search: str) -> None:
    """Until the page with this path stands at this address."""
    page.wait_for_function(
        "([path, search]) => location.pathname === path && location.search === search",
        arg=[path, search],
    )
    idle(page)


def names(page: Page, text: str) -> None:
    expect(newest(page, LINE)).to_contain_text(text)


def test_back_and_forward_move_between_films_and_pages(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.locator(".st-key-sample_grid [data-testid='stBaseButton-tertiary']").first.click()
    settled(page)
    at(page, "/Explain", FIRST)
    entries = page.evaluate("history.length")
    # A word is no entry of its own.
    newest(page, '[data-token-index="7"]').click()
    names(page, "right")
    at(page, "/Explain", f"{FIRST}&word=7")
    page.get_by_role("button", name="Open another").click()
    page.get_by_role("button", name="Cardiomegaly", exact=True).click()
    names(page, "Cardiomegaly")
    at(page, "/Explain", "?sample=cardiomegaly")
    page.get_by_role("link", name="Methods").click()
    at(page, "/Methods", "?sample=cardiomegaly")
    assert page.evaluate("history.length") == entries + 2

    page.go_back()
    at(page, "/Explain", "?sample=cardiomegaly")
    settled(page)
    names(page, "Cardiomegaly")
    page.go_back()
    at(page, "/Explain", f"{FIRST}&word=7")
    names(page, "Consolidation, right lower zone")
    names(page, "right")
    page.go_back()
    expect(page.get_by_text("Open a radiograph")).to_be_visible()
    # What a run of the page that was left does in the browser, where it is still under way.
    page.evaluate("history.pushState({}, '', '/Explain')")
    assert urlsplit(page.url).path == "/"
    page.go_forward()
    at(page, "/Explain", f"{FIRST}&word=7")
    page.go_forward()
    at(page, "/Explain", "?sample=cardiomegaly")
    names(page, "Cardiomegaly")


def asked_about_upload(page: Page, url: str, opened_with: str = "") -> str:
    """Open an upload and ask; the address. opened_with: what the page's own address was before."""
    before = seen(explain(page, url, opened_with))
    upload(page, DICOM)
    opened_instead(page, before)
    ask(page, SECRET)
    names(page, SECRET)
    address = urlsplit(page.url)
    assert address.query.startswith("film=upload-")
    assert "Jane" not in page.url
    return address.query


def gone(page: Page, address: str) -> None:
    """Until the page says that the upload is gone; it shows no film, and keeps the question."""
    expect(newest(page, NOTICE)).to_contain_text("uploaded and is gone")
    expect(newest(page, NOTICE)).to_contain_text("Your question is kept.")
    at(page, "/Explain", f"?{address}")
    for shown in (MAP, RADIOGRAPH, "[data-token-index]"):
        expect(page.locator(shown)).to_have_count(0)
    expect(newest(page, BOX)).to_have_value(SECRET)


def test_after_a_reload_an_upload_is_asked_for_again_and_its_question_kept(
    page: Page, app_url: str
) -> None:
    address = asked_about_upload(page, app_url)
    page.reload()
    gone(page, address)
    page.locator('[data-testid="stFileUploader"] input[type="file"]').set_input_files(DICOM)
    names(page, "Uploaded film, ")
    expect(newest(page, BOX)).to_have_value(SECRET)
    ask(page, SECRET)


@pytest.fixture
def serve_again(tmp_path: Path) -> Callable[..., AbstractContextManager[str]]:
    """Serves the program, at a port if one is given."""

    def serve(port: int = 0) -> AbstractContextManager[str]:
        return served(ROOT / "Home.py", tmp_path / "log.txt", port=port)

    return serve


def test_a_lost_server_is_noticed_and_said_and_never_answered_with_another_film(
    browser: Browser, serve_again: Callable[..., AbstractContextManager[str]]
) -> None:
    """Over 5 s, for the program is started twice: only so does a session get lost whole."""
    # Streamlit itself shows a box while there is no server, so these pages are not unblemished.
    with pages_of(browser) as open_page:
        uploaded, sample = open_page(), open_page()
        with serve_again() as url:
            # Streamlit would ask again for what the page was opened with.
            address = asked_about_upload(uploaded, url, "?sample=cardiomegaly&word=7")
            explain(sample, url)
            ask(sample, HEART)
            names(sample, HEART)
        told = ".connection-watch"
        for page, then in ((uploaded, "has to be opened again"), (sample, "asked again")):
            expect(page.locator(told)).to_contain_text(re.compile(f"cannot be reached; .* {then}"))
            # Streamlit's box comes later, and must have come and gone: nothing but the sentence is
            # seen, and nothing is out of a screen reader's reach.
            wait_until(
                lambda page=page: "Connection error" in str(page.failures),
                "Streamlit's box",
                pause=lambda seconds, page=page: page.wait_for_timeout(1000 * seconds),
            )
            expect(page.get_by_test_id("stDialog")).to_have_count(0)
            expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
            assert page.locator("#root").get_attribute("inert") is None
        with serve_again(urlsplit(url).port):
            gone(uploaded, address)
            expect(uploaded.locator(told)).to_be_empty()
            newest(uploaded, ".st-key-ask button").click()
            expect(newest(uploaded, NOTICE)).to_contain_text("Open a radiograph first")
            idle(uploaded)
            expect(uploaded.locator(RADIOGRAPH)).to_have_count(0)
            expect(newest(uploaded, BOX)).to_have_value(SECRET)

            expect(newest(sample, NOTICE)).to_contain_text("connection to the program was lost")
            settled(sample)
            names(sample, HEART)
            expect(newest(sample, BOX)).to_have_value(HEART)
            newest(sample, "[data-token-index]:not(.selected)").first.click()
            expect(sample.locator(".unit.computed")).to_have_count(2)


def test_what_was_under_way_is_not_written_over_the_entry_that_was_reached(
    page: Page, serve_app: ServeApp
) -> None:
    url = serve_app(Path(__file__).parent / "apps" / "address.py")
    page.goto(f"{url}/?film=first")
    at(page, "/", "?film=second")  # of an address that was just come to the entry is rewritten
    page.evaluate("history.replaceState(null, '', '?film=first')")
    page.evaluate("history.pushState(null, '', '?film=second')")
    page.go_back()
    idle(page)
    entries = page.evaluate("history.length")
    drawn = page.get_by_text(re.compile("^drawn "))
    before = drawn.inner_text()
    page.get_by_role("button", name="draw what was under way").click()
    expect(drawn).not_to_have_text(before)
    idle(page)
    # A wrong address would be written when the browser draws.
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)))")
    at(page, "/", "?film=first")
    page.get_by_role("button", name="draw what was reached").click()
    at(page, "/", "?film=first&word=7")
    assert page.evaluate("history.length") == entries
