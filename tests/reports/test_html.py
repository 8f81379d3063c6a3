"""A report's page shows text as text, and holds nothing that could call out."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.notices import DEMO_NOTICE, RESEARCH_NOTICE
from medgemma_dash.reports.html.page import cell
from medgemma_dash.reports.report import Figure
from tests.reports.pages import report
from tests.services.makers import make_answer, make_explanation, make_target

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
