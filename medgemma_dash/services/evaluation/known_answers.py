"""Questions about lesions whose place is known, and where in the answers the telling words are.

Each is asked about one radiograph, whose lesions they are: grounding has no truth about another.
"""

from collections.abc import Iterator
from itertools import count as count_from
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.demo.dialogues import SpokenWord, WordKind, answer_to
from medgemma_dash.demo.radiographs import Finding, SyntheticRadiograph, synthesize
from medgemma_dash.services.explaining.asking import ask

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

KINDS: tuple[WordKind, ...] = ("presence", "finding", "side", "zone")
QUESTION = "Is there evidence of {}?"


def radiographs_with_findings(first_seed: int) -> Iterator[SyntheticRadiograph]:
    """Synthetic radiographs in order of their seeds; those without a finding are passed over."""
    return (truth for truth in map(synthesize, count_from(first_seed)) if truth.findings)


def ask_about(
    model: "VisionLanguageModel",
    truth: SyntheticRadiograph,
    finding: Finding,
    radiograph: Radiograph,
) -> tuple[Answer, tuple[SpokenWord, ...], bool]:
    """The answer about one finding, the telling words of the right answer, and whether it is that.

    Right means right word for word, so that the words stand in the answer where they are said to.
    """
    question = QUESTION.format(finding.name)
    expected = answer_to(question, truth)
    answer = ask(model, radiograph, question)
    return answer, expected.words, answer.text == expected.answer


def word_tokens(answer: Answer, start: int, stop: int) -> tuple[int, ...]:
    """Indices of the tokens that share a character with `answer.text[start:stop]`."""
    ends = np.cumsum([len(token.text) for token in answer.tokens])
    starts = ends - [len(token.text) for token in answer.tokens]
    return tuple(np.flatnonzero((starts < stop) & (ends > start)).tolist())


def word_map(
    answer: Answer, rows: Float[np.ndarray, "tokens positions"], start: int, stop: int
) -> Float[np.ndarray, "rows cols"]:
    """Mean map of the tokens that share a character with `answer.text[start:stop]`.

    Of the current image, the one whose lesions are known.
    """
    first, last = answer.image_span
    tokens = list(word_tokens(answer, start, stop))
    image: Float[np.ndarray, "rows cols"] = (
        rows[tokens, first:last].mean(axis=0).reshape(answer.grid)
    )
    return image
