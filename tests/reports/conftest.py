"""An answer and an explanation to report."""

from __future__ import annotations

import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from tests.services.makers import make_answer, make_explanation, make_target


@pytest.fixture
def answer() -> Answer:
    return make_answer()


@pytest.fixture
def explanation(answer: Answer) -> Explanation:
    return make_explanation(answer, make_target(answer, 2))
