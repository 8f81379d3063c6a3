"""Any record as a report."""

from collections.abc import Callable

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.record import UNREADABLE, Record
from medgemma_dash.reports.records.evidence import evidence_report
from medgemma_dash.reports.records.faithfulness import faithfulness_report
from medgemma_dash.reports.records.interventions import interventions_report
from medgemma_dash.reports.records.prompts import prompts_report
from medgemma_dash.reports.records.questions import questions_report
from medgemma_dash.reports.records.words import words_report
from medgemma_dash.reports.report import Report

_BY_KIND: dict[str, Callable[[Record], Report]] = {
    "evidence": evidence_report,
    "words": words_report,
    "prompts": prompts_report,
    "questions": questions_report,
    "faithfulness": faithfulness_report,
    "interventions": interventions_report,
}


def record_report(record: Record) -> Report:
    """Everything that a record says; no model and no image is needed.

    Raises ResultFileError for a kind that this version does not know, and for one whose tables
    are not those of its kind.
    """
    if record.kind not in _BY_KIND:
        raise ResultFileError(
            f"This version has no report of the kind {record.kind!r}. It knows "
            f"{', '.join(_BY_KIND)}."
        )
    try:
        return _BY_KIND[record.kind](record)
    except UNREADABLE as error:
        raise ResultFileError(
            f"The record's tables or plan are not those of the kind {record.kind!r}; "
            "docs/records.md says what stands in them."
        ) from error
