"""What the Explain page says of a map, its film's zones and sides, and what it suggests to ask."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.target import Target
from medgemma_dash.ui.components.map_display import ONE_SCALE
from medgemma_dash.ui.state.actions import choose, open_radiograph, open_sample
from medgemma_dash.ui.state.samples import GENERAL_SUGGESTIONS, sample_named, samples
from tests.app.browser_events import lines_of
from tests.app.opened import answered_of, figure, session_of, study_of

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


def suggested(app: AppTest) -> list[str]:
    return [one.label for one in app.button if str(one.key).startswith("suggestion_")]


def map_figure(app: AppTest) -> dict[str, Any]:
    return figure(app, "map_figure")


def sides(app: AppTest) -> list[str]:
    texts = [str(one.get("text", "")) for one in map_figure(app)["layout"]["annotations"]]
    return [text for text in texts if text.strip("</b>") in ("R", "L")]


def noise() -> bytes:
    buffer = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 256, (300, 280), np.uint8)
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def test_suggestions_are_of_the_film_and_ask_what_they_say(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    assert tuple(suggested(app)) == samples()[0].suggestions
    effusion = sample_named("pleural-effusion-right")
    assert effusion is not None
    open_sample(session_of(app), effusion)
    settle(app.run())
    assert tuple(suggested(app)) == effusion.suggestions
    label = suggested(app)[0]
    settle(app.button(key="suggestion_0").click().run())
    assert answered_of(app).answer.prompt == label
    assert open_radiograph(session_of(app), noise(), "Uploaded")
    assert tuple(suggested(app.run())) == GENERAL_SUGGESTIONS


def test_a_film_without_lungs_gets_no_zone_no_side_and_the_reason(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    assert len(sides(app)) == 2
    assert open_radiograph(
        session_of(app), noise(), "Uploaded", opening_question="What is it?", opening_word="lower"
    )
    settle(app.run())
    assert not app.exception
    assert answered_of(app).explanation is not None
    assert sides(app) == []
    said = lines_of(app, "why_sentence")[0]
    assert "No lungs could be made out in this picture" in said
    assert "patient" not in said
    assert "No lungs" in lines_of(app, "no_zones")[0]
    assert lines_of(app, "zone_line") == []


def test_one_scale_for_all_words_reaches_to_the_strongest(
    open_explain: OpenPage, settle: Settle, host: Any, makers: Any
) -> None:
    app = open_explain()
    answered = answered_of(app)
    usual = makers.explanation(answered.answer, Target("token", (2,), " there"), "chefer")
    answered.store.add(replace(usual, row=usual.row * 5, images=(usual.image * 5,)))
    for index in (3, 4, 5):  # of fewer words it is not known what is usual
        target = Target("token", (index,), answered.answer.tokens[index].text)
        answered.store.add(makers.explanation(answered.answer, target, "chefer"))
    choose(session_of(app), host, Target("token", (8,), " lower"), "chefer", ())
    settle(app.run())
    peak = float(answered_of(app).explanation.image.max())  # type: ignore[union-attr]
    assert heat(app)["zmax"] == pytest.approx(peak)
    app.session_state[ONE_SCALE] = True
    app.run()
    assert heat(app)["zmax"] == pytest.approx(5 * peak)
    (line,) = [line for line in lines_of(app, "why_sentence") if "map strength" in line]
    assert "20%" in line
    assert study_of(app).sample is not None


def heat(app: AppTest) -> dict[str, Any]:
    return next(one for one in map_figure(app)["data"] if one["type"] == "heatmap")
