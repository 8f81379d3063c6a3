"""A report shows text as text, holds nothing that could call out, and is drawn in a browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.notices import DEMO_NOTICE, RESEARCH_NOTICE
from medgemma_dash.core.target import Against
from medgemma_dash.regions import ZoneRow, ZoneTable
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.explanation_tables import provenance_table
from medgemma_dash.reports.html import html_page
from medgemma_dash.reports.html.page import cell
from medgemma_dash.reports.report import Column, Figure, Report, Table
from tests.services.makers import make_answer, make_explanation, make_target

IS_GLOBAL = (False, True, False, False)
ZONES = ZoneTable(
    (ZoneRow("Right upper", 0.25, 0.01, 0.5), ZoneRow("Left lower", 0.5, -0.02, 0.75)), None, 0.25
)
HOSTILE = (
    "<script>alert(1)</script>",
    '<img src="https://evil.example/x.png" onerror="alert(2)">',
    "\u202eesrever\u202c",
    "</script><!-- ]]>",
    '=HYPERLINK("https://evil.example")',
)


def figure_json(text: str = "label") -> str:
    source = "data:image/jpeg;base64,AAAA"
    layout = {"title": {"text": text}, "width": 300, "images": [{"source": source}]}
    return json.dumps({"data": [{"type": "bar", "x": [1], "y": [2]}], "layout": layout})


@pytest.fixture
def answer() -> Answer:
    return make_answer()


@pytest.fixture
def explanation(answer: Answer) -> Explanation:
    return make_explanation(answer, make_target(answer, 2))


def told(explanation: Explanation, answer: Answer, *figures: Figure) -> Report:
    """The explanation's report with these figures in place of its own."""
    report = explanation_report(
        explanation, answer, IS_GLOBAL, zones=ZONES, zones_note="Fixed grid."
    )
    return replace(report, figures=figures)


def report(explanation: Explanation, answer: Answer, *figures: Figure) -> str:
    return html_page(told(explanation, answer, *figures))


