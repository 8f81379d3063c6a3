"""What a method is called with, and what methods share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, tell
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.logit_target import LogitTarget, LogitTerm
from medgemma_dash.models.replay import Replay

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, eq=False)
class Call(Generic[OptionsT]):
    """Targets of one answer, with the replay at hand and the method's own options, typed.

    An answer may be about several images. Their soft tokens together, image after image in the
    answer's order and row by row, are "the cells" here.
    """

    replay: Replay
    answer: Answer
    targets: Sequence[Target]
    options: OptionsT
    check: Check | None = None

    @property
    def model(self) -> VisionLanguageModel:
        """The replay's model."""
        return self.replay.model

    @property
    def device(self) -> torch.device:
        """Where the replay is."""
        return self.replay.final.device

    @cached_property
    def logits(self) -> tuple[LogitTarget, ...]:
        """What is differentiated for each target."""
        return tuple(logit_target(self.answer, target) for target in self.targets)

    @property
    def predicting(self) -> list[int]:
        """Position p-1 of each target; raises ValueError for a target of several words."""
        if any(len(logit.rows) > 1 for logit in self.logits):
            raise ValueError("This method explains words one by one.")
        return [logit.rows[0] for logit in self.logits]

    @cached_property
    def cells(self) -> Int[Tensor, " cells"]:
        """Positions of all cells in the sequence."""
        spans = [torch.arange(*image.span) for image in self.answer.images]
        return torch.cat(spans).to(self.device)

    @property
    def cells_of_images(self) -> list[slice]:
        """Each image's share of the cells."""
        stops = np.cumsum([rows * cols for rows, cols in self.grids]).tolist()
        return [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]

    @property
    def grids(self) -> list[tuple[int, int]]:
        """(rows, cols) of each image's cells."""
        return [image.grid for image in self.answer.images]

    def soft_tokens(self) -> Float[Tensor, "cells hidden"]:
        """The cells' embeddings, float32."""
        return self.replay.embeddings[self.cells].float()

    def mean_soft_tokens(self) -> Float[Tensor, "cells hidden"]:
        """For each cell the mean soft token of its image, float32."""
        h = self.soft_tokens()
        means = [h[part].mean(0, keepdim=True).expand_as(h[part]) for part in self.cells_of_images]
        return torch.cat(means)

    def at(self) -> None:
        """Let the caller stop the work here."""
        if self.check is not None:
            self.check()

    def tell(self, done: int, total: int) -> None:
        """Say how many of the method's runs are done, to a caller that listens."""
        tell(self.check, done, total)

    def zeros(self) -> Float[Tensor, "targets sequence"]:
        """Rows with nothing in them, on the replay's device."""
        return torch.zeros(len(self.targets), self.replay.sequence, device=self.device)

    def on_images(
        self, values: Float[Tensor, "targets cells"]
    ) -> Float[Tensor, "targets sequence"]:
        """Rows with these values on the cells, and nothing elsewhere."""
        rows = self.zeros()
        rows[:, self.cells] = values.to(rows)
        return rows

    def relevance(
        self,
        rows: Float[Tensor, "targets sequence"],
        *,
        gaps: Sequence[float] | None = None,
        fine: Sequence[Float[Tensor, "targets patch_rows patch_cols"]] = (),
    ) -> Relevance:
        """What the method found, on the processor.

        Predicting positions (self-relevance), and all from the last of them on, are made zero.
        """
        rows = rows.cpu()
        for row, logit in zip(rows, self.logits, strict=True):
            row[list(logit.rows)] = 0
            row[logit.rows[-1] :] = 0
        return Relevance(
            rows.numpy(),
            gaps=None if gaps is None else np.array(gaps, np.float32),
            fine=tuple(one.cpu().numpy() for one in fine),
        )


def logit_target(answer: Answer, target: Target) -> LogitTarget:
    """The scalar to differentiate.

    The target's logits summed; with `against` one logit less another; of a margin one logsumexp
    less another, where the answer's first token was chosen.
    """
    if target.margin is not None:
        row = answer.prompt_length - 1
        yes, no = target.margin.yes_ids, target.margin.no_ids
        return LogitTarget((LogitTerm(row, yes, 1.0), LogitTerm(row, no, -1.0)))
    terms = []
    for index in target.token_indices:
        token = answer.tokens[index]
        terms.append(LogitTerm(token.position - 1, (token.id,), 1.0))
        if target.against is not None:
            terms.append(LogitTerm(token.position - 1, (target.against.id,), -1.0))
    return LogitTarget(tuple(terms))
