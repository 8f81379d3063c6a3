"""What stands in a page's address and notice, and what puts it there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.state.actions import open_radiograph
from medgemma_dash.ui.state.samples import samples
from tests.app.opened import PAGES, session_of

ROOT = Path(__file__).parents[3]
EXPLAIN, METHODS = PAGES[0], PAGES[-1]
HEART = "Is the heart enlarged?"
OpenPage = Callable[[], AppTest]
OpenAt = Callable[..., AppTest]
GoBack = Callable[..., AppTest]


def address_of(app: AppTest) -> dict[str, str]:
    return dict(session_of(app).address)


def notice_of(app: AppTest) -> str:
    notice = session_of(app).notice
    return "" if notice is None else notice.text


def upload(app: AppTest, place: int = 0) -> AppTest:
    assert open_radiograph(session_of(app), samples()[place].film.read_bytes(), "Uploaded film")
    return app.run()
