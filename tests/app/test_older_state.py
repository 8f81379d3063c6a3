"""A page whose session was made by an older version of the program begins afresh, and says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.state.session import CHANGED_MEANWHILE, SESSION
from tests.app.browser_events import lines_of
from tests.app.opened import PAGES, session_of, study_of


@pytest.mark.parametrize("page", ["Home.py", *PAGES])
def test_every_page_begins_afresh(open_explain: Callable[[], AppTest], page: str) -> None:
    app = open_explain()
    before = study_of(app)
    # As after a change of the code: the class is another one, and has none of today's members.
    app.session_state[SESSION] = type("Session", (), {"asking": None})()
    app.switch_page(page).run()
    assert not app.exception
    assert session_of(app).study is not before
    notice = session_of(app).notice
    assert notice is not None
    assert notice.text == CHANGED_MEANWHILE
    if page != "pages/9_Methods.py":  # which has no place for notices; the next page has
        assert lines_of(app, "notice_line") == [CHANGED_MEANWHILE]


def test_the_sample_in_the_address_is_opened_again_and_works(
    open_explain: Callable[[], AppTest], settle: Callable[[AppTest], AppTest]
) -> None:
    app = open_explain()
    sample = study_of(app).sample
    app.session_state[SESSION] = object()
    settle(app.run())
    assert not app.exception
    assert study_of(app).sample == sample
    assert study_of(app).answered is not None
