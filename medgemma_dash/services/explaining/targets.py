"""From what the user chose (a token, a phrase, a span, nothing) to the target explained."""

from medgemma_dash.core.answer import Answer, Candidate
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.target import Against, Target
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.prompting import encode_continuation


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


def target_for(
    answer: Answer,
    *,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    against: Against | None = None,
) -> Target:
    """The target that was asked for; none of token, phrase and span means the whole answer.

    token may count from the end (-1 is the last). A phrase means its first occurrence; use
    `locate_phrase` and span for another. Raises TargetError.
    """
    if sum(choice is not None for choice in (token, phrase, span)) > 1:
        raise TargetError("Choose one of token, phrase and span.")
    count = len(answer.tokens)
    if against is not None and token is None:
        raise TargetError("A contrast explains one token against another: give token as well.")
    if token is not None:
        if not -count <= token < count:
            raise TargetError(f"There is no token {token}. The answer has tokens 0 to {count - 1}.")
        chosen = answer.tokens[token % count]
        if against is not None and against.id == chosen.id:
            raise TargetError(f"The model did say {against.text!r} there. Choose another token.")
        return Target("token", (chosen.index,), chosen.text, against)
    if phrase is not None:
        start, stop = locate_phrase(answer, phrase)[0]
        return Target("phrase", tuple(range(start, stop)), _text(answer, start, stop))
    if span is not None:
        start, stop = span
        if not 0 <= start < stop <= count:
            raise TargetError(
                f"The span {start}:{stop} is not in the answer. "
                f"Allowed: 0 <= start < stop <= {count}."
            )
        return Target("span", tuple(range(start, stop)), _text(answer, start, stop))
    # The closing control token is not part of what was said.
    said = tuple(t.index for t in answer.tokens if not t.special)
    if not said:
        raise TargetError("The model said nothing, so there is nothing to explain.")
    return Target("answer", said, answer.text)


def against_token(model: VisionLanguageModel, answer: Answer, token: int, text: str) -> Against:
    """The one token by which the model would have begun `text` in place of the given token.

    A runner-up of that text is taken as it is; else the text is tokenised with the same leading
    space as the token that stands there, and its first token taken. Raises TargetError.
    """
    if not text.strip():
        raise TargetError("The text to contrast with is empty.")
    said = answer.tokens[target_for(answer, token=token).token_indices[0]]
    runner_up = _runner_up(said.runners_up, text)
    if runner_up is not None:
        return Against(runner_up.id, runner_up.text)
    leading = said.text[: len(said.text) - len(said.text.lstrip())]
    first = int(encode_continuation(model, leading + text.strip())[0])
    return Against(first, str(model.processor.tokenizer.decode([first])))


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
