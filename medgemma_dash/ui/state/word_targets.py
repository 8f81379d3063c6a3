"""From what was clicked in an answer to the target that is explained.

`services.explaining.targets` is imported late: it stands on torch, which the first page
must not wait for.
"""

from __future__ import annotations

from dataclasses import replace

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.function_words import is_content_word
from medgemma_dash.core.target import Against, Target
from medgemma_dash.core.words import touched


def chosen_target(answer: Answer, span: tuple[int, int] | None) -> Target:
    """Half-open span as a target, a token if it has one; None is the whole answer.

    Raises TargetError for a span outside the answer, and for the whole of an empty answer.
    """
    from medgemma_dash.services.explaining.targets import target_for

    if span is not None and span[1] - span[0] == 1:
        return target_for(answer, token=span[0])
    return target_for(answer, span=span)


def phrase_spans(answer: Answer, phrase: str) -> tuple[tuple[int, int], ...]:
    """Token ranges of every occurrence; raises TargetError when there is none."""
    from medgemma_dash.services.explaining.targets import locate_phrase

    return locate_phrase(answer, phrase)


def contrasted(answer: Answer, index: int, candidate: int | None) -> Target:
    """A token against a runner-up's id, or against nothing."""
    target = chosen_target(answer, (index, index + 1))
    for runner_up in answer.tokens[index].runners_up:
        if runner_up.id == candidate:
            return replace(target, against=Against(runner_up.id, runner_up.text))
    return target


def opening_target(answer: Answer, word: str) -> Target | None:
    """What is selected when an answer arrives: the finding's word if it says it, else its first
    content word, else its first word with letters, else the whole answer. Where nothing was said,
    it is the token that ended the answer: why it did is a question too. None for an answer
    without tokens.
    """
    if word:
        try:
            found = touched(answer.words, range(*phrase_spans(answer, word)[0]))
        except TargetError:
            pass
        else:
            return chosen_target(answer, (found[0][0], found[-1][1]))
    texts = {
        (start, stop): "".join(token.text for token in answer.tokens[start:stop])
        for start, stop in answer.words
    }
    spoken = [word for word, text in texts.items() if any(map(str.isalnum, text))]
    content = [word for word in spoken if is_content_word(texts[word])]
    if spoken:
        return chosen_target(answer, (content or spoken)[0])
    if said_something(answer):
        return chosen_target(answer, None)
    return chosen_target(answer, (0, 1)) if answer.tokens else None


def said_something(answer: Answer) -> bool:
    """Whether the answer has a token that is not a control token."""
    return any(not token.special for token in answer.tokens)
