"""The Prompt Sensitivity page with the opening sample answered and asked about in other words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

PAGE = "pages/6_Prompt_Sensitivity.py"


@pytest.fixture
def open_prompts(
    open_home: Callable[[], AppTest], settle: Callable[[AppTest], AppTest]
) -> Callable[[], AppTest]:
    """The page, run until its first plan is computed."""

    def open_it() -> AppTest:
        app = settle(open_home().switch_page(PAGE).run())
        app.run()
        assert not app.exception
        return app

    return open_it
