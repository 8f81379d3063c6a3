"""Words of an answer or a prompt, as values."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class WordRelevance:
    """A word of the sequence and the raw relevance it had for the target."""

    text: str
    value: float
    part: Literal["question", "answer"] = "question"
