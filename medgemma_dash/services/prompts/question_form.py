"""What a question about a finding's presence is made of, where its form is one that is known."""

import re
from dataclasses import dataclass
from typing import Literal

from medgemma_dash.core.function_words import FUNCTION_WORDS

Form = Literal["existential", "predicate", "passive", "see", "show", "terse", "adjective"]


@dataclass(frozen=True)
class Finding:
    """A finding in the words of a radiologist and of a patient.

    technical, plain: as they stand in the two published templates. terms: technical ones, the
    longest first. everyday: plain, with its article, as it stands behind "there is".
    synonyms: of the terms, each of the same number and without an article of its own.
    """

    technical: str
    plain: str
    everyday: str
    terms: tuple[str, ...]
    synonyms: tuple[tuple[str, str], ...]
    plain_terms: tuple[str, ...]


# Technical and plain words are those of the MedGemma Visualizer documentation, 6; the nodule's,
# the synonyms and the everyday forms are ours.
FINDINGS = (
    Finding(
        "pneumonia",
        "lung infection",
        "a lung infection",
        ("pneumonia",),
        (("pneumonia", "pulmonary infection"),),
        ("lung infection",),
    ),
    Finding(
        "effusion",
        "fluid around the lungs",
        "fluid around the lungs",
        ("pleural effusion", "pleural fluid", "effusion"),
        (
            ("pleural effusion", "pleural fluid"),
            ("pleural fluid", "pleural effusion"),
            ("effusion", "pleural fluid"),
        ),
        ("fluid around the lungs",),
    ),
    Finding(
        "pneumothorax",
        "collapsed lung",
        "a collapsed lung",
        ("pneumothorax",),
        (("pneumothorax", "air in the pleural space"),),
        ("collapsed lung",),
    ),
    Finding(
        "consolidation",
        "solid appearance in lung",
        "a solid area in the lung",
        ("airspace consolidation", "consolidation"),
        (
            ("airspace consolidation", "consolidation of the airspaces"),
            ("consolidation", "airspace consolidation"),
        ),
        ("solid appearance in lung",),
    ),
    Finding(
        "cardiomegaly",
        "enlarged heart",
        "an enlarged heart",
        ("cardiac enlargement", "cardiomegaly"),
        (("cardiac enlargement", "cardiomegaly"), ("cardiomegaly", "cardiac enlargement")),
        ("enlarged heart",),
    ),
    Finding(
        "a nodule",
        "a spot in the lung",
        "a spot in the lung",
        ("pulmonary nodule", "lung nodule", "nodule"),
        (
            ("pulmonary nodule", "lung nodule"),
            ("lung nodule", "pulmonary nodule"),
            ("nodule", "pulmonary nodule"),
        ),
        ("spot in the lung",),
    ),
)

_IMAGE = (
    r"(?P<image>(?:this|the) (?:(?:chest|frontal|portable) )*"
    r"(?:radiograph|x-?ray|film|image|picture))"
)
_SETTING = rf"(?P<setting>(?P<preposition>in|on) {_IMAGE})"
_THING = r"(?P<thing>[\w][\w' -]*?)"
_FORMS: tuple[tuple[Form, str], ...] = (
    ("existential", rf"(?P<be>is|are) there {_THING}(?: {_SETTING})?"),
    ("existential", rf"{_SETTING}, (?P<be>is|are) there {_THING}"),
    ("show", rf"does {_IMAGE} (?:show|demonstrate|reveal) {_THING}"),
    ("see", rf"(?:do|can) you see {_THING}(?: {_SETTING})?"),
    ("see", rf"{_SETTING}, (?:do|can) you see {_THING}"),
    ("passive", rf"can {_THING} be (?:seen|identified|detected)(?: {_SETTING})?"),
    ("passive", rf"(?P<be>is|are) {_THING} (?:seen|identified|detected)(?: {_SETTING})?"),
    ("adjective", rf"(?:is the )?heart enlarged(?: {_SETTING})?"),
    ("predicate", rf"(?P<be>is|are) {_THING} (?:present|visible)(?: {_SETTING})?"),
    ("terse", rf"(?:any )?{_THING}"),
)
_PATTERNS = tuple((form, re.compile(pattern, re.IGNORECASE)) for form, pattern in _FORMS)
_PREFIX = re.compile(r"radiological assessment: *", re.IGNORECASE)
_SIGN = re.compile(r"(?:any )?(?P<sign>evidence|signs?|indications?) of ", re.IGNORECASE)
_ARTICLE = re.compile(r"(?P<article>an?|any|the) ", re.IGNORECASE)
# Words that make a noun phrase longer and leave it one.
_WITHIN = frozenset({"of", "the", "a", "an", "or", "and", "any"})
_NO_NOUNS = frozenset({"no", "not", "how", "where", "when", "why"}) | frozenset(
    {"visible", "present", "seen", "identified", "detected"}
)
_LONGEST = 8


