"""The Target Words page under a test: what it is opened with, and what it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.pages.words.state import TYPED, WHERE
from tests.app.opened import charts, figure


def type_words(app: AppTest, words: str) -> AppTest:
    return app.text_input(key=TYPED).set_value(words).run()


def look_in(app: AppTest, *places: str) -> AppTest:
    app.session_state[WHERE] = list(places)
    return app.run()


def titles_of(app: AppTest) -> list[str]:
    """The maps' titles, in their order."""
    labels = [one["text"] for one in figure(app, "words_maps")["layout"]["annotations"]]
    return [text.removeprefix("<b>").partition("</b>")[0] for text in labels if "</b><br>" in text]


def pictures_of(app: AppTest) -> list[Any]:
    """What is coloured, map by map."""
    traces = figure(app, "words_maps")["data"]
    return [one["z"] for one in traces if one["type"] == "heatmap" and one["opacity"] < 1]


def is_on_page(app: AppTest, key: str) -> bool:
    return key in charts(app)


def array(values: Any) -> np.ndarray:
    return np.asarray(values)
