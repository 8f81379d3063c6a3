"""Right answers to questions about a synthetic radiograph, with each meaningful word located."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from medgemma_dash.demo import questions
from medgemma_dash.demo.questions import FINDINGS, Question

WordKind = Literal["presence", "finding", "side", "zone"]

UNKNOWN_ANSWER = "This demo model was not trained to answer that."
NO_FINDING = "acute finding"
_WITH_ARTICLE = {
    "consolidation": "consolidation",
    "pleural effusion": "a pleural effusion",
    "pneumothorax": "a pneumothorax",
    "cardiomegaly": "cardiomegaly",
    "nodule": "a nodule",
}


class KnownFinding(Protocol):
    """What an answer needs to know of a lesion."""

    @property
    def name(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def zone(self) -> str: ...


class KnownRadiograph(Protocol):
    """A radiograph whose findings are known."""

    @property
    def findings(self) -> tuple[KnownFinding, ...]: ...


@dataclass(frozen=True)
class SpokenWord:
    """A word of an answer that says something about a finding: `answer[start:stop]`.

    `finding` is the finding's name; for a word that denies one, the name of what is not there.
    """

    kind: WordKind
    start: int
    stop: int
    finding: str


@dataclass(frozen=True)
class Dialogue:
    """A question, its right answer, and the answer's meaningful words, in order."""

    question: Question
    answer: str
    words: tuple[SpokenWord, ...]


class _Sentence:
    """An answer in the making, which remembers where its meaningful words fall."""

    def __init__(self) -> None:
        self.text = ""
        self.words: list[SpokenWord] = []

    def say(self, text: str, kind: WordKind | None = None, finding: str = "") -> None:
        start = len(self.text)
        self.text += text
        if kind is not None:
            self.words.append(SpokenWord(kind, start, len(self.text), finding))

    def say_finding(self, name: str) -> None:
        phrase = _WITH_ARTICLE[name]
        self.say(phrase[: len(phrase) - len(name)])
        self.say(name, "finding", name)

    def say_place(self, finding: KnownFinding) -> None:
        if finding.side:
            self.say(" in the ")
            self.say(finding.side, "side", finding.name)
            self.say(" ")
            self.say(finding.zone, "zone", finding.name)
            self.say(" zone")
        self.say(".")


def answer_to(question: Question | str, radiograph: KnownRadiograph) -> Dialogue:
    """Return the right answer to a question about this radiograph; a string is read first."""
    if isinstance(question, str):
        question = questions.read_question(question)
    findings = sorted(radiograph.findings, key=lambda finding: FINDINGS.index(finding.name))
    asked = next((one for one in findings if one.name == question.finding), None)
    sentence = _Sentence()
    if question.intent == "presence":
        _answer_presence(sentence, question.finding, asked)
    elif question.intent == "where":
        _answer_where(sentence, question.finding, asked)
    elif question.intent == "any":
        _answer_any(sentence, findings)
    elif question.intent == "describe":
        _describe(sentence, findings)
    else:
        sentence.say(UNKNOWN_ANSWER)
    return Dialogue(question, sentence.text, tuple(sentence.words))


def _answer_presence(sentence: _Sentence, name: str, asked: KnownFinding | None) -> None:
    if asked is None:
        sentence.say("No", "presence", name)
        sentence.say(", there is no ")
        sentence.say(name, "finding", name)
        sentence.say(".")
        return
    sentence.say("Yes", "presence", name)
    sentence.say(", there is ")
    sentence.say_finding(name)
    sentence.say_place(asked)


def _answer_where(sentence: _Sentence, name: str, asked: KnownFinding | None) -> None:
    if asked is None:
        sentence.say("There is ")
        sentence.say("no", "presence", name)
        sentence.say(" ")
        sentence.say(name, "finding", name)
        sentence.say(".")
    elif not asked.side:
        sentence.say("There is ")
        sentence.say_finding(name)
        sentence.say(".")
    else:
        sentence.say("The ")
        sentence.say(name, "finding", name)
        sentence.say(" is")
        sentence.say_place(asked)