@dataclass(frozen=True)
class PresenceQuestion:
    """Whether a thing is there, and how it is asked.

    text: the question in single spaces, without a prefix and a mark. thing: what is asked for,
    "evidence of pneumonia". term: the thing's name alone. article: in front of the term, or "".
    number: "is" or "are" where the thing's number is known, else "".
    setting: "in this chest radiograph", or ""; image: the same without its preposition.
    finding: where the term is of one that is known; in_plain_words: the term is a plain one.
    """

    text: str
    form: Form
    thing: str
    term: str
    article: str
    number: str
    setting: str
    image: str
    finding: Finding | None
    in_plain_words: bool


def presence_question(question: str) -> PresenceQuestion | None:
    """The question's parts; None where its form is not one of those known by rule."""
    text = _PREFIX.sub("", " ".join(question.split()), count=1).rstrip("?. ")
    for form, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match is not None:
            return _read(text, form, match)
    return None


def _read(text: str, form: Form, match: re.Match[str]) -> PresenceQuestion | None:
    parts = {"be": "", "setting": "", "image": ""} | {
        name: value or "" for name, value in match.groupdict().items()
    }
    thing = parts.get("thing", "enlarged heart")
    if form == "terse":  # its capital is the sentence's
        thing = thing[:1].lower() + thing[1:]
    sign = _SIGN.match(thing)
    rest = thing[sign.end() :] if sign else thing
    article = _ARTICLE.match(rest)
    term = rest[article.end() :] if article else rest
    finding, plain = _known(term)
    definite = article is not None and article["article"].lower() == "the"
    if finding is None and (form == "terse" or definite or not _is_noun_phrase(term)):
        return None
    return PresenceQuestion(
        text=text,
        form=form,
        thing=thing,
        term=term,
        article=article["article"].lower() if article else "",
        number=_number(parts["be"], sign, article, finding),
        setting=parts["setting"],
        image=parts["image"],
        finding=finding,
        in_plain_words=plain,
    )


def _known(term: str) -> tuple[Finding | None, bool]:
    name = term.lower()
    for finding in FINDINGS:
        if name in finding.terms:
            return finding, False
        if name in finding.plain_terms:
            return finding, True
    return None, False


def _is_noun_phrase(term: str) -> bool:
    """Whether no word in it begins something else, such as a second question."""
    words = term.lower().split()
    begins = (FUNCTION_WORDS | _NO_NOUNS) - _WITHIN
    adverb = any(word.endswith("ly") for word in words)
    return 0 < len(words) <= _LONGEST and not adverb and begins.isdisjoint(words)


def _number(
    be: str,
    sign: re.Match[str] | None,
    article: re.Match[str] | None,
    finding: Finding | None,
) -> str:
    definite = article is not None and article["article"].lower() == "the"
    if definite and sign is None:
        return ""  # nobody asks whether there is the nodule
    if be:
        return be.lower()
    if sign is not None:
        return "are" if sign["sign"].lower().endswith("s") else "is"
    if article is not None and article["article"].lower() in ("a", "an"):
        return "is"
    return "is" if finding is not None else ""
