"""Other ways to put a question, by rules of English; where a rule does not apply, none is made.

The strategies are those by which question variants are published: the technical and the plain
version of the MedGemma Visualizer documentation, and phrasing variation, synonym replacement,
clause reordering, register shift and voice change, beside the baseline.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from medgemma_dash.services.prompts.question_form import PresenceQuestion, presence_question

BASELINE = "baseline"
TECHNICAL = "Radiological assessment: Is there evidence of {} in this chest radiograph?"
PLAIN = "Can you see any signs of {} in this X-ray?"


@dataclass(frozen=True)
class Variant:
    """A prompt and the strategy by which it says the same as the question."""

    strategy: str
    prompt: str


def variants_of(question: str) -> tuple[Variant, ...]:
    """The question in other words, by each strategy whose rule applies; each text once.

    Empty where the question does not ask, in a form that is known, whether something is there.
    """
    asked = presence_question(question)
    if asked is None:
        return ()
    found: list[Variant] = []
    known = {_folded(question)}
    for strategy, rule in STRATEGIES.items():
        made = rule(asked)
        if made and _folded(made) not in known:
            known.add(_folded(made))
            found.append(Variant(strategy, made))
    return tuple(found)


def _technical(asked: PresenceQuestion) -> str:
    if asked.finding is not None and asked.in_plain_words:
        return TECHNICAL.format(asked.finding.technical)
    article = f"{asked.article} " if asked.article in ("a", "an") else ""
    return TECHNICAL.format(article + asked.term)


def _plain(asked: PresenceQuestion) -> str:
    return "" if asked.finding is None else PLAIN.format(asked.finding.plain)


def _phrasing_variation(asked: PresenceQuestion) -> str:
    if asked.form == "terse":
        return "" if asked.article == "any" else _existential(asked, f"evidence of {asked.thing}")
    if asked.form in ("existential", "predicate"):
        return _show(asked) or _see(asked)
    if asked.form == "show":
        return _existential(asked) or _see(asked)
    return _existential(asked) or _show(asked)


def _synonym_replacement(asked: PresenceQuestion) -> str:
    """Another name of the same register for the finding, or else for the picture."""
    synonym = dict(asked.finding.synonyms).get(asked.term.lower()) if asked.finding else None
    # Most synonyms are of a substance, and take no article.
    if synonym is not None and (asked.article not in ("a", "an") or synonym.endswith("nodule")):
        old, new = asked.term, synonym
    elif re.search(r"radiograph\Z", asked.image, re.IGNORECASE):
        old, new = asked.image, re.sub(r"radiograph\Z", "X-ray", asked.image, flags=re.IGNORECASE)
    elif re.search(r"x-?ray\Z", asked.image, re.IGNORECASE):
        old, new = asked.image, re.sub(r"x-?ray\Z", "radiograph", asked.image, flags=re.IGNORECASE)
    else:
        return ""
    return _sentence(re.sub(re.escape(old), new, asked.text, count=1, flags=re.IGNORECASE))


def _clause_reordering(asked: PresenceQuestion) -> str:
    """Where it is looked for, from the end to the front or back."""
    if not asked.setting:
        return ""
    if asked.text.startswith(asked.setting):
        rest = asked.text.removeprefix(f"{asked.setting}, ")
        return _sentence(f"{rest} {_lowered(asked.setting)}")
    rest = asked.text.removesuffix(f" {asked.setting}")
    return _sentence(f"{asked.setting}, {_lowered(rest)}")


def _register_shift(asked: PresenceQuestion) -> str:
    """From a radiologist's words to a patient's, or back."""
    if asked.finding is None:
        return ""
    if asked.in_plain_words:
        return f"Is there radiographic evidence of {asked.finding.technical}?"
    where = " in this X-ray" if asked.image else ""
    return f"Does it look like there is {asked.finding.everyday}{where}?"


def _voice_change(asked: PresenceQuestion) -> str:
    if asked.form in ("terse", "adjective"):
        return ""
    if asked.form == "passive":
        return _see(asked)
    where = asked.setting or (f"in {asked.image}" if asked.image else "")
    return _sentence(f"can {asked.thing} be seen {_lowered(where)}")


STRATEGIES: Mapping[str, Callable[[PresenceQuestion], str]] = MappingProxyType(
    {
        "technical": _technical,
        "plain": _plain,
        "phrasing variation": _phrasing_variation,
        "synonym replacement": _synonym_replacement,
        "clause reordering": _clause_reordering,
        "register shift": _register_shift,
        "voice change": _voice_change,
    }
)


def _existential(asked: PresenceQuestion, thing: str = "") -> str:
    if not asked.number or asked.form == "adjective":
        return ""
    where = asked.setting or (f"in {asked.image}" if asked.image else "")
    return _sentence(f"{asked.number} there {thing or asked.thing} {_lowered(where)}")


def _show(asked: PresenceQuestion) -> str:
    if not asked.image or asked.form == "adjective":
        return ""
    return _sentence(f"does {_lowered(asked.image)} show {asked.thing}")


def _see(asked: PresenceQuestion) -> str:
    return _sentence(f"do you see {asked.thing} {_lowered(asked.setting or _in(asked.image))}")


def _in(image: str) -> str:
    return f"in {image}" if image else ""


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}?"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _folded(text: str) -> str:
    return " ".join(text.lower().rstrip("?. ").split())