def _answer_any(sentence: _Sentence, findings: list[KnownFinding]) -> None:
    if not findings:
        sentence.say("No", "presence", NO_FINDING)
        sentence.say(f", there is no {NO_FINDING}.")
        return
    sentence.say("Yes", "presence", findings[0].name)
    for number, finding in enumerate(findings):
        sentence.say(", there is " if number == 0 else " There is ")
        sentence.say_finding(finding.name)
        sentence.say_place(finding)


def _describe(sentence: _Sentence, findings: list[KnownFinding]) -> None:
    if not findings:
        sentence.say(f"No {NO_FINDING}.")
    for number, finding in enumerate(findings):
        sentence.say("There is " if number == 0 else " There is ")
        sentence.say_finding(finding.name)
        sentence.say_place(finding)
    if all(finding.name != "cardiomegaly" for finding in findings):
        sentence.say(" The heart is not enlarged.")


def training_dialogues(
    radiograph: KnownRadiograph, count: int, generator: np.random.Generator
) -> tuple[Dialogue, ...]:
    """Draw `count` dialogues about one radiograph: most of what is asked for is not there.

    The mixture: presence in every phrasing, location, description, "anything abnormal?", and a
    few questions that the pictures cannot answer.
    """
    return tuple(
        answer_to(
            questions.vary_typing(_draw_question(radiograph, generator), generator), radiograph
        )
        for _ in range(count)
    )


def _draw_question(radiograph: KnownRadiograph, generator: np.random.Generator) -> Question:
    present = tuple(finding.name for finding in radiograph.findings)
    absent = tuple(name for name in FINDINGS if name not in present)
    ask_present = bool(present) and generator.random() < 0.45
    choices = present if ask_present else absent
    finding = choices[int(generator.integers(len(choices)))]
    roll = generator.random()
    if roll < 0.15:
        return questions.presence_question(finding, "technical", generator)
    if roll < 0.30:
        return questions.presence_question(finding, "plain", generator)
    if roll < 0.48:
        return questions.presence_question(finding, "terse", generator)
    if roll < 0.60:
        return questions.presence_question(finding, "reworded", generator)
    if roll < 0.72:
        return questions.where_question(finding, generator)
    if roll < 0.90:
        return questions.describe_question(generator)
    if roll < 0.95:
        return questions.any_question(generator)
    return questions.unknown_question(generator)


def every_text() -> Iterator[str]:
    """Every template with every term, and every answer: the text the tokenizer is trained on."""
    templates = (
        questions.TECHNICAL_TEMPLATE,
        questions.PLAIN_TEMPLATE,
        *questions.TERSE_TEMPLATES,
        *questions.REWORDED_TEMPLATES,
    )
    for finding in FINDINGS:
        for term in questions.TECHNICAL_TERMS[finding] + questions.PLAIN_TERMS[finding]:
            for template in templates:
                yield template.format(term)
                yield template.format(term).lower()
                yield template.format(term).upper()
            yield f"{term[0].upper()}{term[1:]}?"
        for template in questions.WHERE_TEMPLATES:
            yield template.format(finding)
        place = [f"in the {side} {zone} zone." for side in ("right", "left")
                 for zone in ("upper", "mid", "lower")]  # fmt: skip
        for words in place:
            yield f"Yes, there is {_WITH_ARTICLE[finding]} {words} The heart is not enlarged."
            yield f"There is {_WITH_ARTICLE[finding]} {words} The {finding} is {words}"
        yield f"No, there is no {finding}. There is no {finding}. There is cardiomegaly."
    yield from questions.HEART_QUESTIONS * 3
    yield from questions.DESCRIBE_QUESTIONS * 3
    yield from questions.ANY_QUESTIONS * 3
    yield from (f"No {NO_FINDING}. No, there is no {NO_FINDING}.", UNKNOWN_ANSWER) * 3
    for term in questions.UNKNOWN_TERMS + questions.UNKNOWN_QUESTIONS:
        yield from (term, f" {term}", term.lower())
