"""AttnLRP's rules for the decoder: how a gradient passes a module, with no output changed.

Achtibat et al., "AttnLRP: Attention-Aware Layer-wise Relevance Propagation for Transformers",
ICML 2024. With relevance R = x * g at every tensor x, each rule is a change to how the gradient g
passes a module.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel

Forward = Callable[[Tensor], Tensor]


@contextmanager
def relevance_rules(model: VisionLanguageModel) -> Iterator[None]:
    """Graphs built inside pass relevance by AttnLRP's rules; the model is restored at the end."""
    decoder = model.hf_model.model.language_model
    with ExitStack() as stack:
        stack.enter_context(_replaced(decoder.norm, _norm_held(decoder.norm)))
        for layer in decoder.layers:
            attention, mlp = layer.self_attn, layer.mlp
            rules: list[tuple[Any, Forward]] = [
                (norm, _norm_held(norm))
                for norm in (
                    layer.input_layernorm,
                    layer.post_attention_layernorm,
                    layer.pre_feedforward_layernorm,
                    layer.post_feedforward_layernorm,
                )
            ]
            # A product shares its relevance evenly: a half to v and a half to A, and of that a
            # quarter each to q and k. The rotation between the norms and the product is linear.
            rules += [
                (attention.q_norm, _share(_norm_held(attention.q_norm), 1 / 4)),
                (attention.k_norm, _share(_norm_held(attention.k_norm), 1 / 4)),
                (attention.v_proj, _share(attention.v_proj.forward, 1 / 2)),
                (mlp.act_fn, _slope_held(mlp.act_fn.forward)),
                # The product of gate and up, halved behind the linear map that follows it.
                (mlp.down_proj, _share(mlp.down_proj.forward, 1 / 2)),
            ]
            for module, forward in rules:
                stack.enter_context(_replaced(module, forward))
        yield


@contextmanager
def _replaced(module: Any, forward: Forward) -> Iterator[None]:
    """One module's forward, on this module alone; one that was set there before comes back."""
    before = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


def _norm_held(norm: Any) -> Forward:
    """Gemma's RMSNorm, linear in x: its scale is a constant to the backward pass."""

    def forward(x: Tensor) -> Tensor:
        wide = x.float()
        scale = torch.rsqrt(wide.detach().pow(2).mean(-1, keepdim=True) + norm.eps)
        output: Tensor = wide * scale * (1 + norm.weight.float())
        return output.type_as(x)

    return forward


def _slope_held(activation: Forward) -> Forward:
    """f(x) as the line from the origin: the backward pass sees f(x) / x."""

    def forward(x: Tensor) -> Tensor:
        held = x.detach()
        value = activation(held)
        # 0 / 0 is the slope at 0, which is one half for GELU and SiLU.
        slope = (value.float() / held.float()).nan_to_num(0.5)
        return value + (slope * (x - held)).type_as(x)

    return forward


def _share(forward: Forward, share: float) -> Forward:
    """The same output, exactly; `share` of its gradient."""

    def shared(x: Tensor) -> Tensor:
        output = forward(x)
        return output.detach().lerp(output, share)

    return shared
