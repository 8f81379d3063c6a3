"""What comes in between: no memory, other sessions, other pages, clicks at the wrong moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as InVain

from tests.browser.explain_page import (
    FIRST_SAMPLE,
    MAP,
    NOTICE,
    SELECTED,
    STREAM,
    Said,
    answer_text,
    answered,
    changed,
    click_new_word,
    click_patch,
    explain,
    idle,
    newest,
    put,
    seen,
    sentence,
    settled,
    zone_rows,
)
from tests.browser.looking import OpenPage, wait_until
from tests.browser.serving import ROOT, ServeApp

pytestmark = pytest.mark.browser

EARLIER, SENTENCE_CARD = ".st-key-of_an_earlier_choice", ".st-key-why_sentence"
LAUNCHER = Path(__file__).parent / "apps" / "hindered.py"
# Each is asked by one test alone: a known answer is there at once, and cannot be held up.
TO_CANCEL, TO_LEAVE, TO_LOOK_AROUND = (
    "Describe this chest X-ray.",
    "Is there evidence of cardiomegaly?",
    "Is there evidence of pleural effusion?",
)


@dataclass(frozen=True)
class Hindered:
    """The program with its computations in a test's hand; see apps/hindered.py."""

    url: str
    folder: Path

    @contextmanager
    def holding(self, what: str) -> Iterator[None]:
        """Hold up "answers", "explanations" or "taking-over" an answer in their middle."""
        file = self.folder / f"hold-{what}"
        file.touch()
        try:
            yield
        finally:
            file.unlink()

    def answers(self) -> int:
        """How many answers were finished."""
        return len(list(self.folder.glob("answered-*")))


@pytest.fixture(scope="module")
def hindered(serve_app: ServeApp, tmp_path_factory: pytest.TempPathFactory) -> Hindered:
    folder = tmp_path_factory.mktemp("hindrances")
    return Hindered(serve_app(ROOT / "Home.py", LAUNCHER, HINDRANCES=str(folder)), folder)


@pytest.fixture
def explained(page: Page, hindered: Hindered) -> Page:
    return explain(page, hindered.url)


def progress(page: Page) -> Locator:
    """The line about the explanation that is awaited."""
    return page.locator(".st-key-cancel_explain .rich-line")


def cancel(page: Page, what: str) -> None:
    newest(page, f".st-key-cancel_{what} button.action").click()


def expect_partial(page: Page, whole: str) -> str:
    """Until a beginning of this answer is on screen as it is being said; the beginning."""
    stream = newest(page, STREAM)
    expect(stream).to_have_count(1)
    expect(stream).not_to_have_text("…")
    said = stream.inner_text()
    assert whole.startswith(said)
    assert 0 < len(said) < len(whole)
    return said


def test_out_of_memory_in_the_middle_of_a_click_leaves_map_and_answer_and_the_next_click_works(
    explained: Page, hindered: Hindered
) -> None:
    before, selected = seen(explained), explained.locator(SELECTED).all_inner_texts()
    (hindered.folder / "no-memory").touch()
    word = click_new_word(explained)
    expect(newest(explained, NOTICE)).to_contain_text("The memory was not enough")
    assert newest(explained, NOTICE).get_attribute("role") == "alert"
    assert not (hindered.folder / "no-memory").exists()
    idle(explained)
    assert seen(explained) == before
    assert explained.locator(SELECTED).all_inner_texts() == selected
    assert click_new_word(explained) == word
    expect(sentence(explained)).to_contain_text(f"Why {word}?")
    expect(explained.locator(NOTICE)).to_have_count(0)
    changed(explained, before)


def choose_occlusion(page: Page) -> None:
    """The longest computation: the model is run once for each of the 256 cells."""
    newest(page, ".st-key-method_popover button").click()
    page.get_by_label("Method").click()
    page.get_by_role("option", name="Occlusion", exact=True).click()


def test_a_click_waits_its_turn_behind_another_session_and_then_works(
    open_page: OpenPage, hindered: Hindered
) -> None:
    busy, waiting = explain(open_page(), hindered.url), explain(open_page(), hindered.url)
    before = seen(waiting)
    with hindered.holding("explanations"):
        choose_occlusion(busy)
        expect(progress(busy)).to_contain_text("Explaining a word")
        word = click_new_word(waiting)
        expect(progress(waiting)).to_contain_text("waiting, 1 in line")
        expect(progress(busy)).not_to_contain_text("waiting")
        assert seen(waiting) == before
        for page, still in ((busy, "by Chefer"), (waiting, "of ")):
            expect(newest(page, EARLIER)).to_contain_text(f"Map, bars and zones are still {still}")
            for old in (".st-key-overlay", SENTENCE_CARD, ".st-key-zones"):
                expect(newest(page, old)).to_have_css("opacity", "0.45")
            expect(progress(page)).to_have_css("opacity", "1")
    expect(sentence(waiting)).to_contain_text(f"Why {word}?")
    changed(waiting, before)
    expect(progress(waiting)).to_have_count(0)
    expect(sentence(busy)).to_contain_text("Occlusion")
    expect(progress(busy)).to_have_count(0)
    expect(busy.locator(EARLIER)).to_have_count(0)
    expect(newest(busy, ".st-key-overlay")).to_have_css("opacity", "1")


