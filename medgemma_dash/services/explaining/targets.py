"""From what the user chose (a token, a phrase, a span, nothing) to the target explained."""

import warnings
from dataclasses import replace
from numbers import Integral
from typing import Any

from medgemma_dash.core.answer import Answer, Candidate
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.target import Against, Margin, Target, target_from_dict
from medgemma_dash.core.token_words import token_name
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.decision import spellings
from medgemma_dash.models.prompting import check_text, encode_continuation


def locate_phrase(answer: Answer, phrase: str) -> tuple[tuple[int, int], ...]:
    """Every occurrence of a phrase in the answer as a half-open token span.

    Case-insensitive, across subwords, by character offsets in the answer's text; a token that
    the phrase only touches is included. Raises TargetError when the phrase is not there.
    """
    wanted = phrase.strip().lower()
    if not wanted:
        raise TargetError("The phrase is empty. Give a word that stands in the answer.")
    # lower() can change a text's length (dotted capital I); offsets stay those of the original.
    lowered, offsets = [], []
    for offset, character in enumerate(answer.text):
        for part in character.lower():
            lowered.append(part)
            offsets.append(offset)
    text = "".join(lowered)
    bounds = _character_bounds(answer)
    spans = []
    place = text.find(wanted)
    while place >= 0:
        first, last = offsets[place], offsets[place + len(wanted) - 1]
        touched = [i for i, (start, stop) in enumerate(bounds) if start <= last and stop > first]
        spans.append((touched[0], touched[-1] + 1))
        place = text.find(wanted, place + 1)
    if not spans:
        raise TargetError(
            f"The phrase {phrase.strip()!r} is not in the answer. Answers are searched, questions "
            "are not; choose words that the model said."
        )
    return tuple(spans)


def token_target(answer: Answer, token: int) -> Target:
    """One token; it may count from the end (-1 is the last). Raises TargetError."""
    count = len(answer.tokens)
    if not -count <= token < count:
        raise TargetError(f"There is no token {token}. The answer has tokens 0 to {count - 1}.")
    chosen = answer.tokens[token % count]
    text = token_name(answer, chosen.index) if chosen.special else chosen.text
    return Target("token", (chosen.index,), text)


def span_target(answer: Answer, start: int, stop: int) -> Target:
    """The tokens of a half-open span. Raises TargetError."""
    count = len(answer.tokens)
    if not 0 <= start < stop <= count:
        raise TargetError(
            f"The span {start}:{stop} is not in the answer. Allowed: 0 <= start < stop <= {count}."
        )
    return Target("span", tuple(range(start, stop)), _text(answer, start, stop))


def phrase_target(answer: Answer, phrase: str) -> Target:
    """A phrase's first occurrence; `locate_phrase` and a span mean another. Raises TargetError."""
    start, stop = locate_phrase(answer, phrase)[0]
    return Target("phrase", tuple(range(start, stop)), _text(answer, start, stop))


def answer_target(answer: Answer) -> Target:
    """All that was said; the closing control token is no part of it. Raises TargetError."""
    said = tuple(token.index for token in answer.tokens if not token.special)
    if not said:
        raise TargetError("The model said nothing, so there is nothing to explain.")
    return Target("answer", said, answer.text)


def contrast_target(answer: Answer, token: int, against: Against) -> Target:
    """One token rather than another. Raises TargetError when it is the one that was said."""
    target = token_target(answer, token)
    if against.id == answer.tokens[target.token_indices[0]].id:
        raise TargetError(f"The model did say {against.text!r} there. Choose another token.")
    return replace(target, against=against)


def margin_target(model: VisionLanguageModel, answer: Answer, yes: str, no: str) -> Target:
    """The decision between two words at the answer's first place, whatever stands there.

    Each word counts in all spellings that are one token, with a leading space and without.
    Raises TargetError for a word that has none, and for two that are the same.
    """
    if not answer.tokens:
        raise TargetError("The model said nothing, so there is no decision to explain.")
    sides = []
    for word in (yes.strip(), no.strip()):
        check_text(model, word, "margin")
        ids = tuple(sorted(spellings(model.processor.tokenizer, word))) if word else ()
        if not ids:
            raise TargetError(
                f"{word!r} is not one token in any spelling that this model's tokenizer knows, "
                "and a margin compares single tokens. Choose other words, such as Yes and No."
            )
        sides.append(ids)
    if {*sides[0]} & {*sides[1]}:
        raise TargetError(f"{yes!r} and {no!r} are the same word. Choose two that differ.")
    margin = Margin(sides[0], sides[1], yes.strip(), no.strip())
    text = f"{margin.yes_text} rather than {margin.no_text}"
    return Target("margin", (0,), text, margin=margin)


