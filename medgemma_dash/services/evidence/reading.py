"""What an evidence record says of a word, in numbers and in a sentence; no model is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

from medgemma_dash.core.record import Record
from medgemma_dash.core.words import Range
from medgemma_dash.services.evidence.plan import Mark, mark_of

if TYPE_CHECKING:
    import pandas as pd

LARGEST_NATS = 1e6  # beyond what any float32 logits give
LONGEST_TOKEN = 1000  # characters, beyond any tokenizer's
# The three ways to take the image away, as they stand in a sentence.
WITHOUT = {
    "blank": "with a blank image",
    "swapped": "with other radiographs in its place",
    "no_image": "without any image",
}


@dataclass(frozen=True)
class WordEvidence:
    """Log-probabilities of some tokens together, in nats.

    given: with the image. layers_with_access: of the token that fewest layers let see the image.
    """

    text: str
    given: float
    blank: float
    swapped: float
    no_image: float
    layers_with_access: int

    @property
    def image_effect(self) -> float:
        """What a blank image takes from it."""
        return self.given - self.blank

    @property
    def losses(self) -> dict[str, float]:
        """What each way to take the image away takes from it."""
        return {name: self.given - getattr(self, name) for name in WITHOUT}

    @property
    def is_word(self) -> bool:
        """Whether it is more than punctuation."""
        return any(character.isalnum() for character in self.text)

    @property
    def mark(self) -> Mark:
        """See `mark_of`."""
        return mark_of(list(self.losses.values()))

    @property
    def text_line(self) -> str:
        """What the numbers say, in one sentence, by the condition that takes most."""
        name, _ = max(self.losses.items(), key=lambda loss: loss[1])
        before, after = probability(self.given), probability(getattr(self, name))
        if self.mark == "language prior":
            return (
                f"Language prior: its p is still {after} {WITHOUT[name]} ({before} with the image)."
            )
        if self.mark == "needs the image":
            return f"It needs the image: its p falls from {before} to {after} {WITHOUT[name]}."
        return f"It owes the image something: its p is {after}, not {before}, {WITHOUT[name]}."


def evidence_of(record: Record, token_indices: Sequence[int]) -> WordEvidence:
    """The evidence of these tokens together."""
    rows = record.tables["words"].set_index("token").loc[list(token_indices)]
    return _together(rows)


def every_word(record: Record, *, control_tokens: bool = False) -> tuple[WordEvidence, ...]:
    """The evidence of each of the answer's words, in order; on demand of its control tokens too.

    Raises ValueError as `units_of`.
    """
    words = record.tables["words"]
    special = words["special"].to_numpy(bool)
    texts = [str(text) for text in words["text"]]
    layers = words["layers_with_access"].to_numpy()
    nats = {name: words[name].to_numpy(float) for name in ("log_probability", *WITHOUT)}

    def together(name: str, start: int, stop: int) -> float:
        return float(nats[name][start:stop].sum())

    return tuple(
        WordEvidence(
            "".join(texts[start:stop]),
            given=together("log_probability", start, stop),
            blank=together("blank", start, stop),
            swapped=together("swapped", start, stop),
            no_image=together("no_image", start, stop),
            layers_with_access=int(layers[start:stop].min()),
        )
        for start, stop in units_of(record)
        if control_tokens or not special[start]
    )


def marked_words(record: Record) -> tuple[Counter[Mark], int]:
    """How many of the answer's words have each mark, and how many words it has; a full stop is
    none.

    Raises ValueError as `units_of`.
    """
    words = [word for word in every_word(record) if word.is_word]
    return Counter(word.mark for word in words), len(words)


def units_of(record: Record) -> tuple[Range, ...]:
    """Half-open token ranges of the words and control tokens, as `Answer.units` has them.

    Raises ValueError for a table that somebody made: tokens or words that are not numbered one
    after the other, control tokens within words, texts as long as pages, log-probabilities that are
    no numbers.
    """
    words = record.tables["words"]
    tokens, numbers = words["token"].tolist(), words["word"].tolist()
    special = words["special"].astype(bool).tolist()
    starts = [at for at in range(len(words)) if at == 0 or numbers[at] != numbers[at - 1]]
    units = tuple(zip(starts, [*starts[1:], len(words)], strict=True))
    if tokens != list(range(len(words))) or [numbers[at] for at in starts] != [*range(len(starts))]:
        raise ValueError("tokens and words")
    if any(any(special[start:stop]) for start, stop in units if stop - start > 1):
        raise ValueError("control tokens")
    if any(len(str(text)) > LONGEST_TOKEN for text in words["text"]):
        raise ValueError("texts")
    nats = words[["log_probability", *WITHOUT, "image_effect"]].to_numpy(float)
    if not (abs(nats) < LARGEST_NATS).all():
        raise ValueError("log-probabilities")
    return units


def probability(nats: float) -> str:
    """exp of a log-probability in two digits, and never a false 0 or 1."""
    p = exp(min(nats, 0.0))
    if p > 0.995:
        return "> 0.99"
    if p >= 0.01:
        return f"{p:.2f}"
    return f"{p:.1e}" if p >= 1e-6 else "< 1e-6"


def _together(rows: pd.DataFrame) -> WordEvidence:
    return WordEvidence(
        text="".join(map(str, rows["text"])),
        given=float(rows["log_probability"].sum()),
        blank=float(rows["blank"].sum()),
        swapped=float(rows["swapped"].sum()),
        no_image=float(rows["no_image"].sum()),
        layers_with_access=int(rows["layers_with_access"].min()),
    )
