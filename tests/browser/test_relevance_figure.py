"""The figures in a real browser, as `chart` draws them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import idle, wait_until
from tests.browser.serving import ServeApp

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "relevance.py"
MAP = ".st-key-overlay .js-plotly-plot"


@pytest.fixture(scope="session")
def figure_url(serve_app: ServeApp) -> str:
    return serve_app(APP)


@pytest.fixture(scope="session")
def opened_at(figure_url: str) -> Callable[[Page, str], Page]:
    return lambda page, query: opened(page, figure_url, query)


def opened(page: Page, address: str, query: str = "") -> Page:
    page.goto(f"{address}/?{query}")
    expect(page.locator(f"{MAP} .heatmaplayer image")).to_be_attached()
    return page


def place(page: Page, row: float, col: float) -> tuple[float, float]:
    box = page.locator(f"{MAP} .nsewdrag").first.bounding_box()
    return box["x"] + (col + 0.5) / 16 * box["width"], box["y"] + (row + 0.5) / 16 * box["height"]


def hover(page: Page, row: int, col: int, off: float = 0.0) -> str:
    """Hover a cell, `off` cells from its centre; the text of the label."""
    label, said = page.locator(f"{MAP} .hovertext"), f"row {row}, column {col}"

    def says_it() -> bool:
        # Again, for a figure that was still changing its size has left the place.
        page.mouse.move(*place(page, row + off, col + off))
        return label.filter(has_text=said).count() > 0

    wait_until(says_it, f"a label of {said}", lambda s: page.wait_for_timeout(1000 * s))
    return label.text_content() or ""


def test_hover_says_where_what_and_which_words(look):
    page = look("")
    text = hover(page, 10, 5)
    for part in ("pixel x 309, y 788", "0.0100", "outside the zones", "leaned on by lower"):
        assert part in text
    assert "Right lower" in hover(page, 12, 3)


def test_words_of_the_model_are_text_in_hover(look):
    page = look("")
    text = hover(page, 10, 5)
    assert "<b>right</b>" in text
    assert "<img src=x" in text
    assert page.evaluate("window.hacked") is None
    assert page.outside == []


def test_a_click_on_a_cell_reaches_python_and_boxes_it(page, figure_url):
    opened(page, figure_url)
    hover(page, 3, 12)
    page.mouse.click(*place(page, 3, 12))
    expect(page.get_by_text("log [[[3, 12]]]", exact=True)).to_be_visible()
    expect(page.locator(f"{MAP} .shapelayer path")).to_have_count(4)


def test_corners_belong_to_their_cell(page, figure_url):
    opened(page, figure_url)
    log = []
    for row, col, off in [(0, 0, -0.45), (15, 15, 0.45), (7, 7, 0.4)]:
        hover(page, row, col, off)
        page.mouse.click(*place(page, row + off, col + off))
        log.append([[row, col]])
        expect(page.get_by_text(f"log {json.dumps(log)}", exact=True)).to_be_visible()


@pytest.mark.parametrize("mode", ["smooth", "grid"])
def test_the_map_reaches_the_borders_of_the_radiograph(look, mode):
    page = look("" if mode == "smooth" else f"mode={mode}")
    radiograph = page.locator(f"{MAP} .imagelayer image").first.bounding_box()
    heat = page.locator(f"{MAP} .heatmaplayer image").bounding_box()
    for side in ("x", "y", "width", "height"):
        assert heat[side] == pytest.approx(radiograph[side], abs=1)


def test_pixels_are_square(look):
    page = look("")
    box = page.locator(f"{MAP} .imagelayer image").first.bounding_box()
    assert box["height"] / box["width"] == pytest.approx(1200 / 900, rel=0.01)


def test_a_double_click_shows_the_whole_again_and_chooses_nothing(page, figure_url):
    opened(page, figure_url, "told=1")
    idle(page)
    press(page, "Zoom in")
    expect(page.get_by_text("view (225")).to_be_visible()
    page.mouse.move(*place(page, 3, 12))
    expect(page.locator(f"{MAP} .hovertext")).to_be_attached()
    page.mouse.dblclick(*place(page, 3, 12))
    expect(page.get_by_text("view None")).to_be_visible()
    idle(page)
    expect(page.get_by_text("log []", exact=True)).to_be_visible()
    # One click still chooses, in a zoomed figure after the time that a second one would take.
    press(page, "Zoom in")
    expect(page.get_by_text("view (")).to_be_visible()
    page.mouse.move(*place(page, 7.2, 7.2))
    expect(page.locator(f"{MAP} .hovertext")).to_be_attached()
    page.mouse.click(*place(page, 7.2, 7.2))
    expect(page.get_by_text("log [[[7, 7]]]", exact=True)).to_be_visible()


def test_the_film_fills_its_figure_and_its_tools_and_sides_cover_none_of_it(open_page, figure_url):
    for width in (390, 800, 1920):
        page = opened(open_page(width=width, height=1080), figure_url)
        film = page.locator(f"{MAP} .imagelayer image").first.bounding_box()
        bar = page.locator(f"{MAP} .cbfills").bounding_box()
        assert (bar["x"], bar["width"]) == pytest.approx((film["x"], film["width"]), abs=2)
        # Close below the film, whatever the width.
        assert 0 < bar["y"] - film["y"] - film["height"] < 16
        page.mouse.move(*place(page, 8, 8))
        boxes = [page.locator(f"{MAP} .modebar").bounding_box()]
        sides = page.locator(f"{MAP} .annotation").filter(has_text=re.compile("^[RL]$"))
        expect(sides).to_have_count(2)
        boxes += [one.bounding_box() for one in sides.all()]
        for box in boxes:
            assert box["y"] + box["height"] <= film["y"] + 1
        tools, right, left = sorted(boxes, key=lambda box: -box["width"])
        assert right["x"] + right["width"] <= tools["x"]
        assert tools["x"] + tools["width"] <= left["x"]


def shown_part(page: Page) -> list[float]:
    """(left, right, bottom, top) of the axes."""
    # While a chart is replaced the old one is still there, hidden.
    expect(page.locator(MAP)).to_have_count(1)
    return page.locator(MAP).evaluate(
        "one => [...one._fullLayout.xaxis.range, ...one._fullLayout.yaxis.range]"
    )


def press(page: Page, name: str) -> None:
    page.mouse.move(*place(page, 8, 8))
    page.locator(f'{MAP} .modebar-btn[data-title="{name}"]').click()


def next_map(page: Page) -> None:
    """Draw another map: it is there when its peak's box stands elsewhere."""
    peak = page.locator(f"{MAP} .shapelayer path").first
    before = peak.get_attribute("d")
    page.get_by_role("button", name="Next map").click()
    expect(peak).not_to_have_attribute("d", before)


