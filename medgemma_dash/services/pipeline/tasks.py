"""The way to one token's map as a task. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

if TYPE_CHECKING:
    from medgemma_dash.services.pipeline.view import PipelineView

PIPELINE = "pipeline"


def pipeline_task(store: RelevanceStore, target: Target, place: int = 0) -> Task[PipelineView]:
    """Go the way to the map of one of the target's tokens, and make every mistake beside it."""

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, PipelineView]:
        from medgemma_dash.services.pipeline.run import pipeline_steps

        return pipeline_steps(current, store, target, place, context)

    return Task("Going through the steps", PIPELINE, work, in_steps=True)
