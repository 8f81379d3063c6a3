"""Several dialogues about one picture in one sequence, each blind to the others.

The picture is most of a sequence (256 of about 310 positions) and, standing before the text, it
does not depend on it. So it is computed once and every dialogue is appended to it, with positions
that start again after the picture and a mask that lets it see the picture and itself only. What
each dialogue computes is exactly what the model computes for it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from medgemma_dash.demo.dialogues import Dialogue
from medgemma_dash.demo.tokenizer import (
    BOS,
    END_OF_IMAGE,
    END_OF_TURN,
    IMAGE_SOFT_TOKEN,
    IMAGE_TOKENS,
    PAD,
    START_OF_IMAGE,
    START_OF_TURN,
)

_NO_LOSS = -100


@dataclass(frozen=True)
class PackedBatch:
    """Padded sequences; `labels` stand where they are predicted, -100 where nothing is learnt."""

    input_ids: Int[Tensor, "batch length"]
    positions: Int[Tensor, "batch length"]
    labels: Int[Tensor, "batch length"]
    visible: Bool[Tensor, "batch 1 length length"]
    image_start: int


class Packer:
    """Turns dialogues into padded sequences with this tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        soft = IMAGE_SOFT_TOKEN * IMAGE_TOKENS
        self._prefix = self._encode(
            f"{BOS}{START_OF_TURN}user\n\n\n{START_OF_IMAGE}{soft}{END_OF_IMAGE}"
        )
        self._turn = self._encode(f"{END_OF_TURN}\n{START_OF_TURN}model\n")
        self._stop = self._encode(END_OF_TURN)
        self._pad = int(tokenizer.convert_tokens_to_ids(PAD))
        self.image_start = self._prefix.index(
            int(tokenizer.convert_tokens_to_ids(IMAGE_SOFT_TOKEN))
        )

    def pack(
        self, pictures: Sequence[Sequence[Dialogue]], length: int | None = None
    ) -> PackedBatch:
        """Pack the dialogues of each picture.

        With a length, every sequence has just that length, and the dialogues that no longer fit
        are left out: one shape for all batches is what lets the layers be compiled once.
        """
        rows = [self._pack_one(dialogues, length) for dialogues in pictures]
        length = length or max(len(row[0]) for row in rows)
        size = len(rows)
        ids = np.full((size, length), self._pad, np.int64)
        positions = np.zeros((size, length), np.int64)
        labels = np.full((size, length), _NO_LOSS, np.int64)
        segments = np.full((size, length), -1, np.int64)
        for number, (row_ids, row_positions, row_labels, row_segments) in enumerate(rows):
            stop = len(row_ids)
            ids[number, :stop], positions[number, :stop] = row_ids, row_positions
            labels[number, :stop], segments[number, :stop] = row_labels, row_segments
        return PackedBatch(
            input_ids=torch.from_numpy(ids),
            positions=torch.from_numpy(positions),
            labels=torch.from_numpy(labels),
            visible=self._visible(torch.from_numpy(segments)),
            image_start=self.image_start,
        )

    def _pack_one(
        self, dialogues: Sequence[Dialogue], length: int | None
    ) -> tuple[list[int], list[int], list[int], list[int]]:
        start = len(self._prefix)
        ids, positions = list(self._prefix), list(range(start))
        labels, segments = [_NO_LOSS] * start, [0] * start
        for number, dialogue in enumerate(dialogues, start=1):
            prompt = [*self._question_ids(dialogue.question.text), *self._turn]
            answer = [*self._encode(dialogue.answer), *self._stop]
            if length is not None and len(ids) + len(prompt) + len(answer) > length:
                break
            # A label stands one place before its token; the stop's own place predicts nothing.
            labels += [_NO_LOSS] * (len(prompt) - 1) + answer + [_NO_LOSS]
            ids += prompt + answer
            positions += range(start, start + len(prompt) + len(answer))
            segments += [number] * (len(prompt) + len(answer))
        return ids, positions, labels, segments

    def _visible(self, segments: Int[Tensor, "batch length"]) -> Tensor:
        length = segments.shape[1]
        place = torch.arange(length)
        causal = place[:, None] >= place[None, :]
        image = (place >= self.image_start) & (place < self.image_start + IMAGE_TOKENS)
        order = causal | (image[:, None] & image[None, :])
        query, key = segments[:, :, None], segments[:, None, :]
        # Padding sees the first token, so that no row of the softmax is empty.
        visible = order & ((key == 0) | (key == query)) & (key >= 0)
        return visible.unsqueeze(1)

    def _question_ids(self, question: str) -> list[int]:
        # The line breaks belong to the question: byte-level BPE splits them by what follows.
        return self._encode(f"\n\n{question.strip()}")

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)
