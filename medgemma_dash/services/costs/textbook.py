"""Chefer relevance the way tutorials compute it: the yardstick for the streaming engine.

Eager attention, every map of every layer kept with its gradient, parameter gradients
accumulated by `.backward(retain_graph=True)` as in the authors' published code, and full S x S
products for all rows when one is wanted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models import VisionLanguageModel
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


@contextmanager
def textbook_mode(model: VisionLanguageModel) -> Iterator[None]:
    """Eager attention and parameters that gather gradients; both are undone at the end."""
    hf_model = model.hf_model
    before = hf_model.config.text_config._attn_implementation  # noqa: SLF001  no public getter
    hf_model.config.text_config._attn_implementation = "eager"  # noqa: SLF001
    decoder = hf_model.model.language_model
    decoder.requires_grad_(True)
    try:
        yield
    finally:
        decoder.requires_grad_(False)
        for parameter in decoder.parameters():
            parameter.grad = None
        hf_model.config.text_config._attn_implementation = before  # noqa: SLF001


def textbook_forward(work: Workload) -> Textbook:
    """The eager forward, inside `textbook_mode`."""
    output = work.model.hf_model.model(
        inputs_embeds=work.embeddings,
        token_type_ids=work.token_types,
        use_cache=False,
        output_attentions=True,
    )
    z = work.model.hf_model.lm_head(output.last_hidden_state[:, work.row])[0, work.token]
    return Textbook(output.attentions, z)