class Reader(HTMLParser):
    """What a browser would make of the page: its elements, attributes and visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.visible = ""
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.visible += data


def test_the_report_shows_hostile_text_as_text() -> None:
    answer = make_answer(HOSTILE, prompt="<b onclick=alert(3)>Fluid?</b>")
    explanation = make_explanation(answer, make_target(answer, 0))
    figure = Figure("<i>Map</i>", "<script>", figure_json("</script><script>alert(4)"))
    page = report(explanation, answer, figure)
    reader = Reader(page)
    assert {tag for tag, _ in reader.tags}.isdisjoint({"b", "i", "link", "iframe", "a", "object"})
    assert [tag for tag, _ in reader.tags].count("img") == 1
    assert [tag for tag, _ in reader.tags].count("script") == 3
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert "<script>alert(1)</script>" in reader.visible
    assert "⟨U+202E⟩esrever" in reader.visible
    assert "\u202e" not in page
    stored = json.loads(next(s for s in reader.scripts if '"layout"' in s and len(s) < 10_000))
    assert stored["layout"]["title"]["text"] == "</script><script>alert(4)"


def test_the_report_refers_to_nothing_outside(answer: Answer, explanation: Explanation) -> None:
    figure = Figure("Map", "", figure_json(), figure_json())
    page = report(explanation, answer, figure)
    reader = Reader(page)
    for _, attributes in reader.tags:
        for name in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(name) or "data:").startswith("data:")
    # Plotly's own script names addresses of maps that this page never draws and cannot reach.
    own = max(reader.scripts, key=len)
    rest = page.replace(own, "")
    assert len(own) > 1_000_000
    assert "://" not in rest
    assert "url(" not in rest
    assert "@import" not in rest
    assert 'showSendToCloud: false, plotlyServerURL: "", displaylogo: false' in rest
    assert "displayModeBar: false" in rest  # its buttons would cover the first bar
    policy = next(a["content"] for t, a in reader.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("sha256-") == 2
    assert "http" not in policy


def test_a_report_figure_with_an_outside_picture_is_refused(
    answer: Answer, explanation: Explanation
) -> None:
    outside = figure_json().replace("data:image/jpeg;base64,AAAA", "https://evil.example/a.png")
    with pytest.raises(ValueError, match="data URIs"):
        report(explanation, answer, Figure("Map", "", outside))
    with pytest.raises(ValueError, match="Plotly JSON"):
        report(explanation, answer, Figure("Map", "", "[]"))


def test_the_report_tells_what_it_explains(answer: Answer, explanation: Explanation) -> None:
    page = report(explanation, answer)
    assert "Yes, <mark>left</mark>." in page
    assert page.count(DEMO_NOTICE) == 2
    assert page.count(RESEARCH_NOTICE) == 2
    assert "1 (global)" in page
    assert explanation.provenance.image_sha256 in page
    assert "prefers-color-scheme: dark" in page
    assert "plotly" not in page.lower()  # no figure, no script


def test_neighbouring_tokens_of_a_word_are_one_mark() -> None:
    answer = make_answer(("A", " pneum", "othor", "ax", "."))
    word = told(make_explanation(answer, make_target(answer, 1, 2, 3)), answer)
    marked = [run.text for run in word.answer if run.role == "marked"]
    assert marked == ["pneumothorax"]
    apart = told(make_explanation(answer, make_target(answer, 0, 2)), answer)
    assert [run.text for run in apart.answer if run.role == "marked"] == ["A", "othor"]
    for report in (word, apart):
        said = [run.text for run in report.answer if run.role != "control"]
        assert "".join(said) == answer.text


def test_a_span_has_no_runners_up_and_a_token_has_its_own(
    answer: Answer, explanation: Explanation
) -> None:
    titles = [table.title for table in told(explanation, answer).tables]
    assert titles == ["Zones", "Words", "Layers", "Probability"]
    span = make_explanation(answer, make_target(answer, 0, 1))
    assert [table.title for table in told(span, answer).tables] == titles[:-1]


def test_a_run_of_one_token_id_is_counted(explanation: Explanation) -> None:
    facts = replace(explanation.provenance, token_ids=(2, *[8] * 256, 7, 7, 5))
    assert dict(provenance_table(facts).rows)["Token ids"] == "2 8 × 256 7 7 5"


def test_a_report_tells_neither_tags_nor_the_path_of_a_model_folder() -> None:
    answer = make_answer(model_name="/home/someone/models/medgemma")
    page = report(make_explanation(answer, make_target(answer, 0)), answer)
    assert "someone" not in page
    assert "secret maker" not in page
    assert "medgemma, revision abc123" in page


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (0.000123456, "number", "0.0001235"),
        (None, "number", "–"),
        (float("nan"), "share", "–"),
        (0.12345, "share", "12.3%"),
        (0.0001, "share", "< 0.1%"),
        (0.0, "share", "0.0%"),
        ("<b>\u202e", "text", "<b>⟨U+202E⟩"),  # the template escapes it
    ],
)
def test_a_cell_is_text_a_number_or_a_dash(
    value: str | float | None, kind: str, shown: str
) -> None:
    assert cell(value, kind) == shown


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="'Layers' have 1 cells"):
        Table("Layers", "", (Column("Layer", "name"),), (("0", 0.5),))


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


def test_a_contrast_is_what_the_report_asks(answer: Answer) -> None:
    target = make_target(answer, 2, against=Against(7, " No"))
    asked = explanation_report(make_explanation(answer, target), answer, IS_GLOBAL, zones=ZONES)
    assert asked.title == "Why “left” rather than “No”?"


def test_an_explanation_of_another_answer_makes_no_report(explanation: Explanation) -> None:
    other = make_answer(("Yes", "."))
    with pytest.raises(ValueError, match="belongs to another answer"):
        explanation_report(explanation, other, IS_GLOBAL, zones=ZONES)


def test_where_no_prompt_word_mattered_there_is_no_empty_chart(
    answer: Answer, explanation: Explanation
) -> None:
    start, stop = answer.image_span
    row = np.zeros_like(explanation.row)
    row[start:stop] = explanation.row[start:stop]
    only_image = replace(explanation, row=row)
    titles = [
        [figure.title for figure in explanation_report(one, answer, IS_GLOBAL, zones=ZONES).figures]
        for one in (explanation, only_image)
    ]
    assert [len(one) for one in titles] == [2, 1]
