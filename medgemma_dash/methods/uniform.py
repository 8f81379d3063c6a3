"""The same relevance everywhere: a control."""

from dataclasses import dataclass

import torch

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import NoOptions
from medgemma_dash.methods.specification import MethodSpec


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

    def rows(self, call: Call[NoOptions]) -> Relevance:
        """See `Method.rows`."""
        call.at()
        share = torch.full((len(call.targets), len(call.cells)), 1 / len(call.cells))
        return call.relevance(call.on_images(share))


METHOD = UniformMap()
