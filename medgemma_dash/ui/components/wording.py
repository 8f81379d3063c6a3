"""The sentences of the Explain page, built from numbers; plain data, no Streamlit.

Every sentence is a list of segments, so that the model's own words stay apart from ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer, Token
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Against, Target
from medgemma_dash.core.token_words import (
    in_a_sentence,
    readable,
    runner_up_name,
    runners_up_names,
    token_name,
)
from medgemma_dash.core.words import touched
from medgemma_dash.services.explaining.headline import Headline, Strength, percent
from medgemma_dash.services.explaining.word_shares import joint_probability
from medgemma_dash.ui.components.rich_line import Segment

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

_LONGEST_QUOTE = 48
RUNNERS_UP_SHOWN = 3
NOTHING_SAID = (
    "The model said nothing: it ended its answer at once. Ask another way, or look into why it "
    "ended."
)


@dataclass(frozen=True)
class Contrast:
    """What a "why not X?" asks for, and on which answer it stands.

    candidate: the runner-up's id; None leads back to the word alone.
    """

    generation: str
    token_index: int
    candidate: int | None

    @property
    def action(self) -> str:
        """As the line of text carries it."""
        return f"against:{self.generation}:{self.token_index}:{self.candidate}"


def read_contrast(action: str | None) -> Contrast | None:
    """The contrast that was clicked; None for anything else that a browser may send."""
    match (action or "").split(":"):
        case ["against", generation, index, candidate] if index.isdecimal():
            if candidate.isdecimal() or candidate == "None":
                chosen = int(candidate) if candidate.isdecimal() else None
                return Contrast(generation, int(index), chosen)
    return None


def quoted(text: str) -> str:
    """A text as it stands in a sentence: on one line, and not too long; see `readable`."""
    words = " ".join(readable(text).split())
    return words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1] + "…"


def token_words(answer: Answer, index: int) -> str:
    """One of the answer's tokens as it stands in a sentence; see `token_name`."""
    return quoted(in_a_sentence(token_name(answer, index)))


def unit_words(answer: Answer, unit: tuple[int, int]) -> str:
    """One of the answer's words, or a control token, as it stands in a sentence."""
    start, stop = unit
    if stop - start == 1:
        return token_words(answer, start)
    return quoted("".join(token.text for token in answer.tokens[start:stop]))


def target_words(answer: Answer, target: Target) -> str:
    """What is explained, as it stands in a sentence."""
    if target.kind == "answer":
        return "this answer"
    if len(target.token_indices) == 1 and target.margin is None:
        return token_words(answer, target.token_indices[0])
    return quoted(target.text)


def contrast_words(answer: Answer, target: Target) -> str:
    """The same, with the token that it is held against."""
    words = target_words(answer, target)
    if target.against is None:
        return words
    return f"{words} rather than {_other(answer, target, target.against)}"


def _other(answer: Answer, target: Target, against: Against) -> str:
    token = answer.tokens[target.token_indices[0]]
    return quoted(runner_up_name(token, against.id, against.text))


def probability(value: float) -> str:
    """A probability with two decimals, and never a false 0 or 1."""
    if value < 0.005:
        return "< 0.01"
    return "> 0.99" if value > 0.995 else f"{value:.2f}"


def why_sentence(
    explanation: Explanation,
    answer: Answer,
    said: Headline,
    *,
    generation: str,
    contrastive: bool,
) -> list[Segment]:
    """What the map says about the target, in one sentence, and what the model weighed.

    said: of the same explanation.
    generation: the answer on screen; what is clicked in the sentence says so.
    contrastive: whether the method can say why not another word.
    """
    target = explanation.target
    line = _opening(answer, target, generation)
    if said.text:
        line.append(Segment(f"{said.text} "))
    tokens = [answer.tokens[index] for index in target.token_indices]
    if target.against is not None:
        return line
    if len(tokens) == 1:
        line.extend(_weighed(tokens[0], generation if contrastive else ""))
    elif not answer.forced:
        together = joint_probability(tokens)
        one = len(touched(answer.units, target.token_indices)) == 1
        what = f"it, in {len(tokens)} tokens," if one else f"these {len(tokens)} tokens"
        line.append(Segment(f"The model gave {what} {probability(together)} together."))
    return line


