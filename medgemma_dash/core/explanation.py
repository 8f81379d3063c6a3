"""What is explained, and the result."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

TargetKind = Literal["token", "span", "phrase", "answer"]


@dataclass(frozen=True)
class Against:
    """The token that the model did not say, for a contrastive target."""

    id: int
    text: str


@dataclass(frozen=True)
class Target:
    """Which of the answer's tokens are explained.

    token_indices: indices into `Answer.tokens`, ascending.
    text: the words they make.
    against: for one token only: explain logit(token) - logit(against).
    """

    kind: TargetKind
    token_indices: tuple[int, ...]
    text: str
    against: Against | None = None


@dataclass(frozen=True)
class Provenance:
    """Everything needed to compute an explanation again. Holds no pixels and no file name."""

    model_name: str
    model_revision: str
    is_demo: bool
    device: str
    dtype: str
    image_sha256: str
    prompt: str
    token_ids: tuple[int, ...]
    prompt_length: int
    image_span: tuple[int, int]
    method: str
    settings: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    seconds: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why the model said the target, by one method.

    image: float32 (rows, cols), raw relevance of each soft token, not normalised.
    row: float32 (S,), relevance of every position; self-relevance removed, and zero after
        the position that predicted the target.
    layers: float32 (L,), share of attention, mean over heads, that the predicting position
        gives to the soft tokens in each decoder layer.
    signed: whether negative values mean evidence against.
    """

    image: npt.NDArray[np.float32]
    row: npt.NDArray[np.float32]
    layers: npt.NDArray[np.float32]
    method: str
    target: Target
    signed: bool
    provenance: Provenance

    def __post_init__(self) -> None:
        for array in (self.image, self.row, self.layers):
            if array.dtype != np.float32:
                raise ValueError("Explanations hold float32 arrays.")
            array.flags.writeable = False
