"""Chefer relevance the way tutorials compute it: the yardstick for the streaming engine.

Eager attention, every map of every layer kept with its gradient, parameter gradients
accumulated by `.backward(retain_graph=True)` as in the authors' published code, and full S x S
products for all rows when one is wanted.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.plain_forward import plain_logit
from medgemma_dash.services.costs.workload import Workload


@dataclass
class Textbook:
    """One forward with all maps kept; `click` may follow once."""

    maps: tuple[Tensor, ...]
    z: Tensor

    def click(self, row: int) -> Float[Tensor, " sequence"]:
        """Backward into maps and parameters, then R <- R + A_bar R over all rows."""
        for A in self.maps:
            A.retain_grad()
        self.z.backward(retain_graph=True)
        R = torch.eye(self.maps[0].shape[-1], device=self.z.device)
        for A in self.maps:
            assert A.grad is not None  # noqa: S101  retained above
            A_bar = (A.grad[0].float() * A[0].detach().float()).clamp(min=0).mean(0)
            R = R + A_bar @ R
        return R[row]


def textbook_forward(work: Workload) -> Textbook:
    """The eager forward, inside `textbook_mode`."""
    z, maps = plain_logit(
        work.model, work.embeddings, work.token_types, work.row, work.token, attentions=True
    )
    return Textbook(maps, z)
