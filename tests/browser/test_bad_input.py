"""What people give to the program by mistake or in bad faith: a message, and all stays."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explain_page import (
    FIRST_SAMPLE,
    MAP,
    NOT_OPENED,
    NOTICE,
    RADIOGRAPH,
    SAMPLES,
    Said,
    another_radiograph,
    ask,
    close_popover,
    idle,
    newest,
    put,
    seen,
    settled,
    upload,
)
from tests.browser.serving import ROOT, ServeApp
from tests.hostile_images import hostile_image

pytestmark = pytest.mark.browser

# Kind, the name under which it comes, and what the message has that no other one here has.
HOSTILE_FILES = [
    ("empty", "empty.png", "The file is empty"),
    ("text", "letter.txt", "The file is text"),
    ("web page", "<img src=x onerror=alert(1)>.html", "is a web page"),
    ("svg", "drawing.svg", "an SVG drawing"),
    ("zip", "study.zip", "ZIP archive"),
    ("tiff", "scan.tiff", "a TIFF picture"),
    ("random bytes", "no-extension", "is not a PNG, JPEG or DICOM file"),
    ("pdf", "radiograph.dcm", "a PDF document"),
    ("png bomb by its header", "bomb.png", "60000 x 60000 pixels"),
    ("png cut in half", "cut.png", "The PNG file is damaged or cut off"),
    ("jpeg of thousands of scans", "scans.jpg", "more passes or pieces than"),
    ("dicom header only", "header.dcm", "cut off in its header"),
    ("dicom deflated bomb", "bomb.dcm", "is deflated"),
    ("dicom private syntax", "private.ima", "encoded in a way that is not read"),
    ("dicom without pixels", "report.dcm", "holds no picture"),
    ("dicom of absurd size", "huge", "65535 x 65535 pixels"),
    ("dicom cut in its pixels", "1.2.840.10008", "cannot be decoded"),
]


def test_hostile_files_are_refused_each_with_its_reason_and_everything_stays(
    standing: Page, tmp_path: Path
) -> None:
    newest(standing, ".st-key-question input").fill("What stays?")
    before = seen(standing)
    for kind, name, reason in HOSTILE_FILES:
        file = tmp_path / name
        file.write_bytes(hostile_image(kind))
        upload(standing, file)
        notice = newest(standing, NOT_OPENED)
        expect(notice, kind).to_contain_text(reason)
        expect(notice, kind).to_contain_text("The radiograph before it is still open.")
        assert seen(standing) == before, kind
    assert notice.get_attribute("role") == "alert"
    expect(newest(standing, ".st-key-question input")).to_have_value("What stays?")
    close_popover(standing)


HOSTILE_QUESTIONS = [
    '<img src="http://outside.invalid/x.png"><script>alert(1)</script>',
    "![x](http://outside.invalid/x.png) **bold** $$x$$ :smile:",
    "هل يوجد التهاب رئوي؟ \u202e abc",
    "👩🏽‍⚕️🫁 ?",
]


@pytest.mark.parametrize("question", HOSTILE_QUESTIONS, ids=["html", "markdown", "rtl", "emoji"])
def test_a_question_with_markup_is_asked_as_it_stands_and_stays_text(
    standing: Page, said: Said, question: str
) -> None:
    assert ask(standing, question) == said(FIRST_SAMPLE, question)
    expect(newest(standing, ".st-key-question input")).to_have_value(question)
    assert standing.locator("img[src*='outside.invalid']").count() == 0


# Within the box's limit of characters, and more than 1,024 tokens.
TOO_LONG = "ż7" * 1900


@pytest.mark.parametrize(
    ("question", "reason"),
    [("", "is empty"), ("<start_of_image> what is this?", "<start_of_image>"), (TOO_LONG, "long")],
    ids=["empty", "image tag", "too long"],
)
def test_a_question_that_cannot_be_asked_is_refused_and_everything_stays(
    standing: Page, question: str, reason: str
) -> None:
    before = seen(standing)
    put(standing, question)
    expect(newest(standing, NOTICE)).to_contain_text(reason)
    # Not before the refused question has left the strip's place.
    settled(standing)
    assert seen(standing) == before
    expect(newest(standing, ".st-key-question input")).to_have_value(question)


@pytest.fixture(scope="module")
def weightless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model's folder without its weights."""
    folder = tmp_path_factory.mktemp("models") / "weightless"
    without = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(ROOT / "assets" / "demo-model", folder, ignore=without)
    return folder


def test_a_model_folder_without_weights_is_named_on_every_page_until_they_are_there(
    page: Page, serve_app: ServeApp, weightless: Path
) -> None:
    url = serve_app(ROOT / "Home.py", MEDGEMMA_DASH_MODEL=str(weightless))
    reason = "holds no *.safetensors weights"

    page.goto(url)
    state = newest(page, ".st-key-model_state .rich-line")
    expect(state).to_contain_text("The model could not be loaded.")
    expect(state).to_contain_text(reason)
    expect(state).to_contain_text("MEDGEMMA_DASH_MODEL")
    assert state.get_attribute("role") == "alert"

    page.locator(".st-key-sample_grid [data-testid='stBaseButton-tertiary']").first.click()
    expect(page.locator(RADIOGRAPH)).to_have_count(1)
    expect(newest(page, ".st-key-status")).to_contain_text("No model")
    # Not what Home said, which goes when the page's script has run to its end.
    expect(state).to_have_count(0)
    expect(page.get_by_test_id("stMain")).to_contain_text(reason)
    put(page, "Is the heart enlarged?")
    expect(newest(page, NOTICE)).to_contain_text("There is no model to ask.")
    expect(newest(page, NOTICE)).to_contain_text(reason)
    before = newest(page, RADIOGRAPH).get_attribute("href")
    upload(page, next(SAMPLES.glob("*.dcm")))
    another_radiograph(page, before or "")
    close_popover(page)

    for name in ("Compare", "Layers", "Methods"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(rf"/{name}(\?|$)"))
        expect(newest(page, ".st-key-status")).to_contain_text("No model")
        idle(page)

    weights = "model.safetensors"
    shutil.copyfile(ROOT / "assets" / "demo-model" / weights, weightless / weights)
    page.get_by_role("link", name="MedGemma Dash").click()
    page.get_by_role("button", name="Try again").click()
    expect(state).to_contain_text("loaded in")
    page.get_by_role("link", name="Explain", exact=True).click()
    ask(page, "Is the heart enlarged?")
    expect(page.locator(MAP)).to_have_count(1)
