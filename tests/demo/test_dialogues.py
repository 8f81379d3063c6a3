"""Dialogues: right answers whose meaningful words are located exactly."""

from __future__ import annotations

import numpy as np
import pytest

from medgemma_dash.demo import questions
from medgemma_dash.demo.dataset import KnownLesion
from medgemma_dash.demo.dialogues import (
    KnownRadiograph,
    answer_to,
    every_text,
    training_dialogues,
)
from medgemma_dash.demo.questions import FINDINGS, read_question


class _Known:
    def __init__(self, *findings: KnownLesion) -> None:
        self.findings = findings


PNEUMONIA = _Known(KnownLesion("consolidation", "right", "lower"))
BOTH = _Known(KnownLesion("nodule", "left", "upper"), KnownLesion("cardiomegaly", "", ""))
HEALTHY = _Known()


@pytest.mark.parametrize(
    ("question", "radiograph", "answer"),
    [
        ("Is there evidence of pneumonia?", PNEUMONIA,
         "Yes, there is consolidation in the right lower zone."),
        ("is there a lung infection", HEALTHY, "No, there is no consolidation."),
        ("Is the heart enlarged?", BOTH, "Yes, there is cardiomegaly."),
        ("Where is the nodule?", BOTH, "The nodule is in the left upper zone."),
        ("Where is the nodule?", PNEUMONIA, "There is no nodule."),
        ("Describe this chest X-ray.", BOTH,
         "There is cardiomegaly. There is a nodule in the left upper zone."),
        ("Describe this chest X-ray.", PNEUMONIA,
         "There is consolidation in the right lower zone. The heart is not enlarged."),
        ("Describe this chest X-ray.", HEALTHY, "No acute finding. The heart is not enlarged."),
        ("Anything abnormal?", HEALTHY, "No, there is no acute finding."),
        ("Is there a fracture?", HEALTHY, "This demo model was not trained to answer that."),
    ],
)  # fmt: skip
def test_answers(question: str, radiograph: KnownRadiograph, answer: str) -> None:
    assert answer_to(question, radiograph).answer == answer


def _many_dialogues() -> list[tuple[KnownRadiograph, str, str, list[tuple[str, str, str]]]]:
    generator = np.random.default_rng(0)
    return [
        (
            radiograph,
            dialogue.question.text,
            dialogue.answer,
            [(word.kind, dialogue.answer[word.start : word.stop], word.finding)
             for word in dialogue.words],
        )
        for radiograph in (PNEUMONIA, BOTH, HEALTHY)
        for dialogue in training_dialogues(radiograph, 300, generator)
    ]  # fmt: skip


def test_words_index_the_text_that_they_name() -> None:
    for radiograph, _, _, words in _many_dialogues():
        present = {finding.name: finding for finding in radiograph.findings}
        for kind, text, finding in words:
            if kind == "presence":
                assert text.lower() == ("no" if finding not in present else "yes")
            elif kind == "finding":
                assert text == finding
            else:
                assert text == getattr(present[finding], kind)


def test_half_of_the_presence_questions_are_about_what_is_not_there() -> None:
    answers = [answer for _, _, answer, words in _many_dialogues()
               if words and words[0][1] in ("Yes", "No") and answer[3:4] in (",", " ")]  # fmt: skip
    said_yes = sum(answer.startswith("Yes") for answer in answers)
    assert 0.3 < said_yes / len(answers) < 0.7


def test_a_question_is_read_as_it_was_meant() -> None:
    generator = np.random.default_rng(1)
    for finding in FINDINGS:
        for phrasing in ("technical", "plain", "terse", "reworded"):
            for _ in range(40):
                question = questions.presence_question(finding, phrasing, generator)
                typed = questions.vary_typing(question, generator)
                read = read_question(typed.text)
                assert (read.intent, read.finding) == ("presence", finding), typed.text
        asked = read_question(questions.where_question(finding, generator).text)
        assert (asked.intent, asked.finding) == ("where", finding)
    for question in (questions.describe_question(generator), questions.any_question(generator)):
        assert read_question(question.text).intent == question.intent
    for _ in range(200):
        assert read_question(questions.unknown_question(generator).text).intent == "unknown"


def test_phrasings_are_those_of_the_methods_text() -> None:
    assert questions.presence_question("pneumothorax", "technical").text == (
        "Radiological assessment: Is there evidence of pneumothorax in this chest radiograph?"
    )
    assert questions.presence_question("pneumothorax", "plain").text == (
        "Can you see any signs of collapsed lung in this X-ray?"
    )


def test_an_unknown_finding_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="one of consolidation, pleural effusion"):
        questions.presence_question("fracture", "plain")


def test_the_tokenizers_text_holds_every_answer() -> None:
    text = " ".join(every_text())
    for _, _, answer, _ in _many_dialogues():
        assert all(word in text for word in answer.split())
