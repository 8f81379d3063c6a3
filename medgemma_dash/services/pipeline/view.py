"""The numbers behind every step from a sequence to a map, and behind the mistakes on the way.

Importing this module does not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from medgemma_dash.core.explanation import Explanation
    from medgemma_dash.core.target import Target
    from medgemma_dash.metrics.agreement_controls import JudgedAgreement
    from medgemma_dash.services.layers.view import LayerView

MistakeName = Literal["doubled_bos", "causal_images", "last_position", "row_p"]


@dataclass(frozen=True)
class LogitThere:
    """A token that stood to choose at one position: its text as the tokenizer has it, its logit."""

    id: int
    text: str
    logit: float


@dataclass(frozen=True, eq=False)
class Replayed:
    """What a replay of the answer says that is not the one that answered.

    probabilities: float32 (T,), of the answer's tokens. instead: T texts, the token that this
        replay would choose there, "" where it is the same one. differences: float32 (T,), the
        largest difference from the right replay over all tokens' logits.
    """

    probabilities: npt.NDArray[np.float32]
    instead: tuple[str, ...]
    differences: npt.NDArray[np.float32]

    @property
    def mismatches(self) -> tuple[int, ...]:
        """Indices of the answer's tokens that it would not choose."""
        return tuple(place for place, text in enumerate(self.instead) if text)


@dataclass(frozen=True, eq=False)
class Mistake:
    """One common mistake, made on purpose, and the map that came of it.

    image_map: float32 (rows, cols), of the current image; raw, as relevance is.
    read_row: whose relevance it is, a position of the mistaken sequence. explained: what was
        differentiated. span: where the image's relevance was read in that row.
    divergence, overlap: of this map and the right one, each beside its controls.
    replayed: where the mistake lies in what the model is given; None where it gets the right input.
    found_anew: only where the span was the mistake, the divergence with the span put right.
    """

    name: MistakeName
    image_map: npt.NDArray[np.float32]
    read_row: int
    explained: LogitThere
    span: tuple[int, int]
    divergence: JudgedAgreement
    overlap: JudgedAgreement
    replayed: Replayed | None = None
    found_anew: float | None = None


@dataclass(frozen=True, eq=False)
class PipelineView:
    """Everything between an answer and the map of one of its tokens.

    target: the token alone, or against another. layers: what each layer and head did at p-1.
    gradient: float32 (L, H, S), dA of every head in row p-1; zero where the row may not look.
    logit: z, what was differentiated. candidates: the largest logits at p-1, the token's first.
    mistakes: in the order of the steps that they belong to.
    word: of a word of several tokens the engine's explanation, which is the mean of theirs.
    """

    answer_key: str
    target: Target
    position: int
    layers: LayerView
    gradient: npt.NDArray[np.float32]
    logit: float
    candidates: tuple[LogitThere, ...]
    mistakes: tuple[Mistake, ...]
    word: Explanation | None = None

    @property
    def token(self) -> int:
        """Index of the token in the answer."""
        return self.target.token_indices[0]

    @property
    def row(self) -> npt.NDArray[np.float32]:
        """(S,): R's row p-1, self-relevance left out."""
        row: npt.NDArray[np.float32] = self.layers.gathered[0]
        return row

    @property
    def image_map(self) -> npt.NDArray[np.float32]:
        """(rows, cols): that row on the current image."""
        return self.layers.gathered_map(0)

    @property
    def image_share(self) -> float:
        """How much of the row lies on the images."""
        return self.image_shares_after[0]

    @property
    def image_shares_after(self) -> tuple[float, ...]:
        """For each layer, how much of r lies on the images once it is folded in."""
        on_images = np.concatenate([np.arange(*span) for span in self.layers.image_spans])
        whole = self.layers.gathered.sum(1, dtype=np.float64)
        part = self.layers.gathered[:, on_images].sum(1, dtype=np.float64)
        return tuple(float(one) for one in part / np.where(whole > 0, whole, 1.0))

    def added_map(self, layer: int) -> npt.NDArray[np.float32]:
        """(rows, cols): r A_bar of one layer on the image, what folding it in added."""
        after = self.layers.gathered_map(layer)
        if layer + 1 == len(self.layers.is_global):
            return after
        added: npt.NDArray[np.float32] = after - self.layers.gathered_map(layer + 1)
        return added

    def head_row(
        self, of: npt.NDArray[np.float32], layer: int, head: int
    ) -> npt.NDArray[np.float32]:
        """(rows, cols): one head's row of (L, H, S) values, on the current image."""
        start, stop = self.layers.image_spans[-1]
        picture: npt.NDArray[np.float32] = of[layer, head, start:stop].reshape(
            self.layers.grids[-1]
        )
        return picture

    def strongest_head(self, layer: int) -> int:
        """The head of a layer that moved the logit most by what it read from the image."""
        return int(np.argmax(self.layers.weighted_shares[layer]))

    def mistake(self, name: MistakeName) -> Mistake:
        """The one of this name."""
        return next(one for one in self.mistakes if one.name == name)
