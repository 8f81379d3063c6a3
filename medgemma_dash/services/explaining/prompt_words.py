"""The words of the prompt, and earlier words of the answer, that mattered for a target."""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Literal

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.words import Range, WordRelevance


def prompt_words(
    explanation: Explanation, answer: Answer, most: int = 5
) -> tuple[WordRelevance, ...]:
    """The words with most relevance (by magnitude), best first.

    The answer's words are `Answer.words`; the question's tokens are joined at white space. The
    template and the images are left out.
    """
    start = answer.prompt_length
    parts: dict[Literal["question", "answer"], list[Range]] = {
        "question": _question_spans(answer),
        "answer": [(start + first, start + last) for first, last in answer.words],
    }
    words: list[WordRelevance] = []
    for part, spans in parts.items():
        for first, last in spans:
            text = "".join(answer.piece_texts[first:last]).strip()
            if any(letter.isalnum() for letter in text):
                value = float(explanation.row[first:last].sum())
                words.append(WordRelevance(text, value, part))
    ranked = sorted(words, key=lambda word: -abs(word.value))
    return tuple(word for word in ranked[:most] if np.isfinite(word.value) and word.value != 0)


def _question_spans(answer: Answer) -> list[Range]:
    """Half-open position ranges of the question's words."""
    question = question_positions(answer)
    spans: list[Range] = []
    first: int | None = None
    for position, piece in enumerate(answer.piece_texts[: answer.prompt_length]):
        silent = position not in question
        if first is not None and (silent or piece[:1].isspace()):
            spans.append((first, position))
            first = None
        if not silent and first is None:
            first = position
        if first is not None and piece[-1:].isspace():
            spans.append((first, position + 1))
            first = None
    if first is not None:
        spans.append((first, answer.prompt_length))
    return spans


def question_positions(answer: Answer) -> frozenset[int]:
    """Positions of what the user typed; all else in the prompt is the template and the images.

    Whatever stands in it is text: control tags are refused when a question is put to the model,
    so a tag there is one of the user's own. The question stands behind the last image, and the
    template has no words there.
    """
    pieces, spans = answer.piece_texts[: answer.prompt_length], [i.span for i in answer.images]
    typed = answer.prompt.strip()
    start = "".join(pieces).find(typed, len("".join(pieces[: spans[-1][1]])))
    if start < 0:
        # A tokenizer that rewrites what is typed: all text from the first image on but tags.
        places = set(range(spans[0][1], answer.prompt_length))
        places -= {place for span in spans for place in range(*span)}
        return frozenset(place for place in places if not _is_tag(pieces[place]))
    ends = list(accumulate(len(piece) for piece in pieces))
    return frozenset(range(bisect_right(ends, start), bisect_left(ends, start + len(typed)) + 1))


def _is_tag(piece: str) -> bool:
    return piece.startswith("<") and piece.endswith(">")
