"""Compare, Layers and Methods in a real browser: several words, pins of other films, retries."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.compare_page import MAPS, choose_methods, compare_three
from tests.browser.explain_page import RADIOGRAPH, another_radiograph, idle, newest, settled
from tests.browser.looking import assert_unblemished

pytestmark = pytest.mark.browser

FIRST_OF_FAMILY = {"perturbation": "occlusion", "control": "centre", "gradient": "attnlrp"}
OTHER_SAMPLE = "pneumothorax-left"
ATTENTION = ".st-key-attention_map .heatmaplayer image"
MISSING = ".st-key-missing_maps"
TIMING_MILLISECONDS = 300_000  # every method, on a machine that may be busy with other tests
# The text that stands under the mouse over each cell, panel by panel.
ZONE_TEXTS = """() => document.querySelector('.st-key-comparison .js-plotly-plot').data
  .filter(trace => trace.hovertext).map(trace => trace.hovertext.join('|'))"""


def maps_of(page: Page) -> list[str]:
    return [one.get_attribute("href") or "" for one in page.locator(MAPS).all()]


def all_changed(page: Page, before: list[str]) -> None:
    """Until there are as many maps as before, and every one of them is another."""
    page.wait_for_function(
        """([maps, before]) => {
          const now = [...document.querySelectorAll(maps)].map(one => one.getAttribute('href'));
          return now.length === before.length && now.every((one, at) => one !== before[at]);
        }""",
        arg=[MAPS, before],
    )


def show_page(page: Page, title: str) -> None:
    """Go there in the same session, as a reader does."""
    page.get_by_role("link", name=title, exact=True).click()


@pytest.fixture
def comparing(shared_page: Page, app_url: str) -> Iterator[Page]:
    yield compare_three(shared_page, app_url)
    assert_unblemished(shared_page)


def test_several_words_are_compared_as_one_is(comparing: Page) -> None:
    before = maps_of(comparing)
    newest(comparing, '[data-token-index="0"]').click()
    all_changed(comparing, before)
    of_one = maps_of(comparing)
    newest(comparing, '[data-token-index="6"]').click(modifiers=["Shift"])
    all_changed(comparing, of_one)
    expect(comparing.locator("[data-token-index].selected")).to_have_count(7)
    expect(comparing.locator(MISSING)).to_have_count(0)
    idle(comparing)
    # The page is drawn again without falling over what the job told.
    comparing.get_by_role("tab", name="Agreement").click()
    expect(newest(comparing, ".st-key-agreement_words")).to_contain_text("alike")
    expect(comparing.locator(MAPS)).to_have_count(3)


def test_a_cancelled_map_is_computed_when_it_is_asked_for_again(comparing: Page) -> None:
    comparing.get_by_role("button", name="Integrated gradients", exact=True).click()
    newest(comparing, ".st-key-cancel_compare button").click()
    expect(newest(comparing, MISSING)).to_contain_text("cancelled")
    comparing.locator(MISSING).get_by_role("button", name="compute the missing maps").click()
    expect(comparing.locator(MAPS)).to_have_count(4)
    expect(comparing.locator(MISSING)).to_have_count(0)


def test_a_pin_keeps_its_zones_beside_another_radiograph(comparing: Page) -> None:
    choose_methods(comparing, "Chefer")
    zones = comparing.evaluate(ZONE_TEXTS)[0]
    comparing.get_by_role("button", name="Pin a map").click()
    comparing.get_by_role("button", name="Pin Chefer", exact=True).click()
    expect(comparing.locator(MAPS)).to_have_count(2)
    comparing.keyboard.press("Escape")
    pinned = maps_of(comparing)[1]
    show_page(comparing, "Explain")
    settled(comparing)
    comparing.get_by_role("button", name="Open another").click()
    film = newest(comparing, RADIOGRAPH).get_attribute("href") or ""
    newest(comparing, f".st-key-switch_{OTHER_SAMPLE} button").click()
    another_radiograph(comparing, film)
    settled(comparing)
    show_page(comparing, "Compare")
    expect(comparing.locator(MAPS)).to_have_count(2)
    assert maps_of(comparing)[1] == pinned
    here, there = comparing.evaluate(ZONE_TEXTS)
    assert there == zones
    assert here != zones
    films = comparing.locator(".st-key-comparison .imagelayer image").evaluate_all(
        "all => all.map(one => one.getAttribute('href'))"
    )
    assert len(set(films)) == 2
    picture = comparing.locator(".st-key-comparison .js-plotly-plot .nsewdrag").nth(1)
    picture.hover(position={"x": 120, "y": 150})
    hover = comparing.locator(".st-key-comparison .hovertext")
    expect(hover).to_contain_text("Pinned: Chefer")
    expect(hover).to_contain_text("row ")
    comparing.get_by_role("tab", name="Difference").click()
    expect(newest(comparing, ".st-key-difference_films")).to_contain_text("another radiograph")


def test_a_word_that_was_compared_before_comes_back_as_it_was(
    comparing: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    six = ("Chefer", "Chefer, normalised", "AttnLRP", "Attention rollout", "Grad-CAM", "LeGrad")
    present = comparing.locator(".st-key-compared_methods button").all_inner_texts()
    choose_methods(comparing, *[title for title in present if title.strip() in six])
    chosen = comparing.locator("[data-token-index].selected").first
    first = chosen.get_attribute("data-token-index")
    before = maps_of(comparing)
    newest(comparing, '[data-token-index="0"]').click()
    all_changed(comparing, before)
    idle(comparing)
    began = time.perf_counter()
    newest(comparing, f'[data-token-index="{first}"]').click()
    comparing.wait_for_function(
        """([maps, before]) => JSON.stringify(before) === JSON.stringify(
          [...document.querySelectorAll(maps)].map(one => one.getAttribute('href')))""",
        arg=[MAPS, before],
    )
    milliseconds = 1000 * (time.perf_counter() - began)
    with capsys.disabled():
        sys.stdout.write(f"\nCompare: {len(before)} maps from cache in {milliseconds:.0f} ms\n")


def test_a_patch_of_the_image_attends_too(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Layers")
    expect(page.locator(".st-key-head_maps .heatmaplayer image").first).to_be_attached()
    page.get_by_role("tab", name="Attention of any token").click()
    picture = page.locator(ATTENTION)
    expect(picture).to_have_count(1)
    of_word = picture.get_attribute("href") or ""
    page.get_by_role("radio", name="an image patch").or_(
        page.get_by_role("button", name="an image patch", exact=True)
    ).first.click()
    expect(page.get_by_label("Row")).to_be_visible()
    # While the page is drawn anew the old picture may still stand beside it.
    page.wait_for_function(
        """([maps, before]) => {
          const all = [...document.querySelectorAll(maps)];
          return all.length === 1 && all[0].getAttribute('href') !== before;
        }""",
        arg=[ATTENTION, of_word],
    )


def test_every_method_is_timed_on_demand(comparing: Page) -> None:
    show_page(comparing, "Methods")
    comparing.get_by_role("button", name="Time every method").click()
    expect(newest(comparing, ".st-key-cancel_timing")).to_be_visible()
    expect(comparing.locator(".st-key-cancel_timing")).to_have_count(0, timeout=TIMING_MILLISECONDS)
    expect(comparing.get_by_role("button", name="Time every method")).to_be_enabled()
    for family, method in FIRST_OF_FAMILY.items():
        comparing.get_by_role("radio", name=family).or_(
            comparing.get_by_role("button", name=family, exact=True)
        ).first.click()
        expect(newest(comparing, f".st-key-card_{method}")).to_be_visible()
        cards = comparing.locator("[class*='st-key-card_']")
        timed = cards.filter(has_text="on this machine")
        idle(comparing)
        assert timed.count() == cards.count() > 0
