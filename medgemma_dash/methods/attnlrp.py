"""AttnLRP: layer-wise relevance propagation for transformers, in its gradient form.

Achtibat et al., "AttnLRP: Attention-Aware Layer-wise Relevance Propagation for Transformers",
ICML 2024. With relevance R = x * g at every tensor x, each rule is a change to how the gradient g
passes a module; no module's output changes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import logit_target
from medgemma_dash.methods.input_contributions import LINEAR_SPAN, contributions, without_self
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.layer_piece import LayerPiece
from medgemma_dash.models.replay import Replay

Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class AttnLRP:
    """The efficient form: one modified backward pass."""

    spec = MethodSpec(
        name="attnlrp",
        title="AttnLRP",
        card="Hands the logit back through every layer by fixed rules, so that noise in the "
        "gradients of norms and activations does not build up. It keeps the sign: negative means "
        "evidence against the word. Distrust small differences: part of what is handed back stays "
        "in the attention's softmax and reaches no input. Layer-wise relevance propagation is "
        "patented; check whether you need a licence before any commercial use.",
        formula=r"r_i = \sum_d h_{i,d}\,\frac{\tilde\partial z}{\partial h_{i,d}},\quad"
        r"\tilde\partial:\ \frac{x}{[\mathrm{rms}(x)]},\ \Big[\frac{f(x)}{x}\Big]x,\ "
        r"\tfrac12\,(a \odot b),\ \tfrac14 q,\ \tfrac14 k,\ \tfrac12 v,\quad"
        r"[\cdot]\ \mathrm{held\ fixed}",
        source="Achtibat et al., ICML 2024, equations 7 to 9 and propositions 3.1 to 3.4, "
        "https://arxiv.org/abs/2402.05602",
        cost="1 F + 1 B",
        needs="a gradient through the decoder, by rules of its own",
        family="gradient",
        signed=True,
        contrastive=True,
        controls=(LINEAR_SPAN,),
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
        logits = [logit_target(answer, target) for target in targets]
        with relevance_rules(replay.model):
            gradients = _without_graph(replay).backward(logits, lambda _layer: None, check)
        h = replay.pieces[0].input[0].detach()
        return Rows(without_self(contributions(h, gradients), logits))


METHOD = AttnLRP()


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


def _without_graph(replay: Replay) -> Replay:
    """The same replay, whose layers are recomputed in the backward pass under what rules hold."""
    pieces = [LayerPiece(piece.layer, piece.input, piece.arguments) for piece in replay.pieces]
    pieces[-1].output = replay.final.unsqueeze(0)
    return Replay(replay.model, pieces, graph_bytes=0)


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
