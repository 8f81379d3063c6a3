"""Looks into layers and heads as tasks. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.target import Target
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.services.layers.view import LayerView

LAYERS, ATTENTION = "layers", "attention"


def layers_task(answer: Answer, target: Target) -> Task[LayerView]:
    """See what every layer and head did at the target."""

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, LayerView]:
        from medgemma_dash.services.layers.view import view_steps

        return view_steps(current, answer, target, context.check, context.progress)

    return Task("Looking into the layers", LAYERS, work, in_steps=True)


def attention_task(answer: Answer, position: int) -> Task[npt.NDArray[np.float32]]:
    """Attention of one position to every other, (L, H, S)."""

    def work(current: CurrentModel, context: JobContext) -> npt.NDArray[np.float32]:
        from medgemma_dash.services.layers.view import attention_of

        return attention_of(current(), answer, position, context.check)

    return Task("Reading attention", ATTENTION, work)
