"""Random numbers over the image: a control."""

from dataclasses import dataclass

import numpy as np
import torch

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import NoOptions
from medgemma_dash.methods.specification import MethodSpec


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

    def rows(self, call: Call[NoOptions]) -> Relevance:
        """See `Method.rows`."""
        call.at()
        # Seeded by the answer and the token: repeatable, and another for every word.
        seeds = [[int(call.answer.key, 16), target.token_indices[0]] for target in call.targets]
        noise = [np.random.default_rng(seed).random(len(call.cells)) for seed in seeds]
        return call.relevance(call.on_images(torch.from_numpy(np.stack(noise))))


METHOD = RandomMap()
