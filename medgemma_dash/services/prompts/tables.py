"""The tables of a prompts record: answers and decisions, pairs of maps, words that mattered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.metrics.agreement import Agreement, agreement
from medgemma_dash.metrics.answer_parsing import Parsed, parse_answer
from medgemma_dash.services.explaining.prompt_words import prompt_words
from medgemma_dash.services.prompts.plan import UNCHANGED
from medgemma_dash.services.prompts.variants import BASELINE

PAIRS = (
    "first", "second", "js_divergence", "reading", "spearman", "top_iou", "same_answer",
    "pearson", "cosine", "peak_distance", "margin_change", "axis",
)  # fmt: skip
MOST_LETTERS = 60  # of a strategy's name, in the name of a map
WORDS = ("name", "word", "relevance", "share")
LEFT_OUT = ("perturbation", "reason")


@dataclass(frozen=True)
class Cell:
    """A prompt about an image or a changed copy of it; number: from 1."""

    number: int
    strategy: str
    prompt: str
    perturbation: str

    @property
    def name(self) -> str:
        """Number, strategy and change, of such letters as a map's name may have."""
        changed = "" if self.perturbation == UNCHANGED else f", {self.perturbation}"
        said = f"{self.strategy[:MOST_LETTERS]}{changed}"
        plain = re.sub(r"[^ ,.+:-]|_", lambda one: one[0] if one[0].isalnum() else " ", said)
        return f"{self.number} {plain}".strip()


@dataclass(frozen=True)
class Outcome:
    """What one prompt about one image came to.

    log_probabilities: of all one-token spellings of yes, and of no, in nats.
    reason: why there is no explanation; "" where there is one.
    """

    cell: Cell
    answer: Answer
    log_probabilities: tuple[float, float]
    explanation: Explanation | None
    reason: str

    @property
    def name(self) -> str:
        """Of its row and its map."""
        return self.cell.name

    @cached_property
    def parsed(self) -> Parsed:
        """What its answer says."""
        return parse_answer(self.answer.text)

    @property
    def margin(self) -> float:
        """Logsumexp of the logits of yes less that of no: the log of their odds."""
        return self.log_probabilities[0] - self.log_probabilities[1]

    @property
    def image_map(self) -> npt.NDArray[np.float32] | None:
        """Raw, not normalised."""
        return None if self.explanation is None else self.explanation.image


def tables_of(
    outcomes: Sequence[Outcome], left_out: Mapping[str, str] = MappingProxyType({})
) -> tuple[dict[str, pd.DataFrame], dict[str, npt.NDArray[np.float32]]]:
    """The tables by name, and the maps; the first outcome is the one that all are held against.

    left_out: why a change of the image was not asked about, by its name.
    """
    pairs = list(_pairs(outcomes))
    tables = {
        "prompts": pd.DataFrame([_row(one, outcomes[0]) for one in outcomes]),
        "pairs": pd.DataFrame(pairs, columns=PAIRS),
        "summary": pd.DataFrame(list(_summary(outcomes, pairs))),
        "prompt_words": pd.DataFrame(
            [row for one in outcomes for row in _words(one)], columns=WORDS
        ),
        "left_out": pd.DataFrame(list(left_out.items()), columns=LEFT_OUT, dtype=object),
    }
    maps = {one.name: one.image_map.copy() for one in outcomes if one.image_map is not None}
    return tables, maps


def _row(one: Outcome, baseline: Outcome) -> dict[str, object]:
    yes, no = one.log_probabilities
    return {
        "prompt": one.cell.prompt,
        "strategy": one.cell.strategy,
        "perturbation": one.cell.perturbation,
        "answer": one.answer.text,
        "parsed": one.parsed,
        "margin": one.margin,
        "probability_yes": float(np.exp(yes)),
        "probability_no": float(np.exp(no)),
        "name": one.name,
        "change": f"{baseline.parsed}_to_{one.parsed}",
        "margin_change": one.margin - baseline.margin,
        "map": "" if one.image_map is None else one.name,
        "no_map": one.reason,
    }


def _pairs(outcomes: Sequence[Outcome]) -> Iterator[dict[str, object]]:
    for first, second in combinations(outcomes, 2):
        found = _agreement(first.image_map, second.image_map)
        yield {
            "first": first.name,
            "second": second.name,
            "js_divergence": found.divergence,
            "reading": found.in_words,
            "spearman": found.spearman,
            "top_iou": found.top_overlap,
            "same_answer": _same(first, second),
            "pearson": found.pearson,
            "cosine": found.cosine,
            "peak_distance": found.peak_distance,
            "margin_change": second.margin - first.margin,
            "axis": _axis(first, second),
        }


def _agreement(
    first: npt.NDArray[np.float32] | None, second: npt.NDArray[np.float32] | None
) -> Agreement:
    if first is None or second is None:
        return Agreement(*[float("nan")] * 6)
    return agreement(first, second)


def _same(first: Outcome, second: Outcome) -> bool:
    """Both yes, both no, or neither and word for word the same."""
    if first.parsed != second.parsed:
        return False
    texts = [" ".join(one.answer.text.lower().split()) for one in (first, second)]
    return first.parsed != "uncertain" or texts[0] == texts[1]


def _axis(first: Outcome, second: Outcome) -> str:
    if first.cell.perturbation == second.cell.perturbation:
        return "phrasing"
    return "image" if first.cell.strategy == second.cell.strategy else "both"


def _summary(
    outcomes: Sequence[Outcome], pairs: Sequence[dict[str, object]]
) -> Iterator[dict[str, object]]:
    """The phrasings of the unchanged image; the changes under the question itself; and all."""
    parts = {
        "phrasing": [one for one in outcomes if one.cell.perturbation == UNCHANGED],
        "image": [one for one in outcomes if one.cell.strategy == BASELINE],
        "all": list(outcomes),
    }
    for axis, some in parts.items():
        if len(some) > 1:
            names = {one.name for one in some}
            within = pd.DataFrame(
                [pair for pair in pairs if {pair["first"], pair["second"]} <= names]
            )
            yield _summed(axis, some, within)


def _summed(axis: str, some: Sequence[Outcome], pairs: pd.DataFrame) -> dict[str, object]:
    said = Counter(one.parsed for one in some)
    margins = np.array([one.margin for one in some])
    return {
        "axis": axis,
        "prompts": len(some),
        "yes": said["yes"],
        "no": said["no"],
        "uncertain": said["uncertain"],
        "consistency": max(said.values()) / len(some),
        "flips": sum(one.parsed != some[0].parsed for one in some),
        "answer_agreement": float(pairs["same_answer"].mean()),
        "mean_js_divergence": float(pairs["js_divergence"].mean()),
        "mean_top_iou": float(pairs["top_iou"].mean()),
        "mean_spearman": float(pairs["spearman"].mean()),
        "lowest_margin": float(margins.min()),
        "highest_margin": float(margins.max()),
        "mean_margin_change": float(np.abs(margins[1:] - margins[0]).mean()),
    }


def _words(one: Outcome) -> Iterator[dict[str, object]]:
    """The question's words by their relevance for the margin, the most relevant first."""
    if one.explanation is None:
        return
    words = [
        word
        for word in prompt_words(one.explanation, one.answer, len(one.answer.input_ids))
        if word.part == "question"
    ]
    whole = sum(abs(word.value) for word in words)
    for word in words:
        share = abs(word.value) / whole
        yield {"name": one.name, "word": word.text, "relevance": word.value, "share": share}