def _opening(answer: Answer, target: Target, generation: str) -> list[Segment]:
    word = Segment(target_words(answer, target), "word")
    if target.against is None:
        return [Segment("Why "), word, Segment("? ")]
    other = Segment(_other(answer, target, target.against), "word")
    back = Contrast(generation, target.token_indices[0], None)
    return [
        Segment("Why "),
        word,
        Segment(" rather than "),
        other,
        Segment("? "),
        Segment("back to why", "action", back.action),
        Segment(" "),
        word,
        Segment(". "),
    ]


def strength_segments(strength: Strength) -> list[Segment]:
    """How strong the map is beside the answer's other words, as a bar; its numbers in the hint."""
    said = f"map {'weak' if strength.weak else 'strength'} {percent(strength.relative)}"
    hint = f"Of the answer's strongest word. {strength.in_words}"
    return [
        Segment(f"{strength.relative:.3f}", "bar", hint=hint),
        Segment(f" {said}", "small", hint=hint),
    ]


def _weighed(token: Token, generation: str) -> list[Segment]:
    """generation: "" where no contrast is offered; the runners-up are named all the same."""
    line = [Segment(f"The model gave it {probability(token.probability)}")]
    named = zip(runners_up_names(token), token.runners_up, strict=True)
    for place, (name, candidate) in enumerate(islice(named, RUNNERS_UP_SHOWN)):
        line.append(Segment("; next came " if place == 0 else ", "))
        name, given = quoted(name), probability(candidate.probability)
        if place == 0 or not generation:
            line.extend([Segment(name, "word"), Segment(f" {given}")])
        if generation:
            contrast = Contrast(generation, token.index, candidate.id)
            hint = f"The model gave it {given}."
            gap = [Segment(" ")] if place == 0 else []
            line.extend([*gap, Segment(f"why not {name}?", "action", contrast.action, hint)])
    line.append(Segment("."))
    return line


def how_line(answer: Answer, method_title: str, seconds: float | None) -> list[Segment]:
    """Which method, how long it took, and whether the replay was faithful.

    seconds: None when nothing had to be computed.
    """
    parts = [method_title, "known already" if seconds is None else duration(seconds)]
    if answer.forced:
        parts.append("answer was given, not generated")
    elif answer.fidelity.exact:
        count = len(answer.tokens)
        logits = _logit_difference(answer.fidelity.max_logit_difference)
        parts.append(f"replay exact ({count} of {count} tokens{logits})")
    if answer.is_demo:
        parts.append("demo model")
    return [Segment(" · ".join(parts), "small")]


def _logit_difference(largest: float | None) -> str:
    """One digit, rounded up: it is said to be a bound."""
    if largest is None:
        return ""
    if largest == 0:
        return ", same logits"
    unit = 10.0 ** floor(log10(largest))
    # The division may end a hair above the whole number that is meant.
    bound = ceil(largest / unit - 1e-9) * unit
    return f", logits within {bound:.1g}".replace("e-0", "e-")


def fidelity_warning(answer: Answer) -> str:
    """A warning when the replayed model does not say what was generated, else ""."""
    fidelity = answer.fidelity
    if fidelity.exact or answer.forced:
        return ""
    words = ", ".join(f"“{token_words(answer, i)}”" for i in fidelity.mismatches[:5])
    more = len(fidelity.mismatches) - 5
    tail = f" and {more} more" if more > 0 else ""
    return (
        f"The replay differs from what was generated at {len(fidelity.mismatches)} of "
        f"{len(answer.tokens)} tokens ({words}{tail}): explanations of these words may describe "
        "another computation. Half precision is the usual cause; float32 avoids it."
    )


def duration(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 0.0005:
        return "under 1 ms"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


DEMO_NAME = "Demo model · synthetic training · not MedGemma"


def model_title(host: ModelHost) -> str:
    """The model's name for people; the demo model is always named as such."""
    model = host.model
    return DEMO_NAME if model.is_demo else model.name


def device_title(host: ModelHost) -> str:
    """Device and number format, as "CPU float32"."""
    model = host.model
    return f"{str(model.device).upper()} {str(model.dtype).removeprefix('torch.')}"
