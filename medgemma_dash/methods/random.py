"""Random numbers over the image: a control."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.replay import Replay


@dataclass(frozen=True)
class RandomMap:
    """Independent uniform noise on the soft tokens."""

    spec = MethodSpec(
        name="random",
        title="Random map (control)",
        card="A control, not an explanation, and never shown in place of a method that found "
        "nothing. It knows nothing of the model or the picture: every word gets its own noise, the "
        "same each time. A map that scores no better than this one on a test has shown nothing.",
        formula=r"r_i \sim U(0, 1),\quad i \in V",
        source="No paper: a control that figures stand beside",
        cost="0",
        needs="nothing",
        family="control",
        signed=False,
        contrastive=False,
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
        for row, target in zip(relevance, targets, strict=True):
            # Seeded by the answer and the token: repeatable, and another for every word.
            generator = np.random.default_rng([int(answer.key, 16), target.token_indices[0]])
            row[start:stop] = torch.from_numpy(generator.random(stop - start))
        return Rows(relevance)


METHOD = RandomMap()