def test_zoom_survives_the_next_map_and_can_be_undone(page, figure_url):
    opened(page, figure_url, "told=1")
    idle(page)
    assert shown_part(page) == [0, 900, 1200, 0]
    press(page, "Zoom in")
    page.wait_for_function(f"document.querySelector('{MAP}')._fullLayout.xaxis.range[0] > 200")
    expect(page.get_by_text("view (225")).to_be_visible()
    zoomed = shown_part(page)
    assert zoomed == pytest.approx([225, 675, 900, 300], abs=1)
    next_map(page)
    assert shown_part(page) == pytest.approx(zoomed, abs=1)
    press(page, "Autoscale")
    page.wait_for_function(f"document.querySelector('{MAP}')._fullLayout.xaxis.range[0] < 1")
    expect(page.get_by_text("view None")).to_be_visible()
    left, right, bottom, top = shown_part(page)
    # All of it, and the rim that Plotly leaves around markers.
    assert -90 < left <= 0
    assert 900 <= right < 990
    assert 1200 <= bottom < 1320
    assert -120 < top <= 0
    next_map(page)
    assert shown_part(page) == pytest.approx([0, 900, 1200, 0], abs=1)


def test_what_keeps_the_zoom_takes_no_room(look):
    page = look("")
    tops = [page.locator(selector).bounding_box()["y"] for selector in (".st-key-overlay", MAP)]
    assert tops[0] == tops[1]


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("query", ["", "signed=1&mode=grid"], ids=["magnitude", "signed"])
def test_figures_draw_in_both_themes(open_page, figure_url, photograph, dark, query):
    page = opened(open_page(dark=dark), figure_url, f"dark={int(dark)}&{query}")
    kind = f"{'dark' if dark else 'light'}-{'signed' if query else 'plain'}"
    for width in (1440, 800):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator(".st-key-layers .bars .point")).to_have_count(12)
        expect(page.locator(".st-key-words .bars .point")).to_have_count(3)
        hover(page, 10, 5)
        photograph(page, f"figures-{width}-{kind}")
    assert page.failures == []