def test_a_click_goes_before_the_rest_of_another_sessions_words(
    open_page: OpenPage, hindered: Hindered
) -> None:
    busy, clicking = explain(open_page(), hindered.url), explain(open_page(), hindered.url)
    with hindered.holding("explanations"):
        busy.get_by_role("button", name="Explain every word").click()
        expect(newest(busy, ".st-key-cancel_fill .rich-line")).to_contain_text(" of ")
        word = click_new_word(clicking)
        expect(progress(clicking)).to_contain_text("waiting, 1 in line")
    expect(sentence(clicking)).to_contain_text(f"Why {word}?")
    expect(busy.get_by_role("button", name="Every word is explained")).to_be_disabled()


def test_a_click_can_be_cancelled_while_it_waits_and_while_it_is_computed(
    open_page: OpenPage, hindered: Hindered
) -> None:
    busy, waiting = explain(open_page(), hindered.url), explain(open_page(), hindered.url)
    before = [seen(page) for page in (busy, waiting)]
    with hindered.holding("explanations"):
        words = [click_new_word(busy)]
        expect(progress(busy)).to_contain_text("Explaining a word")
        words.append(click_new_word(waiting))
        expect(progress(waiting)).to_contain_text("waiting, 1 in line")
        for page in (waiting, busy):
            cancel(page, "explain")
            expect(newest(page, NOTICE)).to_contain_text("stopped on request")
            expect(progress(page)).to_have_count(0)
            idle(page)
    assert [seen(page) for page in (busy, waiting)] == before
    for page, word in zip((busy, waiting), words, strict=True):
        assert click_new_word(page) == word
        expect(sentence(page)).to_contain_text(f"Why {word}?")


def test_an_answer_can_be_cancelled_in_its_middle_and_the_earlier_one_stays(
    explained: Page, hindered: Hindered, said: Said
) -> None:
    before = seen(explained)
    with hindered.holding("answers"):
        put(explained, TO_CANCEL)
        expect_partial(explained, said(FIRST_SAMPLE, TO_CANCEL))
        cancel(explained, "ask")
        expect(newest(explained, NOTICE)).to_contain_text("stopped on request")
        idle(explained)
        assert seen(explained) == before
    expect(newest(explained, ".st-key-question input")).to_have_value(TO_CANCEL)


def test_leaving_in_the_middle_of_an_answer_loses_nothing(
    explained: Page, hindered: Hindered, said: Said
) -> None:
    whole, done = said(FIRST_SAMPLE, TO_LEAVE), hindered.answers()

    def go(link: str, there: Callable[[], Locator]) -> None:
        explained.get_by_role("link", name=link).click()
        expect(there().first).to_be_visible()

    def home() -> Locator:
        return explained.get_by_text("Open a radiograph")

    with hindered.holding("answers"):
        put(explained, TO_LEAVE)
        beginning = expect_partial(explained, whole)
        go("MedGemma Dash", home)
        expect(explained.locator(STREAM)).to_have_count(0)
        go("Explain", lambda: explained.locator(STREAM))
        # The token at which the answer is held may have come after the beginning was read.
        assert expect_partial(explained, whole).startswith(beginning)
        go("MedGemma Dash", home)
        assert hindered.answers() == done
    wait_until(lambda: hindered.answers() > done, "the answer while another page is read")
    go("Explain", lambda: explained.locator("[data-token-index]"))
    assert answered(explained) == whole
    expect(newest(explained, ".st-key-question input")).to_have_value(TO_LEAVE)


def test_zones_and_patches_can_be_chosen_while_an_answer_is_being_said(
    explained: Page, hindered: Hindered, said: Said
) -> None:
    whole = said(FIRST_SAMPLE, TO_LOOK_AROUND)
    # On an overloaded machine Streamlit may leave the earlier figure below the new one in the
    # page until the answer has been said.
    newest = explained.locator(".st-key-overlay .js-plotly-plot").first
    expect(newest.locator(".shapelayer path")).to_have_count(2)  # the peak's
    zones = zone_rows(explained).inner_text()
    with hindered.holding("answers"):
        put(explained, TO_LOOK_AROUND)
        expect_partial(explained, whole)
        explained.get_by_label("Zone scheme").click()
        explained.get_by_role("option", name="fixed grid").click()
        expect(zone_rows(explained)).not_to_have_text(zones, use_inner_text=True)
        expect_partial(explained, whole)
        click_patch(explained, 5, 3)
        expect(newest.locator(".shapelayer path")).to_have_count(4)
        expect_partial(explained, whole)
        # It is drawn at once, and stays when the parts that poll have been drawn again.
        explained.wait_for_timeout(1000)
        idle(explained)
        expect(newest.locator(".shapelayer path")).to_have_count(4)
    assert answered(explained) == whole
    expect(explained.locator(MAP)).to_have_count(1)
    assert answer_text(explained) == whole


def test_a_page_that_is_to_be_drawn_anew_while_it_takes_over_its_answer_has_a_map(
    page: Page, hindered: Hindered
) -> None:
    """Over 5 s, for a page is opened, and given the time to be drawn by a run that must wait."""
    with page.expect_websocket() as opened, hindered.holding("taking-over"):
        page.goto(f"{hindered.url}/Explain")
        reached = (hindered.folder / "taking-over").exists
        wait_until(reached, "an answer", pause=lambda s: page.wait_for_timeout(1000 * s))
        with opened.value.expect_event("framesent"):
            page.set_viewport_size({"width": 800, "height": 900})
        # Nobody would wake a page that another run drew by now.
        with suppress(InVain):
            page.wait_for_selector('[data-test-script-state="notRunning"]', timeout=3000)
    settled(page)
