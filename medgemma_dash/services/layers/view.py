"""Layers and heads behind one word or several: plain numbers, ready to draw and to export."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.target import Target
from medgemma_dash.methods.call import logit_target
from medgemma_dash.methods.layer_walk import walk_layers
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.attention import attention_weights


@dataclass(frozen=True, eq=False)
class LayerView:
    """What the decoder's layers and heads did at the target; means over its tokens.

    image_spans, grids: of all images, in order; maps and cells are of the image of that number,
        the current one is the last. Shares are of all images.
    attention: float32 (L, H, S), attention of the predicting position to every position.
    weighted: float32 (L, H, S), the part of it that moves the logit up, (dA * A)^+.
    gathered: float32 (L, S), relevance after folding in the layers from the last to this one.
    """

    answer_key: str
    target: Target
    image_spans: tuple[tuple[int, int], ...]
    grids: tuple[tuple[int, int], ...]
    is_global: tuple[bool, ...]
    attention: npt.NDArray[np.float32]
    weighted: npt.NDArray[np.float32]
    gathered: npt.NDArray[np.float32]

    @property
    def image_shares(self) -> npt.NDArray[np.float32]:
        """(L, H): share of each head's attention that goes to the images."""
        shares: npt.NDArray[np.float32] = self.attention[:, :, self._on_images].sum(-1)
        return shares

    @property
    def weighted_shares(self) -> npt.NDArray[np.float32]:
        """(L, H): how much of all gradient-weighted attention is this head's, on the images."""
        on_image = self.weighted[:, :, self._on_images].sum(-1, dtype=np.float64)
        whole = float(self.weighted.sum(dtype=np.float64))
        shares: npt.NDArray[np.float32] = (on_image / (whole or 1.0)).astype(np.float32)
        return shares

    @property
    def strongest_layer(self) -> int:
        """The layer whose heads moved the logit most by what they read from the image."""
        return int(np.argmax(self.weighted_shares.sum(1)))

    def head_map(
        self, layer: int, head: int | None, *, weighted: bool, image: int = -1
    ) -> npt.NDArray[np.float32]:
        """(rows, cols): one head's map of a layer, or the mean of its heads."""
        rows = (self.weighted if weighted else self.attention)[layer]
        row = rows.mean(0) if head is None else rows[head]
        return self._picture(row, image)

    def gathered_map(self, layer: int, image: int = -1) -> npt.NDArray[np.float32]:
        """(rows, cols): relevance on the image gathered from the last layer down to this one."""
        return self._picture(self.gathered[layer], image)

    def layers_on_cells(
        self, cells: list[tuple[int, int]], image: int = -1
    ) -> npt.NDArray[np.float32]:
        """(L,): gradient-weighted attention of each layer, mean over heads, on these cells."""
        chosen = np.zeros(self.grids[image], np.bool_)
        for row, col in cells:
            chosen[row, col] = True
        start, stop = self.image_spans[image]
        on_image = self.weighted[:, :, start:stop].mean(1)
        sums: npt.NDArray[np.float32] = on_image[:, chosen.ravel()].sum(-1)
        return sums

    def layer_shares_of_cells(
        self, cells: list[tuple[int, int]], image: int = -1
    ) -> npt.NDArray[np.float32]:
        """(L,): what each layer read on these cells, of what all of them read there."""
        sums = self.layers_on_cells(cells, image)
        whole = float(sums.sum())
        return sums / whole if whole > 0 else sums

    @property
    def _on_images(self) -> npt.NDArray[np.intp]:
        return np.concatenate([np.arange(*span) for span in self.image_spans])

    def _picture(self, row: npt.NDArray[np.float32], image: int) -> npt.NDArray[np.float32]:
        return row[slice(*self.image_spans[image])].reshape(self.grids[image]).copy()


def view_steps(
    current: Callable[[], VisionLanguageModel],
    answer: Answer,
    target: Target,
    check: Check,
    progress: Progress,
) -> Generator[None, None, LayerView]:
    """Walk back once for each of the target's tokens; yields between them."""
    sums: list[npt.NDArray[np.float64]] = []
    count = len(target.parts)
    for place, one in enumerate(target.parts):
        if place:
            yield
        model = current()
        logit = logit_target(answer, one)
        with model.lock:
            walk = walk_layers(replay_answer(model, answer, check), logit, check)
        parts = [
            part.numpy().astype(np.float64)
            for part in (walk.attention, walk.weighted, walk.gathered)
        ]
        sums = [a + b for a, b in zip(sums, parts, strict=True)] if sums else parts
        progress(place + 1, count)
    means = ((part / count).astype(np.float32) for part in sums)
    return view_of(current(), answer, target, *means)


def view_of(
    model: VisionLanguageModel, answer: Answer, target: Target, *arrays: npt.NDArray[np.float32]
) -> LayerView:
    """The view that these arrays make: attention, weighted and gathered of `LayerView`."""
    attention, weighted, gathered = arrays
    return LayerView(
        answer_key=answer.key,
        target=target,
        image_spans=answer.image_spans,
        grids=tuple(image.grid for image in answer.images),
        is_global=tuple(layer.is_global for layer in model.layout.layers),
        attention=attention,
        weighted=weighted,
        gathered=gathered,
    )


def attention_of(
    model: VisionLanguageModel, answer: Answer, position: int, check: Check
) -> npt.NDArray[np.float32]:
    """Attention of one position of the sequence to every other, float32 (L, H, S)."""
    with model.lock:
        replay = replay_answer(model, answer, check)
        place = torch.tensor([position], device=replay.final.device)
        rows = [attention_weights(one, place)[:, 0].cpu() for one in replay.attention_records()]
    attention: npt.NDArray[np.float32] = torch.stack(rows).numpy()
    return attention


def layer_view(model: VisionLanguageModel, answer: Answer, target: Target) -> LayerView:
    """The view at once; see `LayerView`."""
    return finish(
        view_steps(lambda: model, answer, target, lambda: None, lambda _done, _total: None)
    )
