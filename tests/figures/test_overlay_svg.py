"""The drawing to download: well-formed, self-contained, and the same map as the picture's."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.figures import overlay_svg
from medgemma_dash.figures.overlay import CAPTION
from medgemma_dash.imaging import jpeg_bytes

JPEG = jpeg_bytes(np.full((160, 240, 3), 90, np.uint8))
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
HOSTILE = (
    "</title><script>alert(1)</script>",
    "]]>&xxe;<!--",
    '" onload="alert(2)',
    "\x00\x1b\x85\u202e\ufffe\ud800",
)


def peaked() -> np.ndarray:
    image_map = np.zeros((16, 16), np.float32)
    image_map[10, 5] = 0.01
    image_map[2, 3] = 0.001
    return image_map


def drawn(image_map: np.ndarray | None = None, **options: Any) -> ElementTree.Element:
    text = overlay_svg(JPEG, 240, 160, peaked() if image_map is None else image_map, **options)
    # What was written is what a reader gets: no lone surrogate, nothing that XML forbids.
    return ElementTree.fromstring(text.encode())  # noqa: S314  our own text


def tags(svg: ElementTree.Element) -> set[str]:
    return {element.tag.removeprefix(SVG) for element in svg.iter()}


def pictures(svg: ElementTree.Element) -> list[Image.Image]:
    found = []
    for element in svg.iter(f"{SVG}image"):
        kind, data = element.attrib[f"{XLINK}href"].split(";base64,")
        assert kind in ("data:image/jpeg", "data:image/png")
        found.append(Image.open(io.BytesIO(b64decode(data))))
    return found


def visible(svg: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["title", "facts", "notices"])
def test_text_stays_text(text: str, place: str) -> None:
    svg = drawn(**{place: text if place == "title" else (text,)})
    allowed = {"svg", "title", "desc", "rect", "image", "g", "text", "linearGradient", "stop"}
    assert tags(svg) <= allowed
    attributes = {name for element in svg.iter() for name in element.attrib}
    assert not any(name.startswith("on") for name in attributes)
    shown = " ".join(svg.itertext())
    if text.isprintable():
        assert text in shown
    else:
        assert not any(character in shown for character in text)


def test_it_refers_to_nothing_outside() -> None:
    text = overlay_svg(JPEG, 240, 160, peaked(), notices=["A notice."])
    addresses = re.findall(r'(?:href|src)="([^"]{0,20})|url\(([^)]*)\)', text)
    assert addresses
    for address, reference in addresses:
        assert address.startswith("data:image/") or reference == "#scale"
    assert "<!" not in text
    assert "style" not in tags(ElementTree.fromstring(text))  # noqa: S314  our own text


def test_in_grid_mode_every_cell_with_relevance_is_a_rectangle_of_its_own() -> None:
    svg = drawn(mode="grid", opacity=1.0)
    (group,) = [g for g in svg.iter(f"{SVG}g") if "scale" in g.attrib["transform"]]
    cells = {(c.attrib["x"], c.attrib["y"]): c.attrib for c in group}
    assert set(cells) == {("5", "10"), ("3", "2")}
    assert cells["5", "10"]["fill"] == "rgb(252,255,164)"  # the last colour of Inferno
    assert float(cells["5", "10"]["fill-opacity"]) == 1
    assert 0 < float(cells["3", "2"]["fill-opacity"]) < 0.2
    across, down = map(float, re.findall(r"[\d.]+", group.attrib["transform"]))
    assert (16 * across, 16 * down) == pytest.approx((960, 640), abs=1e-3)


def test_in_smooth_mode_the_map_is_a_picture_over_the_whole_radiograph() -> None:
    radiograph, overlay = pictures(drawn(opacity=1.0))
    assert (radiograph.format, radiograph.size) == ("JPEG", (240, 160))
    assert overlay.size == (640, 427)
    alpha = np.asarray(overlay)[..., 3]
    top, left = np.unravel_index(alpha.argmax(), alpha.shape)
    assert (int(top * 16 / 427), int(left * 16 / 640)) == (10, 5)
    assert alpha[:40].max() == 0


def test_below_the_threshold_nothing_is_drawn() -> None:
    svg = drawn(mode="grid", threshold=0.5)
    (group,) = [g for g in svg.iter(f"{SVG}g") if "scale" in g.attrib["transform"]]
    assert len(group) == 1


@pytest.mark.parametrize(
    ("laterality", "letters"), [("left", ["R", "L"]), ("right", ["L", "R"]), ("unknown", [])]
)
def test_sides_stand_where_they_are_and_are_never_guessed(
    laterality: str, letters: list[str]
) -> None:
    assert [text for text in visible(drawn(laterality=laterality)) if text in "RL"] == letters


def test_signed_maps_show_both_ends_of_their_scale() -> None:
    image_map = peaked()
    image_map[0, 0] = -0.02
    texts = visible(drawn(image_map, signed=True))
    assert "-0.0200 against" in texts
    assert "0.0200 for" in texts


def test_caption_notices_and_facts_are_told() -> None:
    svg = drawn(facts=["Method chefer."], notices=["word " * 60], title="Why “left”?")
    texts = visible(svg)
    assert CAPTION in texts
    assert " ".join(texts).count("word") == 60  # broken into lines, and none of it lost
    assert svg.findtext(f"{SVG}title") == "Why “left”?"
    assert "Method chefer." in (svg.findtext(f"{SVG}desc") or "")
    bottom = float(svg.attrib["height"])
    assert 640 < bottom < 900


def test_unknown_scales_and_broken_maps_are_refused() -> None:
    with pytest.raises(ValueError, match="allowed"):
        drawn(colour_scale="Jet")
    with pytest.raises(ValueError, match="finite"):
        drawn(np.full((16, 16), np.nan, np.float32))


def test_a_map_of_patches_is_drawn_in_place_of_the_cells_and_named() -> None:
    fine = np.zeros((32, 48), np.float32)
    fine[20, 10] = 0.04
    svg = drawn(fine=fine, mode="grid", opacity=1.0)
    cells = [one for one in svg.iter(f"{SVG}rect") if one.get("width") == "1"]
    assert [(one.get("x"), one.get("y")) for one in cells] == [("10", "20")]
    assert any("32 × 48 patches" in text for text in visible(svg))
    assert ElementTree.tostring(drawn(fine=peaked())) == ElementTree.tostring(drawn())
