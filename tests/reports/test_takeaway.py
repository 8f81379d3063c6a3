"""Files to take home are made of what was shown, and when they are asked for."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import streamlit as st
from PIL import Image, ImageColor
from streamlit.testing.v1 import AppTest

from medgemma_dash.figures.palette import DARK
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.regions import DEFAULT_SCHEME, Zone, ZoneMap, ZoneTable
from medgemma_dash.reports.pictures import LONGEST_SIDE_PX
from medgemma_dash.reports.takeaway import Takeaway
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.ui.components import map_display
from medgemma_dash.ui.pages.explain import downloads
from medgemma_dash.ui.state.methods import specs
from medgemma_dash.ui.state.session import SESSION, Session
from medgemma_dash.ui.state.study import Answered, Options, Shown, Study
from tests.services.makers import make_answer, make_explanation, make_target

ZONE = Zone("Right upper", "right", "upper")  # the answers made here have a grid of 2 x 3 cells
ACCENT = np.array(ImageColor.getrgb(DARK.accent))
HOSTILE = '</title><script>alert(1)</script> & "'


def taken(pixels: np.ndarray, texts: tuple[str, ...] = ("Yes", ",", " left", ".")) -> Takeaway:
    answer = make_answer(texts)
    shape = (len(answer.tokens), len(answer.input_ids))
    return Takeaway(
        explanation=make_explanation(answer, make_target(answer, 0)),
        answer=answer,
        zones=ZoneTable((), None, 0.0),
        zones_note="",
        pixels=lambda: pixels,
        display=MapDisplay("smooth", 0.7, 0.0, "Inferno"),
        relevancy=np.zeros(shape, np.float32),
        filled=np.zeros(shape[0], np.bool_),
        is_global=(False,) * 4,
    )


def test_a_report_holds_a_picture_for_a_page_and_the_png_every_pixel() -> None:
    film = taken(np.random.default_rng(0).integers(0, 256, (1200, 3000, 3), np.uint8))
    (encoded,) = re.findall(r'<img alt=[^>]* src="data:image/png;base64,([^"]*)"', film.report())
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        assert picture.width == LONGEST_SIDE_PX
    with Image.open(io.BytesIO(film.png())) as picture:
        assert picture.width == 3000


def test_the_drawing_names_the_word_its_method_and_the_demo_model_and_no_path() -> None:
    takeaway = taken(np.zeros((20, 30, 3), np.uint8), (HOSTILE, "."))
    svg = ElementTree.fromstring(takeaway.svg())  # noqa: S314  our own text
    space = "{http://www.w3.org/2000/svg}"
    assert svg.findtext(f"{space}title") == f"Why “{HOSTILE}”?"
    told = svg.findtext(f"{space}desc") or ""
    assert "Method Chefer." in told
    assert takeaway.explanation.provenance.image_sha256 in told
    assert "demo model" in told
    assert not list(svg.iter(f"{space}script"))


@pytest.fixture
def buttons(monkeypatch: pytest.MonkeyPatch) -> Callable[[Study], dict[str, Any]]:
    """What the buttons below an explanation would give, by their labels."""

    def draw(study: Study) -> dict[str, Any]:
        given: dict[str, Any] = {}
        monkeypatch.setattr(
            st, "download_button", lambda label, data, **_: given.update({label: data})
        )

        def page() -> None:
            from types import SimpleNamespace

            from medgemma_dash.ui.pages.explain.downloads import downloads

            downloads(SimpleNamespace(model=SimpleNamespace(layout=SimpleNamespace(layers=()))))

        app = AppTest.from_function(page)
        app.session_state[SESSION] = Session(study=study)
        assert not app.run(timeout=30).exception
        return given

    return draw


def explained(method: str = "chefer", options: Options = ()) -> Study:
    answer = make_answer()
    target = make_target(answer, 2)
    explanation = make_explanation(answer, target, method)
    store = RelevanceStore(answer)
    shown = Shown(explanation, made_by=(method, options), seconds=None)
    study = Study(
        answer.radiograph, "t", answered=Answered(answer, store, target, begun=True, shown=shown)
    )
    everything = np.zeros(answer.grid, np.int8)
    study.zones[DEFAULT_SCHEME, answer.grid] = ZoneMap((ZONE,), everything, DEFAULT_SCHEME)
    return study


def test_the_tensor_is_of_the_settings_that_made_the_shown_map(
    buttons: Callable[[Study], dict[str, Any]],
) -> None:
    spec = next(spec for spec in specs() if spec.options)
    option = spec.options[0]
    other = option.choices[1]
    study = explained(spec.name, ((option.name, other),))
    answered = study.answered
    assert answered is not None
    assert answered.shown is not None
    shown = answered.shown.explanation
    answered.store.add(shown, answered.shown.made_by[1])
    answered.store.add(make_explanation(answered.answer, shown.target, spec.name, seed=9))
    # The picker stands at the default method with its default options.
    archive = buttons(study)["NPZ + JSON"]
    np.testing.assert_array_equal(archive.__self__.relevancy[2], shown.row)


def test_the_radiograph_is_windowed_only_when_a_button_is_clicked(
    monkeypatch: pytest.MonkeyPatch, buttons: Callable[[Study], dict[str, Any]]
) -> None:
    study = explained()
    own = {"preset": map_display.OWN_WINDOW, "centre": 80.0, "width": 40.0}
    values = {map_display.window_key(study, part): value for part, value in own.items()}
    monkeypatch.setattr(map_display, "widget_value", values.get)
    windowing = Mock(wraps=map_display.apply_window)
    monkeypatch.setattr(map_display, "apply_window", windowing)
    monkeypatch.setattr(
        downloads, "answer_display", lambda _: MapDisplay("smooth", 0.0, 0.0, "Inferno")
    )
    given = buttons(study)
    assert set(given) == {"Map PNG", "Map SVG", "Numbers CSV", "NPZ + JSON", "Report HTML"}
    given["Numbers CSV"]()
    windowing.assert_not_called()
    # The window of when the buttons were drawn, whatever is chosen on another thread.
    monkeypatch.setattr(map_display, "widget_value", lambda _, default: default)
    with Image.open(io.BytesIO(given["Map PNG"]())) as picture:
        shade = np.asarray(picture)[10, picture.width // 2]
    windowing.assert_called_once()
    assert shade.tolist() == [128] * 3  # the centre of the window is half-way to white


def test_a_figure_says_all_it_is_of_and_is_as_wide_as_asked() -> None:
    film = taken(np.zeros((200, 300, 3), np.uint8), (HOSTILE, "."))
    with Image.open(io.BytesIO(film.png(85))) as picture:
        assert picture.width == round(85 / 25.4 * 300)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)  # whole dots a metre
        assert picture.text["Question"] == "Fluid?"
        assert picture.text["Word"] == HOSTILE
        assert picture.text["Method"].startswith("Chefer")
        assert picture.text["Model"].startswith("demo, revision abc123")
        narrow = picture.height
    with Image.open(io.BytesIO(film.png(170))) as picture:
        assert picture.height > narrow
    svg = ElementTree.fromstring(film.svg(85))  # noqa: S314  our own text
    assert svg.attrib["width"] == "85mm"
    space = "{http://www.w3.org/2000/svg}"
    told = " ".join(one.text or "" for one in svg.iter(f"{space}text"))
    for part in (f"Word: {HOSTILE}", "Question: Fluid?", "Method: Chefer", "Model: demo", "Film, "):
        assert part in told
    assert "R" in told.split()
    assert not list(svg.iter(f"{space}script"))
    left, top, _, bottom = map(float, svg.attrib["viewBox"].split())
    places = [float(one.attrib["y"]) for one in svg.findall(f"{space}text")]
    assert max(places) < bottom
    assert (left, top) == (0, 0)
    with pytest.raises(ValueError, match="40 to 400 mm"):
        film.png(5000)


def test_a_narrow_figure_stays_as_wide_as_asked_and_its_text_readable() -> None:
    film = taken(np.zeros((200, 300, 3), np.uint8))
    with Image.open(io.BytesIO(film.png(40))) as picture:
        assert picture.width == round(40 / 25.4 * 300)
        shades = np.asarray(picture)
    # The notice in the accent colour: its first line is as high as its capital, 0.73 of the size.
    rows = np.flatnonzero((np.abs(shades.astype(int) - ACCENT).sum(axis=2) < 60).any(axis=1))
    first = rows[: int(np.argmax(np.diff(rows) > 1)) + 1]
    assert len(first) >= 0.73 * 6 / 72 * 300
    svg = ElementTree.fromstring(film.svg(40))  # noqa: S314  our own text
    sizes = [float(one.attrib["font-size"]) for one in svg.iter() if "font-size" in one.attrib]
    assert min(sizes) * 40 / float(svg.attrib["viewBox"].split()[2]) / 25.4 * 72 >= 6
