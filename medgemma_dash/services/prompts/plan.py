"""Which prompts and which changes of the image are compared, and by what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medgemma_dash.core.errors import PromptError, quoted
from medgemma_dash.services.prompts.variants import BASELINE, Variant, variants_of

KIND = "prompts"
UNCHANGED = "none"
OWN = "own"
SIDES = ("Yes", "No")  # of the margin, which every map explains


@dataclass(frozen=True)
class PromptsPlan:
    """A question in several phrasings, about an image and changed copies of it.

    prompts: the question first. perturbations: the changed copies, beside the image itself, as
    `imaging.perturbations` names them; seed: of those that draw.
    """

    image_sha256: str
    prompts: tuple[Variant, ...]
    perturbations: tuple[str, ...]
    seed: int
    method: str
    options: tuple[tuple[str, str], ...]
    max_new_tokens: int


def prompts_of(
    question: str, variants: Mapping[str, str] | Sequence[str] | None
) -> tuple[Variant, ...]:
    """The question, then its variants: those given, or for None those made by rule.

    Raises PromptError for an empty question or variant, and for one that is given twice.
    """
    asked = Variant(BASELINE, _checked(question, "question"))
    if variants is None:
        return (asked, *variants_of(asked.prompt))
    found = [asked]
    for strategy, text in _named(variants):
        prompt = _checked(text, f"variant {quoted(strategy)}")
        for other in found:
            if " ".join(other.prompt.split()) == " ".join(prompt.split()):
                raise PromptError(
                    f"The phrasing {quoted(prompt)} is the same as the {other.strategy}. Give each "
                    "phrasing once."
                )
        if strategy in (other.strategy for other in found):
            raise PromptError(
                f"The strategy {quoted(strategy)} is given twice, or is the question's own. Call "
                "each variant's by a name of its own."
            )
        found.append(Variant(strategy, prompt))
    return tuple(found)


def _named(variants: Mapping[str, str] | Sequence[str]) -> list[tuple[str, str]]:
    if isinstance(variants, Mapping):
        named = [(str(strategy).strip(), text) for strategy, text in variants.items()]
        if not all(strategy for strategy, _ in named):
            raise PromptError("A variant's strategy has no name. Give it one, such as plain.")
        return named
    texts = (variants,) if isinstance(variants, str) else tuple(variants)
    return [(f"{OWN} {number}", text) for number, text in enumerate(texts, 1)]


def _checked(text: object, what: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise PromptError(f"The {what} is empty. Give a text, such as a question.")
    return text.strip()
