"""What the model said, token by token, and how faithfully it was replayed."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.words import with_control_tokens, word_ranges


@dataclass(frozen=True)
class Candidate:
    """A token that the model could have said at some place, with its probability."""

    id: int
    text: str
    probability: float


@dataclass(frozen=True)
class Token:
    """One token of the answer.

    index: its place in the answer, from 0.
    position: its place in the full sequence; the logit that chose it stands at position - 1.
    text: its share of the answer text; all texts joined are the answer text.
    probability: what the model gave it, temperature 1.
    special: whether it is a control token (end of turn), whose text is empty.
    runners_up: the most probable other tokens at this place, best first.
    """

    index: int
    id: int
    text: str
    position: int
    probability: float
    special: bool
    runners_up: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Fidelity:
    """Whether the replay is the same function that generated the answer.

    exact: every replayed argmax equals the token that stands there.
    mismatches: indices of the tokens where it does not.
    max_logit_difference: largest |replayed - generated| logit over the answer's tokens and
        the whole vocabulary; None for a forced answer, which was never generated.
    """

    exact: bool
    mismatches: tuple[int, ...]
    max_logit_difference: float | None


@dataclass(frozen=True, eq=False)
class AnswerImage:
    """A radiograph that the model was given, and where its soft tokens stand.

    span: (start, stop) of the soft tokens in the sequence. grid: (rows, cols) of them.
    """

    radiograph: Radiograph
    span: tuple[int, int]
    grid: tuple[int, int]

    def __post_init__(self) -> None:
        if self.span[1] - self.span[0] != self.grid[0] * self.grid[1]:
            raise ValueError(f"A grid of {self.grid} does not fill the span {self.span}.")


@dataclass(frozen=True, eq=False)
class Answer:
    """A question put to a model about one radiograph or several, and its answer.

    input_ids: int64 (S,), the whole sequence: prompt, then answer.
    images: what the model was given, in order; each sees those in front of it. The last one is
        the current radiograph, of which `radiograph`, `image_span` and `grid` speak.
    piece_texts: S texts, one per position, "" for soft tokens; control tokens as written.
    forced: the text was given, not generated.
    stopped: why generation ended: "end of turn", "length", "cancelled" or "forced".
    margin: logsumexp of the logits of all one-token spellings of yes less that of no, where the
        first token was chosen; None where the tokenizer has no such spelling.
    """

    text: str
    tokens: tuple[Token, ...]
    input_ids: npt.NDArray[np.int64]
    images: tuple[AnswerImage, ...]
    prompt: str
    fidelity: Fidelity
    piece_texts: tuple[str, ...]
    model_name: str
    model_revision: str
    is_demo: bool
    forced: bool
    stopped: str
    seconds: float
    margin: float | None = None

    def __post_init__(self) -> None:
        if "".join(token.text for token in self.tokens) != self.text:
            raise ValueError("Token texts do not join to the answer text.")
        if len(self.piece_texts) != len(self.input_ids):
            raise ValueError("Every position has one text.")
        if not self.images:
            raise ValueError("An answer is about one image at least.")
        self.input_ids.flags.writeable = False

    @property
    def radiograph(self) -> Radiograph:
        """The current radiograph: the last one."""
        return self.images[-1].radiograph

    @property
    def image_span(self) -> tuple[int, int]:
        """(start, stop) of the current radiograph's soft tokens in the sequence."""
        return self.images[-1].span

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, cols) of the current radiograph's soft tokens."""
        return self.images[-1].grid

    @property
    def image_spans(self) -> tuple[tuple[int, int], ...]:
        """(start, stop) of each radiograph's soft tokens, in order."""
        return tuple(image.span for image in self.images)

    @property
    def prompt_length(self) -> int:
        """Number of positions before the answer."""
        return len(self.input_ids) - len(self.tokens)

    @cached_property
    def words(self) -> tuple[tuple[int, int], ...]:
        """Half-open token ranges of the words; see `core.words.word_ranges` for what is one."""
        return word_ranges(self.tokens)

    @cached_property
    def units(self) -> tuple[tuple[int, int], ...]:
        """The words, and each control token alone: ranges that cover all tokens, in order."""
        return with_control_tokens(self.words, len(self.tokens))

    @cached_property
    def key(self) -> str:
        """Hex digest of radiographs, model, prompt and answer; free of their content."""
        digest = sha256()
        seen = (image.radiograph.sha256 for image in self.images)
        for part in (*seen, self.model_name, self.model_revision):
            digest.update(part.encode() + b"\0")
        digest.update(self.input_ids.tobytes())
        return digest.hexdigest()
