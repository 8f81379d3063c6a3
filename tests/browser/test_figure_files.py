"""Every chart can be saved as it stands, with its caption, by the browser alone."""

import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.explain_page import covered_by_controls, explain

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"


def saved(page: Page, chart: str, kind: str, width: str) -> bytes:
    box = page.locator(f".st-key-{chart} .chart-figure")
    box.hover()
    box.get_by_role("button", name="Save this figure").click()
    box.get_by_label("Width of the file").select_option(value=width.removesuffix(" mm"))
    with page.expect_download() as download:
        box.get_by_role("button", name=kind).click()
    assert download.value.suggested_filename.endswith(f".{kind.lower()}")
    return Path(download.value.path()).read_bytes()


def test_charts_are_saved_with_what_they_are_of(page: Page, app_url: str) -> None:
    explain(page, app_url, "?sample=pneumothorax-left")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert covered_by_controls(page, charts=3) == [], width
    drawing = ElementTree.fromstring(saved(page, "map_figure", "SVG", "85 mm"))  # noqa: S314
    assert drawing.attrib["width"] == "85mm"
    captions = drawing.findall(f"{SVG}text")
    told = [one.text or "" for one in captions]
    # No larger than the figure's own letters, and nothing of the figure at the very edge.
    assert all(0 < float(one.attrib["font-size"]) <= 12 for one in captions)
    left, _, across, _ = map(float, drawing.attrib["viewBox"].split())
    assert left < 0
    assert across + left > max(float(one.attrib["width"]) for one in drawing.findall(f"{SVG}svg"))
    for part in ("Film: Pneumothorax, left upper zone", "Question: ", "Word: ", "Chosen method: "):
        assert any(line.startswith(part) for line in told), part
    assert any("demo model" in line for line in told)
    assert len(list(drawing.iter(f"{SVG}image"))) == 2  # the film and its map
    with Image.open(io.BytesIO(saved(page, "layer_figure", "PNG", "120 mm"))) as picture:
        picture.load()  # checks every chunk's sum
        assert picture.width == round(120 / 25.4 * 300)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 10
