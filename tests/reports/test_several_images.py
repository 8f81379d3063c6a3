"""What is taken home of an answer about two radiographs shows both, and says which is which."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from medgemma_dash import ask, explain, load_radiograph, notebook
from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.resources import resource
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.regions import ZoneTable
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.takeaway import Takeaway
from medgemma_dash.services.explaining.word_shares import shares_of_images


@pytest.fixture(scope="module")
def answer(demo_model: VisionLanguageModel) -> Answer:
    samples = ("no-finding.png", "pneumothorax-left.png")
    films = [load_radiograph(resource("assets", "samples", name)) for name in samples]
    return ask(demo_model, films, "Is there evidence of pneumothorax?", force="Yes.")


@pytest.fixture(scope="module")
def explanation(demo_model: VisionLanguageModel, answer: Answer) -> Explanation:
    return explain(demo_model, answer, token=0)


def taken(explanation: Explanation, answer: Answer, mode: str = "grid") -> Takeaway:
    shape = (len(answer.tokens), len(answer.input_ids))
    return Takeaway(
        explanation=explanation,
        answer=answer,
        zones=ZoneTable((), None, 0.0),
        zones_note="",
        pixels=lambda: answer.radiograph.pixels,
        display=MapDisplay(mode, 1.0, 0.0, "Inferno"),
        relevancy=np.zeros(shape, np.float32),
        filled=np.zeros(shape[0], np.bool_),
        is_global=(False,) * len(explanation.layers),
    )


def test_a_report_shows_every_image_with_its_name_and_share(
    demo_model: VisionLanguageModel, answer: Answer, explanation: Explanation
) -> None:
    page = notebook.report(demo_model, answer, explanation)
    pictures = re.findall(r'<img alt="([^"]*)" src="data:image/png;base64,([^"]*)"', page)
    shares = shares_of_images(explanation)
    assert shares is not None
    assert len(pictures) == 2
    for number, ((words, encoded), share) in enumerate(zip(pictures, shares, strict=True), 1):
        digest = answer.images[number - 1].radiograph.sha256
        assert words.startswith(f"Radiograph, image {number} of 2, with")
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
            assert picture.text["Source"] == f"sha256 {digest}"
        told = f"Image {number} of 2 · sha256 {digest[:12]} · {share:.1%} of the relevance"
        assert told in page
        assert f"sha256 {digest}<" in page
    assert "Raw relevance by zone of image 2 of 2, the current one" in page
    assert "images at " in page


def test_a_report_of_one_image_speaks_of_one(
    demo_model: VisionLanguageModel, answer: Answer
) -> None:
    alone = ask(demo_model, answer.radiograph, answer.prompt, force="Yes.")
    page = notebook.report(demo_model, alone, explain(demo_model, alone, token=0))
    assert page.count("<img ") == 1
    assert "several" not in page[: page.index("plotly.js")]
    assert "figcaption></figure>\n<div>" not in page
    assert not re.search(r"[Ii]mage \d of \d", page)


def test_the_images_of_a_report_have_one_scale(answer: Answer, explanation: Explanation) -> None:
    faint = explanation.images[0] * np.float32(0.01)
    row = explanation.row.copy()
    row[slice(*answer.images[0].span)] = faint.ravel()
    given = replace(explanation, images=(faint, explanation.image), row=row)
    report = explanation_report(given, answer, (False,) * len(given.layers))
    colour = []
    for picture, image in zip(report.pictures, answer.images, strict=True):
        with Image.open(io.BytesIO(picture.png)) as opened:
            film = np.asarray(opened)[: image.radiograph.height].astype(int)
        colour.append(np.ptp(film, axis=2).max())
    # A hundredth of the peak is too faint for colour: what is left is grey, and the side's letters.
    assert colour[0] < 20
    assert colour[1] > 100


def test_the_map_to_take_home_has_both_side_by_side(
    answer: Answer, explanation: Explanation
) -> None:
    takeaway = taken(explanation, answer)
    widths = [image.radiograph.width for image in answer.images]
    with Image.open(io.BytesIO(takeaway.png())) as picture:
        assert picture.width >= sum(widths)
        told = picture.text["Source"]
    assert told == f"sha256 {', '.join(image.radiograph.sha256 for image in answer.images)}"
    svg = ElementTree.fromstring(takeaway.svg())  # noqa: S314  our own text
    space = "{http://www.w3.org/2000/svg}"
    first, second = svg.findall(f"{space}svg")
    assert int(second.attrib["x"]) == int(first.attrib["width"])
    names = [one.attrib["id"] for one in svg.iter() if "id" in one.attrib]
    assert len(names) == len(set(names)) == 4
    for one, image in zip((first, second), answer.images, strict=True):
        assert image.radiograph.sha256 in (one.findtext(f"{space}desc") or "")
