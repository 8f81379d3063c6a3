"""Parts of the Explain page are drawn anew by themselves, whatever state the others are in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.target import Target
from medgemma_dash.ui.components.map_display import window_key
from medgemma_dash.ui.components.previous_answer import EARLIER
from medgemma_dash.ui.components.redraw import PARTS
from medgemma_dash.ui.pages.explain.state import ExplainState
from medgemma_dash.ui.state.actions import choose, open_radiograph
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import ASK, QUESTION
from tests.app.browser_events import choose_words, click_patch, drag_window, lines_of
from tests.app.opened import figure, session_of, study_of

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


def cell_of(app: AppTest) -> tuple[int, int] | None:
    return session_of(app).page_state(ExplainState).cell


def displayed(app: AppTest) -> str:
    """The radiograph in the figure."""
    return str(figure(app, "map_figure")["layout"]["images"][0]["source"])


def upload(app: AppTest) -> AppTest:
    """A file that nobody asked anything about."""
    open_radiograph(session_of(app), Path(samples()[0].film).read_bytes(), "Upload")
    return app.run()


def ask_and_hold(app: AppTest, fake: Any) -> AppTest:
    fake.hold.clear()
    app.text_input(key=QUESTION).set_value("Is the heart enlarged?")
    return app.button(key=ASK).click().run()


def test_a_patch_can_be_clicked_before_anything_was_asked(open_explain: OpenPage) -> None:
    app = upload(open_explain())
    assert study_of(app).answered is None
    click_patch(app, 3, 4)
    assert not app.exception
    assert cell_of(app) == (3, 4)


def test_a_patch_that_is_clicked_again_is_let_go(open_explain: OpenPage) -> None:
    app = upload(open_explain())
    for chosen in ((3, 4), None, (3, 4)):
        click_patch(app, 3, 4)
        assert cell_of(app) == chosen


def test_dragging_on_the_radiograph_chooses_its_window(open_explain: OpenPage) -> None:
    app = open_explain()
    study = study_of(app)
    app.toggle(key="drag_window").set_value(True).run()
    before = displayed(app)
    drag_window(app, 90.0, 60.0)
    assert not app.exception
    assert displayed(app) != before
    chosen = {part: app.session_state[window_key(study, part)] for part in ("centre", "width")}
    assert chosen == {"centre": 90.0, "width": 60.0}
    # Beyond the radiograph's intensities there is nothing to see.
    drag_window(app, 1e6, 1e9)
    span = float(np.ptp(study.radiograph.intensities))
    assert app.session_state[window_key(study, "width")] == 2 * span
    assert not app.exception


def test_a_patch_can_be_clicked_while_an_answer_is_being_said(
    open_explain: OpenPage, fake: Any
) -> None:
    app = ask_and_hold(open_explain(), fake)
    assert lines_of(app, "stream")
    click_patch(app, 3, 4)
    assert not app.exception
    assert cell_of(app) == (3, 4)
    assert lines_of(app, "stream")


def test_the_zones_can_be_changed_while_an_answer_is_being_said(
    open_explain: OpenPage, fake: Any
) -> None:
    app = ask_and_hold(open_explain(), fake)
    app.selectbox(key="zone_scheme").set_value("fixed").run()
    assert not app.exception
    assert app.selectbox(key="zone_scheme").value == "fixed"


def test_the_opacity_can_be_changed_before_anything_was_asked(open_explain: OpenPage) -> None:
    app = upload(open_explain())
    app.slider(key="map_opacity").set_value(40).run()
    assert not app.exception


def test_a_word_can_be_chosen_where_the_last_one_had_no_map(
    open_explain: OpenPage, fake: Any
) -> None:
    from medgemma_dash.core.errors import NoExplanationError

    app = open_explain()
    fake.explain_error = NoExplanationError("every gradient is zero.")
    choose_words(app, 7, 8)
    assert lines_of(app, "why_sentence") == [
        "No explanation for right, because every gradient is zero."
    ]
    click_patch(app, 3, 4)
    fake.explain_error = None
    choose_words(app, 8, 9)
    assert not app.exception
    assert lines_of(app, "why_sentence")[0].startswith("Why lower?")


def places(app: AppTest) -> dict[str, tuple[int, ...]]:
    """Where everything with a key stands in the page: the way to it from the root."""
    found = {}
    waiting: list[tuple[tuple[int, ...], Any]] = [((), app._tree)]
    while waiting:
        place, one = waiting.pop()
        for index, child in getattr(one, "children", {}).items():
            waiting.append(((*place, index), child))
        key = str(getattr(getattr(one, "proto", None), "id", "")).rpartition("-")[2]
        if key:
            found[key] = place
    return found


def test_progress_of_a_word_moves_nothing(
    open_explain: OpenPage, settle: Settle, host: Any, fake: Any
) -> None:
    """What has moved is built anew by the browser, the table with five megabytes of script."""
    app = open_explain()
    before = places(app)
    fake.hold.clear()
    choose(session_of(app), host, Target("token", (7,), " right"), "chefer", ())
    app.run()
    meanwhile = places(app)
    assert set(meanwhile) - set(before) == {"cancel_explain", EARLIER}
    assert {key: meanwhile[key] for key in before} == before
    fake.hold.set()
    assert places(settle(app)) == before


@pytest.mark.parametrize("part", PARTS)
def test_where_a_part_is_missing_the_whole_page_is_drawn(part: str) -> None:
    def page() -> None:
        import streamlit as st

        from medgemma_dash.ui.components.redraw import PARTS, redraw

        runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
        missing = st.session_state["missing"]
        for name in PARTS:
            if name != missing:
                st.fragment(lambda name=name: st.text(name), key=name)()
        st.button("go", on_click=lambda: redraw(*PARTS))
        st.text(f"run {runs}")

    app = AppTest.from_function(page)
    app.session_state["missing"] = part
    app.run()
    app.button[0].click().run()
    assert not app.exception
    assert app.session_state["runs"] == 2
