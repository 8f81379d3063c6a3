"""A browser draws a report whole, and the report calls nobody."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.html import html_page
from tests.reports.pages import IS_GLOBAL
from tests.services.makers import ZONES


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1440)])
def test_a_browser_draws_the_report_whole_and_calls_nobody(
    answer: Answer,
    explanation: Explanation,
    browser_path: str,
    tmp_path: Path,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    path = tmp_path / "report.html"
    whole = explanation_report(explanation, answer, IS_GLOBAL, zones=ZONES, zones_note="")
    path.write_text(html_page(whole), "utf-8")
    # In a thread of its own: the browser tests' session holds this one's event loop.
    with ThreadPoolExecutor(1) as threads:
        seen = threads.submit(draw_report, browser_path, path, scheme, width).result()
    outside = [url for url in seen.called if not url.startswith(("file:", "data:", "blob:"))]
    assert (outside, seen.complaints) == ([], [])
    assert seen.background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(14, 17, 23)")
    assert seen.broken_words == []
    assert seen.covered == 0
    assert seen.overflow == 0


@dataclass
class Seen:
    """What the page asked for and complained of, and how it looks."""

    called: list[str]
    complaints: list[str]
    background: str = ""
    broken_words: Sequence[str] = ()
    covered: int = 0
    overflow: int = 0


# Words that stand on two lines, in every cell but those of long texts.
BROKEN_WORDS = """() => {
  const broken = [];
  for (const cell of document.querySelectorAll("th, td:not(.text), h2, caption")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const found of texts.currentNode.data.matchAll(/\\S+/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, found.index);
        range.setEnd(texts.currentNode, found.index + found[0].length);
        const lines = new Set(Array.from(range.getClientRects(), (box) => box.top));
        if (lines.size > 1) broken.push(found[0]);
      }
    }
  }
  return broken;
}"""
# Bars that something else of their figure stands over.
COVERED = """() => Array.from(document.querySelectorAll(".plot")).flatMap((plot) => {
  const boxes = (what) =>
    Array.from(plot.querySelectorAll(what), (one) => one.getBoundingClientRect());
  const over = boxes(".modebar-btn, .annotation, .gtitle, .ytick text");
  return boxes(".bars path").filter((bar) => over.some((box) =>
    box.left < bar.right && bar.left < box.right && box.top < bar.bottom && bar.top < box.bottom));
}).length"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def draw_report(
    browser_path: str, path: Path, scheme: Literal["light", "dark"], width: int
) -> Seen:
    """Open a report, and look at it with the pointer over its first figure."""
    from playwright.sync_api import sync_playwright

    seen = Seen([], [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        page.on("request", lambda request: seen.called.append(request.url))
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector(".plot .bars path")
        seen.background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        seen.broken_words = page.evaluate(BROKEN_WORDS)
        page.hover(".plot")
        seen.covered = page.evaluate(COVERED)
        seen.overflow = page.evaluate(OVERFLOW)
        browser.close()
    return seen
