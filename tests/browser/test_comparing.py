"""Compare, Layers and Methods in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.compare_page import MAPS, compare_three
from tests.browser.explain_page import close_popover, covered_by_controls, idle, newest
from tests.browser.looking import assert_unblemished

pytestmark = pytest.mark.browser

RANGES = """() => {
  const layout = document.querySelector('.st-key-comparison .js-plotly-plot').layout;
  return Object.keys(layout).filter(k => k.startsWith('xaxis')).map(k => layout[k].range);
}"""
# Their markup holds ids that are new with every drawing.
LAYER_BARS = """() => [...document.querySelectorAll('.st-key-layers_bars .bars path')]
  .map(bar => bar.getAttribute('d')).join()"""


# The strip's box moves with the click; the line above still names the word before, and says so.
CLICK_AND_SEE_WHETHER_THE_SUBJECT_WAITS = """word => {
  word.click();
  const line = [...document.querySelectorAll('.st-key-subject_line *')]
    .map(one => one.shadowRoot?.querySelector('.subject-line')).find(Boolean);
  return line.classList.contains('waiting');
}"""


def change_every_map(comparing: Page) -> None:
    """Choose another word, and wait until no map is as it was."""
    before = [comparing.locator(MAPS).nth(i).get_attribute("href") for i in range(3)]
    comparing.locator("[data-token-index]:not(.selected)").nth(6).click()
    for place, href in enumerate(before):
        expect(comparing.locator(MAPS).nth(place)).not_to_have_attribute("href", href or "")


@pytest.fixture
def comparing(shared_page: Page, app_url: str) -> Iterator[Page]:
    yield compare_three(shared_page, app_url)
    assert_unblemished(shared_page)


@pytest.mark.parametrize("place", [0, 1])
def test_zooming_one_map_zooms_all_and_the_next_words_maps(comparing: Page, place: int) -> None:
    before = comparing.evaluate(RANGES)
    assert len(before) == 3
    picture = comparing.locator(".st-key-comparison .js-plotly-plot .nsewdrag").nth(place)
    box = picture.bounding_box()
    assert box is not None
    comparing.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    comparing.mouse.down()
    comparing.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"], steps=8)
    comparing.mouse.up()
    comparing.wait_for_function(
        f"before => JSON.stringify(({RANGES})()[0]) !== JSON.stringify(before[0])", arg=before
    )
    after = comparing.evaluate(RANGES)
    assert all(one == pytest.approx(after[0]) for one in after)
    # The figure tells of a zoom when the reader's hand rests; nothing on the page shows that.
    comparing.wait_for_timeout(400)
    change_every_map(comparing)
    # Plotly widens a range a little to fit the panel's shape.
    assert all(one == pytest.approx(after[0], abs=2) for one in comparing.evaluate(RANGES))


def test_hovering_a_cell_tells_what_every_method_has_there(comparing: Page) -> None:
    picture = comparing.locator(".st-key-comparison .js-plotly-plot .nsewdrag").first
    picture.hover(position={"x": 120, "y": 150})
    hover = comparing.locator(".st-key-comparison .hovertext")
    expect(hover).to_contain_text("Chefer")
    expect(hover).to_contain_text("LeGrad")


def test_the_control_for_saving_stands_on_nothing_in_any_window(comparing: Page) -> None:
    for width in (390, 1440):
        comparing.set_viewport_size({"width": width, "height": 900})
        # The figure of a narrow window has one map in a row.
        comparing.wait_for_function(
            "([maps, narrow]) => { const all = [...document.querySelectorAll(maps)];"
            " return all.length === 3 && (new Set(all.map(one => Math.round("
            "one.getBoundingClientRect().left))).size === 1) === narrow; }",
            arg=[MAPS, width == 390],
        )
        assert covered_by_controls(comparing, charts=1) == [], width


def test_a_pinned_map_stays_when_the_word_changes(comparing: Page) -> None:
    comparing.get_by_role("button", name="Pin a map").click()
    comparing.get_by_role("button", name="Pin Chefer", exact=True).click()
    expect(comparing.locator(MAPS)).to_have_count(4)
    pinned = comparing.locator(MAPS).nth(3).get_attribute("href")
    comparing.keyboard.press("Escape")
    first = comparing.locator(MAPS).first.get_attribute("href")
    word = newest(comparing, "[data-token-index]:not(.selected)").nth(6)
    text = word.inner_text().strip()
    assert word.evaluate(CLICK_AND_SEE_WHETHER_THE_SUBJECT_WAITS)
    expect(comparing.locator(".st-key-subject_line .subject-line.waiting")).to_have_count(0)
    expect(newest(comparing, ".st-key-subject_line .subject-line .word")).to_have_text(text)
    expect(comparing.locator(MAPS).first).not_to_have_attribute("href", first or "")
    expect(comparing.locator(MAPS).nth(3)).to_have_attribute("href", pinned or "")
    comparing.get_by_role("button", name="Pin a map").click()
    comparing.get_by_role("button", name="Take off: 1").click()
    expect(comparing.locator(MAPS)).to_have_count(3)
    close_popover(comparing)


def test_every_tab_shows_its_part(comparing: Page) -> None:
    expect(newest(comparing, ".st-key-quality_table")).to_be_visible()
    comparing.get_by_role("tab", name="Zones").click()
    expect(comparing.locator(".st-key-zone_bars .bars path").first).to_be_visible()
    comparing.get_by_role("tab", name="Agreement").click()
    expect(newest(comparing, ".st-key-agreement_matrix .heatmaplayer")).to_be_visible()
    comparing.get_by_role("tab", name="Difference").click()
    expect(comparing.locator(".st-key-difference_figure .heatmaplayer image")).to_have_count(1)
    comparing.get_by_role("tab", name="Faithfulness").click()
    comparing.get_by_role("button", name="Test these maps").click()
    expect(newest(comparing, ".st-key-faithfulness_numbers")).to_be_visible()
    expect(newest(comparing, ".st-key-image_dependence")).to_contain_text("with the image")


def test_a_cancelled_comparison_keeps_what_is_done(comparing: Page) -> None:
    comparing.get_by_role("button", name="Integrated gradients", exact=True).click()
    newest(comparing, ".st-key-cancel_compare button").click()
    expect(newest(comparing, ".st-key-missing_maps")).to_contain_text("cancelled")
    expect(comparing.locator(MAPS)).to_have_count(3)


def test_patches_lead_to_words_and_layers(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Layers")
    expect(page.locator(".st-key-head_maps .heatmaplayer image").first).to_be_attached()
    page.get_by_role("tab", name="Patch to words").click()
    picture = page.locator(".st-key-patch_figure .nsewdrag")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    expect(page.locator(".st-key-patch_figure .hovertext")).to_be_attached()
    page.mouse.down()
    page.mouse.up()
    chosen = page.locator(".st-key-patch_figure .shapelayer path")
    expect(chosen).to_have_count(1)
    expect(page.locator(".st-key-patch_layers .bars path").first).to_be_visible()
    idle(page)
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.9 * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_function(
        "() => document.querySelectorAll('.st-key-patch_figure .shapelayer path').length > 20"
    )
    expect(page.locator(".st-key-patch_layers .bars path").first).to_be_visible()
    expect(page.locator(".st-key-patch_words .bars path").first).to_be_visible()


def test_layers_follow_the_word_and_any_token_shows_its_attention(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Layers")
    expect(page.locator(".st-key-layers_bars .bars path").first).to_be_visible()
    before = page.evaluate(LAYER_BARS)
    newest(page, '[data-token-index="0"]').click()
    page.wait_for_function(f"before => ({LAYER_BARS})() !== before", arg=before)
    page.get_by_role("tab", name="Attention of any token").click()
    expect(page.locator(".st-key-attention_words .bars path").first).to_be_visible()
    expect(page.locator(".st-key-attention_map .heatmaplayer image")).to_have_count(1)


def test_methods_page_shows_every_card(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/Methods")
    expect(newest(page, ".st-key-methods_table")).to_be_visible()
    expect(page.locator(".st-key-card_chefer .katex").first).to_be_visible()
    page.get_by_role("radio", name="control").or_(
        page.get_by_role("button", name="control", exact=True)
    ).first.click()
    expect(newest(page, ".st-key-card_uniform")).to_be_visible()