def target_for(
    answer: Answer,
    *,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    against: Against | None = None,
) -> Target:
    """The target that was asked for; none of token, phrase and span means the whole answer.

    Raises TargetError.
    """
    if sum(choice is not None for choice in (token, phrase, span)) > 1:
        raise TargetError("Choose one of token, phrase and span.")
    if against is not None and token is None:
        raise TargetError("A contrast explains one token against another: give token as well.")
    if token is not None:
        if against is not None:
            return contrast_target(answer, token, against)
        return token_target(answer, token)
    if phrase is not None:
        return phrase_target(answer, phrase)
    return answer_target(answer) if span is None else span_target(answer, *span)


def choose_target(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    against: str | None = None,
    margin: tuple[str, str] | None = None,
) -> Target:
    """As `target_for`, with contrasts in words, which the model's tokenizer spells.

    Warns where a contrast is several tokens. Raises TargetError, and PromptError for words that
    no tokenizer can read.
    """
    _check_types(token, phrase, span, against, margin)
    if margin is not None:
        if any(choice is not None for choice in (token, phrase, span, against)):
            raise TargetError("A margin is the decision at the first place: give it alone.")
        return margin_target(model, answer, *margin)
    contrast = None
    if against is not None:
        if token is None:
            raise TargetError("A contrast explains one token against another: give token as well.")
        contrast = against_token(model, answer, token, against)
        if contrast.notice:
            warnings.warn(contrast.notice, stacklevel=3)
    return target_for(answer, token=token, phrase=phrase, span=span, against=contrast)


def _check_types(
    token: object, phrase: object, span: object, against: object, margin: object
) -> None:
    """Raise TargetError for what is no target at all: callers from outside may give anything."""

    def pair(value: object, kind: type) -> bool:
        return (
            isinstance(value, tuple | list)
            and len(value) == 2
            and all(isinstance(part, kind) and not isinstance(part, bool) for part in value)
        )

    fitting = {
        "token": token is None or (isinstance(token, Integral) and not isinstance(token, bool)),
        "phrase": phrase is None or isinstance(phrase, str),
        "span": span is None or pair(span, Integral),
        "against": against is None or isinstance(against, str),
        "margin": margin is None or pair(margin, str),
    }
    allowed = {
        "token": "a whole number",
        "phrase": "a text",
        "span": "two whole numbers, such as (2, 6)",
        "against": "a text",
        "margin": 'two words, such as ("Yes", "No")',
    }
    for name, fits in fitting.items():
        if not fits:
            raise TargetError(f"{name} has to be {allowed[name]}.")


def against_token(model: VisionLanguageModel, answer: Answer, token: int, text: str) -> Against:
    """The one token by which the model would have begun `text` in place of the given token.

    A runner-up of that text is taken as it is; else the text is tokenised with the same leading
    space as the token that stands there, and its first token taken: `asked` then says of what.
    Raises TargetError or PromptError.
    """
    if not text.strip():
        raise TargetError("The text to contrast with is empty.")
    said = answer.tokens[token_target(answer, token).token_indices[0]]
    runner_up = _runner_up(said.runners_up, text)
    if runner_up is not None:
        return Against(runner_up.id, runner_up.text)
    leading = said.text[: len(said.text) - len(said.text.lstrip())]
    ids = encode_continuation(model, leading + text.strip(), "contrast")
    first = int(ids[0])
    asked = text.strip() if len(ids) > 1 else ""
    return Against(first, str(model.processor.tokenizer.decode([first])), asked)


def _runner_up(candidates: tuple[Candidate, ...], text: str) -> Candidate | None:
    exact = [c for c in candidates if c.text == text]
    alike = [c for c in candidates if c.text.strip() == text.strip()]
    return next(iter(exact + alike), None)


def _character_bounds(answer: Answer) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for token in answer.tokens:
        bounds.append((start, start + len(token.text)))
        start += len(token.text)
    return bounds


def _text(answer: Answer, start: int, stop: int) -> str:
    return "".join(token.text for token in answer.tokens[start:stop])


def target_again(answer: Answer, target: dict[str, Any]) -> Target:
    """The target of a plan, of the answer to the same question.

    Raises TargetError where the answer is too short to have it.
    """
    found = target_from_dict(target)
    if max(found.token_indices) >= len(answer.tokens):
        raise TargetError("The answer is shorter now, and has no such words.")
    return found
