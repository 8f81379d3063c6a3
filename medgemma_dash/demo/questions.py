"""The questions that the demo model is trained on, and how a typed question is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Intent = Literal["presence", "any", "where", "describe", "unknown"]
Phrasing = Literal["technical", "plain", "terse", "reworded"]

FINDINGS = ("consolidation", "pleural effusion", "pneumothorax", "cardiomegaly", "nodule")

# Every term that stands for a finding; the first is the technical one. Pneumonia is asked for by
# its radiographic sign, because a single film shows consolidation and not its cause.
TECHNICAL_TERMS: dict[str, tuple[str, ...]] = {
    "consolidation": ("consolidation", "pneumonia", "airspace consolidation"),
    "pleural effusion": ("pleural effusion", "effusion", "a pleural effusion", "pleural fluid"),
    "pneumothorax": ("pneumothorax", "a pneumothorax"),
    "cardiomegaly": ("cardiomegaly", "cardiac enlargement"),
    "nodule": ("nodule", "a nodule", "a lung nodule", "pulmonary nodule"),
}
# The plain words are those of the MedGemma Visualizer documentation, 6; the nodule's are ours.
PLAIN_TERMS: dict[str, tuple[str, ...]] = {
    "consolidation": ("solid appearance in lung", "lung infection"),
    "pleural effusion": ("fluid around the lungs",),
    "pneumothorax": ("collapsed lung", "a collapsed lung"),
    "cardiomegaly": ("enlarged heart", "an enlarged heart"),
    "nodule": ("a spot in the lung", "round spot in the lung"),
}

TECHNICAL_TEMPLATE = "Radiological assessment: Is there evidence of {} in this chest radiograph?"
PLAIN_TEMPLATE = "Can you see any signs of {} in this X-ray?"
TERSE_TEMPLATES = ("{}?", "Is there evidence of {}?", "Any {}?", "Is there {}?", "Evidence of {}?")
REWORDED_TEMPLATES = (
    "Does this chest radiograph show {}?",
    "Does the image show evidence of {}?",
    "Is {} present?",
    "Is {} seen on this chest X-ray?",
    "Are there signs of {} on this film?",
    "Can {} be seen in this image?",
    "In this chest X-ray, is there {}?",
    "Looking at this radiograph, do you see {}?",
    "Do you see {}?",
    "Please check this chest X-ray for {}.",
    "Could there be {} here?",
    "Has {} been demonstrated?",
    "Does the patient have {}?",
    "Are there any signs of {}?",
    "Is there any {}?",
    "Is there any evidence of {} in this X-ray?",
)
HEART_QUESTIONS = (
    "Is the heart enlarged?",
    "Is the heart too big?",
    "Does the heart look enlarged?",
    "Heart enlarged?",
)
WHERE_TEMPLATES = (
    "Where is the {}?",
    "Where do you see the {}?",
    "In which zone is the {}?",
    "Which side is the {} on?",
    "Locate the {}.",
)
DESCRIBE_QUESTIONS = (
    "Describe this chest X-ray.",
    "Describe this X-ray.",
    "Describe this chest radiograph.",
    "Describe the findings.",
    "Please describe this image.",
    "What do you see?",
    "What does this X-ray show?",
    "What does this chest radiograph show?",
    "What are the findings?",
    "Report this chest X-ray.",
    "Findings?",
)
ANY_QUESTIONS = (
    "Is there any abnormality?",
    "Is there an abnormality in this chest radiograph?",
    "Can you see anything abnormal in this X-ray?",
    "Anything abnormal?",
    "Are there any acute findings?",
    "Is anything wrong with the lungs or the heart?",
)
# Asked about anything else the model says that it cannot tell, rather than guess.
UNKNOWN_TERMS = (
    "fracture", "a rib fracture", "tuberculosis", "emphysema", "hernia", "scoliosis", "a pacemaker",
    "cancer", "asthma", "fibrosis", "a catheter", "pulmonary embolism", "bronchitis", "COVID-19",
    "an aneurysm", "calcification", "sarcoidosis", "free air", "a foreign body", "broken bones",
)  # fmt: skip
UNKNOWN_QUESTIONS = (
    "Hello", "Who are you?", "What is the capital of France?", "How old is the patient?",
    "Tell me a joke.", "What treatment do you advise?", "Write a poem about the sea.",
    "Is the patient a man or a woman?", "Thank you!", "What time is it?", "How much is 2 + 2?",
    "Translate this into French.", "test", "asdf", "Who made this image?", "Will it rain tomorrow?",
)  # fmt: skip

_WORDS_OF_FINDING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pneumothorax", ("pneumothorax", "collapsed lung")),
    ("pleural effusion", ("effusion", "pleural fluid", "fluid around")),
    ("cardiomegaly", ("cardiomegaly", "cardiac enlargement", "enlarged heart", "heart enlarged",
                      "heart too big", "heart look enlarged")),
    ("nodule", ("nodule", "spot in the lung")),
    ("consolidation", ("consolidation", "pneumonia", "solid appearance", "lung infection")),
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question's text and what it asks. `finding` is a name from FINDINGS, or ""."""

    text: str
    intent: Intent
    finding: str = ""
    phrasing: Phrasing = "reworded"


