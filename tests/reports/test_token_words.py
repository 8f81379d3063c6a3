"""What cannot be seen has the same name in a report, in an export and in a terminal."""

from dataclasses import replace

from medgemma_dash.cli.summary import answered, explained
from medgemma_dash.core.answer import Answer, Candidate
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Target
from medgemma_dash.regions import ZoneRow, ZoneTable
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.report import Report
from medgemma_dash.services.explaining.targets import target_for
from medgemma_dash.services.exporting.subject import target_words
from tests.services.makers import LAYERS, make_answer, make_explanation

ZONES = ZoneTable((ZoneRow("Right upper", 0.25, 0.01, 0.5),), None, 0.75)
RUNNERS_UP = (Candidate(106, "<end_of_turn>", 0.06), Candidate(108, "\n\n", 0.04))


def answer() -> Answer:
    made = make_answer(("Yes", "\n"))
    tokens = tuple(replace(token, runners_up=RUNNERS_UP) for token in made.tokens)
    return replace(made, tokens=tokens)


def told(explanation: Explanation) -> Report:
    return explanation_report(explanation, answer(), (False,) * LAYERS, zones=ZONES)


def test_runners_up_in_a_report_are_named_as_on_the_page():
    report = told(make_explanation(answer(), Target("token", (1,), "\n")))
    assert report.title == "Why “line break”?"
    names = [row[0] for row in report.tables[-1].rows]
    assert names == ["line break", "end of answer", "2 line breaks"]


def test_the_token_that_ends_an_answer_is_named_wherever_it_is_explained():
    end = make_explanation(answer(), target_for(answer(), token=-1))
    report = told(end)
    assert report.title == "Why “end of answer”?"
    assert report.answer[-1].text == " · end of answer"
    assert target_words(end) == "end of answer"
    assert next(explained(answer(), end, ZONES, None)).startswith("Explained 'end of answer', ")
    assert list(answered(answer()))[1] == "Tokens    0:Yes  1:line break"
