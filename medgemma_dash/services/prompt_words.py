"""The words of the prompt, and earlier words of the answer, that mattered for a target."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation

TURN_START = "<start_of_turn>"


@dataclass(frozen=True)
class PromptWord:
    """A word of the sequence and the raw relevance of its tokens, summed."""

    text: str
    value: float
    part: Literal["question", "answer"]


def prompt_words(explanation: Explanation, answer: Answer, most: int = 5) -> tuple[PromptWord, ...]:
    """The words with most relevance (by magnitude), best first.

    Tokens are joined to words at white space; control tokens and the image are left out.
    """
    words: list[PromptWord] = []
    for first, last in _word_spans(answer):
        text = "".join(answer.piece_texts[first:last]).strip()
        if any(letter.isalnum() for letter in text):
            value = float(explanation.row[first:last].sum())
            part: Literal["question", "answer"] = (
                "answer" if first >= answer.prompt_length else "question"
            )
            words.append(PromptWord(text, value, part))
    ranked = sorted(words, key=lambda word: -abs(word.value))
    return tuple(word for word in ranked[:most] if np.isfinite(word.value) and word.value != 0)


def _word_spans(answer: Answer) -> list[tuple[int, int]]:
    """Half-open position ranges of the words before and in the answer."""
    start, stop = answer.image_span
    special = {token.position for token in answer.tokens if token.special}
    spans: list[tuple[int, int]] = []
    pieces = answer.piece_texts
    first: int | None = None
    for position, piece in enumerate(pieces):
        silent = start <= position < stop or position in special or _is_control(piece)
        # The word behind a turn's start is the template's ("user", "model"), not the user's.
        role = position > 0 and pieces[position - 1] == TURN_START
        begins = piece[:1].isspace() or position == answer.prompt_length
        if first is not None and (silent or role or begins):
            spans.append((first, position))
            first = None
        if not silent and not role and first is None:
            first = position
        if first is not None and piece[-1:].isspace():
            spans.append((first, position + 1))
            first = None
    if first is not None:
        spans.append((first, len(pieces)))
    return spans


def _is_control(piece: str) -> bool:
    """Control tokens are written as in the vocabulary: <bos>, <start_of_turn>."""
    return not piece or (piece.startswith("<") and piece.endswith(">"))
