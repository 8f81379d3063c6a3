"""What the browser tests see and do on the Explain page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import idle

Said = Callable[[Path, str], str]  # what the model says about a file, asked without any page
SAMPLES = Path(__file__).parents[2] / "assets" / "samples"
FIRST_SAMPLE = SAMPLES / "consolidation-right-lower.png"
DICOM = SAMPLES / "pleural-effusion-right.dcm"

SENTENCE = ".st-key-why_sentence .rich-line"
MAP = ".st-key-overlay .heatmaplayer image"
RADIOGRAPH = ".st-key-overlay .imagelayer image"
BARS = ".st-key-layers .bars"
# Their markup holds ids that are new with every drawing.
BAR_SHAPES = f"""() => [...document.querySelectorAll('{BARS} path')]
  .map(bar => bar.getAttribute('d')).join()"""
ZONES = ".st-key-zones iframe"
STREAM = ".st-key-stream .rich-line"
NOTICE = ".st-key-notice .rich-line"
NOT_OPENED = ".st-key-upload_problem .rich-line"
SELECTED = "[data-token-index].selected"
NOT_EXPLAINED_YET = ".token-strip .unit:not(.computed):not(.special)"
COVERED_BY_CONTROLS = """() => [...document.querySelectorAll('.chart-figure')].flatMap((chart) => {
  const control = chart.querySelector('.figure-files').getBoundingClientRect();
  const over = (one) => {
    const it = one.getBoundingClientRect();
    return it.width && it.right > control.left && it.left < control.right
      && it.bottom > control.top && it.top < control.bottom;
  };
  // Of a zoomed picture only what is in its frame is seen.
  const frame = chart.querySelector('image') ? '.nsewdrag' : '.shapelayer path';
  const drawn = `text, .bars path, .cbfills, .modebar-group, ${frame}`;
  return [...chart.querySelectorAll(drawn)].filter(over)
    .map((one) => [chart.className, one.outerHTML.slice(0, 80)]);
})"""


def explain(page: Page, app_url: str, query: str = "") -> Page:
    """The Explain page with its opening word explained."""
    page.goto(f"{app_url}/Explain{query}")
    settled(page)
    return page


def settled(page: Page) -> None:
    """Until a map is drawn for the selected word; true of an earlier map as well."""
    idle(page)
    try:
        expect(page.locator(MAP)).to_have_count(1)
    except AssertionError as error:
        error.add_note(f"On the page: {page.get_by_test_id('stMain').inner_text()[:2000]}")
        # These stand in trees of their own, which the text above leaves out.
        error.add_note(f"Lines on it: {page.locator('.rich-line').all_inner_texts()}")
        raise
    expect(page.locator(f"{BARS} path").first).to_be_visible()
    expect(sentence(page)).to_contain_text("Why ")
    expect(zone_rows(page)).to_contain_text("lower")


def newest(page: Page, selector: str) -> Locator:
    """Without what an earlier run of the page drew, which may still stand beside the new one."""
    return page.locator(selector).and_(
        page.locator(':not([data-stale="true"], [data-stale="true"] *)')
    )


def sentence(page: Page) -> Locator:
    return newest(page, SENTENCE)


def zone_rows(page: Page) -> Locator:
    return newest(page, ZONES).content_frame.locator(".ag-center-cols-container")


def token(page: Page, text: str) -> Locator:
    return page.locator("[data-token-index]").filter(has_text=re.compile(f"^{text}$")).first


def seen(page: Page) -> dict[str, str]:
    """What is on screen, each part as something to compare."""
    # The table has a frame of its own, which is empty for a moment when the page is drawn anew.
    settled(page)
    # What the word owes to the image is found out behind the map, and then stands in the sentence.
    expect(page.locator(".st-key-cancel_evidence")).to_have_count(0)
    return {
        "answer": answer_text(page),
        "radiograph": newest(page, RADIOGRAPH).get_attribute("href") or "",
        "sentence": newest(page, SENTENCE).inner_text(),
        "map": newest(page, MAP).get_attribute("href") or "",
        "bars": page.evaluate(BAR_SHAPES),
        "zones": zone_rows(page).inner_text(),
    }


def changed(page: Page, before: dict[str, str]) -> None:
    """Until sentence, map, bars and table all differ from before."""
    expect(sentence(page)).not_to_have_text(before["sentence"], use_inner_text=True)
    # While the page is drawn anew the old map may still stand beside the new one.
    page.wait_for_function(
        """([map, before]) => {
          const all = [...document.querySelectorAll(map)];
          return all.length === 1 && all[0].getAttribute('href') !== before;
        }""",
        arg=[MAP, before["map"]],
    )
    expect(zone_rows(page)).not_to_have_text(before["zones"], use_inner_text=True)
    page.wait_for_function(f"before => ({BAR_SHAPES})() !== before", arg=before["bars"])


def answer_text(page: Page) -> str:
    """The answer as it stands in the strip, to the letter."""
    return newest(page, ".token-strip .words").text_content() or ""


def put(page: Page, question: str) -> None:
    """Ask, and do not wait for the answer."""
    page.locator("[data-token-index]").evaluate_all(
        "all => all.forEach(one => one.dataset.earlier = '')"
    )
    newest(page, ".st-key-question input").fill(question)
    newest(page, ".st-key-ask button").click()


def answered(page: Page) -> str:
    """Until every token of the answer is newer than `put`, and one is explained; the answer."""
    expect(page.locator("[data-token-index]:not([data-earlier])").first).to_be_visible()
    expect(page.locator("[data-token-index][data-earlier]")).to_have_count(0)
    # What stands below the answer is drawn after it.
    idle(page)
    settled(page)
    return answer_text(page)


def ask(page: Page, question: str) -> str:
    """Ask and wait; what the model answered."""
    put(page, question)
    return answered(page)


def upload(page: Page, file: Path) -> None:
    """Give the page a file, in the box behind "Open another", which stays open."""
    box = page.locator('[data-testid="stFileUploader"] input[type="file"]')
    if box.count() == 0:
        page.get_by_role("button", name="Open another").click()
    box.set_input_files(file)


def close_popover(page: Page) -> None:
    """Close what lies over the page, for it takes the clicks."""
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def another_radiograph(page: Page, before: str) -> None:
    """Until the only radiograph has another picture than before; two stand there meanwhile."""
    page.wait_for_function(
        """([radiograph, before]) => {
          const all = [...document.querySelectorAll(radiograph)];
          return all.length === 1 && all[0].getAttribute('href') !== before;
        }""",
        arg=[RADIOGRAPH, before],
    )


def opened_instead(page: Page, before: dict[str, str]) -> None:
    """Until another radiograph is there, about which nothing was asked."""
    another_radiograph(page, before["radiograph"])
    expect(page.locator(MAP)).to_have_count(0)
    expect(page.locator("[data-token-index]")).to_have_count(0)
    idle(page)


def click_new_word(page: Page) -> str:
    """Click a word that is not explained yet; the word."""
    word = page.locator(NOT_EXPLAINED_YET).first
    text = word.inner_text().strip()
    word.click()
    return text


def click_patch(page: Page, row: int, column: int, off: float = 0.0) -> None:
    """Click a cell of the 16 x 16 over the radiograph, `off` cells beside its centre.

    A second click near the first and soon after it would be a double one.
    """
    area = page.locator(".st-key-overlay .nsewdrag").first
    box = area.bounding_box()
    assert box is not None
    x, y = (column + 0.5 + off) / 16 * box["width"], (row + 0.5) / 16 * box["height"]
    area.hover(position={"x": x, "y": y})
    area.click(position={"x": x, "y": y})


def covered_by_controls(page: Page, charts: int) -> list[list[str]]:
    """What the charts' controls for saving stand on, once the mouse was over each chart."""
    idle(page)
    every = page.locator(".chart-figure:has(> .figure-files)")
    expect(every).to_have_count(charts)
    for place in range(charts):
        # In a corner, where no hovered cell's label stands over anything.
        every.nth(place).hover(position={"x": 2, "y": 2})
        expect(every.nth(place).locator(".figure-files")).to_have_css("opacity", "1")
    found: list[list[str]] = page.evaluate(COVERED_BY_CONTROLS)
    return found


def choose_span(page: Page, first: int, last: int) -> None:
    """Click a token, and shift-click another."""
    newest(page, f'[data-token-index="{first}"]').click()
    expect(page.locator(SELECTED)).to_have_count(1)
    newest(page, f'[data-token-index="{last}"]').click(modifiers=["Shift"])
    expect(sentence(page)).to_contain_text(f"these {last - first + 1} tokens")


def go_home_and_back(page: Page) -> None:
    """To the first page and back, by the links."""
    page.get_by_role("link", name="MedGemma Dash").click()
    expect(page.get_by_text("Open a radiograph")).to_be_visible()
    expect(page.locator("[data-token-index]")).to_have_count(0)
    page.get_by_role("link", name="Explain").click()
    settled(page)


def downloaded(page: Page, name: str, folder: Path) -> Path:
    """Click a download of this name; the file, put into the folder."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file
