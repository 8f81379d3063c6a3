"""Films on the Explain page: broken, dark and negative ones."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.components.map_display import displayed_pixels, window_key
from medgemma_dash.ui.state.actions import open_radiograph
from tests.app.browser_events import actions_of, choose_action, lines_of
from tests.app.opened import answered_of, ask, session_of, study_of
from tests.imaging.dicom_files import native, sample_picture

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


def test_a_broken_file_changes_nothing(open_explain: OpenPage) -> None:
    from medgemma_dash.ui.state.actions import open_radiograph

    app = open_explain()
    session, before = session_of(app), study_of(app)
    assert not open_radiograph(session, b"<script>alert(1)</script>", "Uploaded radiograph")
    app.run()
    assert session.study is before
    assert session.notice is not None
    assert session.notice.tone == "error"


def test_a_dark_film_is_shown_in_the_full_range_by_one_click(open_explain: OpenPage) -> None:
    app = open_explain()
    assert "wider" not in actions_of(app, "radiograph_notes")  # the sample uses the range
    dark = native(sample_picture(64, 64, 8), WindowCenter=2048, WindowWidth=4096)
    assert open_radiograph(session_of(app), dark, "Uploaded film")
    app.run()
    study = study_of(app)
    assert displayed_pixels(study).max() < 20
    assert any("very dark" in line for line in lines_of(app, "radiograph_notes"))
    assert actions_of(app, "radiograph_notes") == ["wider"]
    choose_action(app, "radiograph_notes", "wider")
    app.run()
    assert app.session_state[window_key(study, "preset")] == "Whole range"
    assert any("very dark" in line for line in lines_of(app, "radiograph_notes"))
    assert actions_of(app, "radiograph_notes") == []


def test_a_negative_is_told_and_opened_the_other_way_round_by_one_click(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    assert "inverted" not in actions_of(app, "radiograph_notes")
    film, file = study_of(app).radiograph, io.BytesIO()
    Image.fromarray(255 - film.pixels).save(file, "PNG")
    assert open_radiograph(session_of(app), file.getvalue(), "Uploaded film")
    app.run()
    wrong = answered_of(ask(app, settle, "Is the heart enlarged?"))
    assert any("looks inverted" in line for line in lines_of(app, "radiograph_notes"))
    choose_action(app, "radiograph_notes", "inverted")
    app.run()
    answered, study = answered_of(settle(app)), study_of(app)
    np.testing.assert_array_equal(study.radiograph.pixels, film.pixels)
    np.testing.assert_array_equal(displayed_pixels(study), film.pixels)
    assert answered is not wrong
    assert answered.answer.prompt == "Is the heart enlarged?"
    assert actions_of(app, "radiograph_notes") == []
    assert any("as the reader chose" in line for line in lines_of(app, "radiograph_notes"))
    assert session_of(app).address == {"film": study.marker}
