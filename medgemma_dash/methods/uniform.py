"""The same relevance everywhere: a control."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.replay import Replay


@dataclass(frozen=True)
class UniformMap:
    """An equal share for every soft token."""

    spec = MethodSpec(
        name="uniform",
        title="Uniform map (control)",
        card="A control, not an explanation, and never shown in place of a method that found "
        "nothing. Every place of the picture has the same share, for every word. It shows what a "
        "measure of map quality says of a map that says nothing.",
        formula=r"r_i = 1 / |V|,\quad i \in V",
        source="No paper: a control that figures stand beside",
        cost="0",
        needs="nothing",
        family="control",
        signed=False,
        contrastive=False,
        per_token=False,
    )

    def rows(
        self,
        replay: Replay,
        answer: Answer,
        targets: Sequence[Target],
        settings: tuple[tuple[str, str], ...],
        check: Check | None = None,
    ) -> Rows:
        """See `Method.rows`."""
        if check is not None:
            check()
        start, stop = answer.image_span
        relevance = torch.zeros(len(targets), replay.sequence)
        relevance[:, start:stop] = 1 / (stop - start)
        return Rows(relevance)


METHOD = UniformMap()
