"""Reports of an explanation, and their pages."""

from __future__ import annotations

from dataclasses import replace

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.html import html_page
from medgemma_dash.reports.report import Figure, Report
from tests.services.makers import ZONES

IS_GLOBAL = (False, True, False, False)


def told(explanation: Explanation, answer: Answer, *figures: Figure) -> Report:
    """The explanation's report with these figures in place of its own."""
    report = explanation_report(
        explanation, answer, IS_GLOBAL, zones=ZONES, zones_note="Fixed grid."
    )
    return replace(report, figures=figures)


def report(explanation: Explanation, answer: Answer, *figures: Figure) -> str:
    return html_page(told(explanation, answer, *figures))