def read_question(text: str) -> Question:
    """Read a question by its words; what holds no known word has the intent "unknown"."""
    lowered = text.lower()
    plain = lowered.replace("is the heart", "heart").replace("does the heart", "heart")
    finding = next(
        (name for name, words in _WORDS_OF_FINDING if any(word in plain for word in words)), ""
    )
    if finding:
        asks_where = any(
            word in lowered for word in ("where", "which zone", "which side", "locate")
        )
        return Question(text, "where" if asks_where else "presence", finding)
    known = lowered.rstrip("?.! ")
    if known in {question.lower().rstrip("?.! ") for question in DESCRIBE_QUESTIONS}:
        return Question(text, "describe")
    if known in {question.lower().rstrip("?.! ") for question in ANY_QUESTIONS}:
        return Question(text, "any")
    return Question(text, "unknown")


def presence_question(
    finding: str, phrasing: Phrasing, generator: np.random.Generator | None = None
) -> Question:
    """Ask whether a finding is there; without a generator, the phrasing's first wording."""
    if finding not in FINDINGS:
        raise ValueError(f"unknown finding {finding!r}; one of {', '.join(FINDINGS)}")
    terms = PLAIN_TERMS[finding] if phrasing == "plain" else TECHNICAL_TERMS[finding]
    templates = {
        "technical": (TECHNICAL_TEMPLATE,),
        "plain": (PLAIN_TEMPLATE,),
        "terse": TERSE_TEMPLATES,
        "reworded": REWORDED_TEMPLATES,
    }[phrasing]
    if generator is None:
        text = templates[0].format(terms[0])
    else:
        if phrasing in ("terse", "reworded"):
            terms = terms + PLAIN_TERMS[finding]
        text = _pick(templates, generator).format(_pick(terms, generator))
        if finding == "cardiomegaly" and phrasing == "terse" and generator.random() < 0.3:
            text = _pick(HEART_QUESTIONS, generator)
    return Question(text[0].upper() + text[1:], "presence", finding, phrasing)


def where_question(finding: str, generator: np.random.Generator | None = None) -> Question:
    """Ask where a finding lies."""
    template = WHERE_TEMPLATES[0] if generator is None else _pick(WHERE_TEMPLATES, generator)
    return Question(template.format(finding), "where", finding)


def describe_question(generator: np.random.Generator | None = None) -> Question:
    """Ask for a description of the whole picture."""
    text = DESCRIBE_QUESTIONS[0] if generator is None else _pick(DESCRIBE_QUESTIONS, generator)
    return Question(text, "describe")


def any_question(generator: np.random.Generator | None = None) -> Question:
    """Ask whether anything at all is abnormal."""
    text = ANY_QUESTIONS[0] if generator is None else _pick(ANY_QUESTIONS, generator)
    return Question(text, "any")


def unknown_question(generator: np.random.Generator) -> Question:
    """Ask something that the pictures were not made to answer."""
    if generator.random() < 0.35:
        return Question(_pick(UNKNOWN_QUESTIONS, generator), "unknown")
    templates = (TECHNICAL_TEMPLATE, PLAIN_TEMPLATE, *TERSE_TEMPLATES, *REWORDED_TEMPLATES)
    text = _pick(templates, generator).format(_pick(UNKNOWN_TERMS, generator))
    return Question(text[0].upper() + text[1:], "unknown")


def vary_typing(question: Question, generator: np.random.Generator) -> Question:
    """Type the question as people do: lower case, no question mark, capitals, a space too many."""
    text = question.text
    roll = generator.random()
    if roll < 0.12:
        text = text.lower()
    elif roll < 0.14:
        text = text.upper()
    if generator.random() < 0.15:
        text = text.rstrip("?.")
    return Question(text, question.intent, question.finding, question.phrasing)


def _pick(choices: tuple[str, ...], generator: np.random.Generator) -> str:
    return choices[int(generator.integers(len(choices)))]
