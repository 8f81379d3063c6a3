"""Input times gradient: how the logit changes as an input is scaled."""

from collections.abc import Sequence
from dataclasses import dataclass

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import logit_target
from medgemma_dash.methods.input_contributions import LINEAR_SPAN, contributions, without_self
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.replay import Replay


@dataclass(frozen=True)
class InputXGradient:
    """The first-order term of the logit at the input embeddings."""

    spec = MethodSpec(
        name="input_x_gradient",
        title="Input x gradient",
        card="How fast the logit would rise if one input were made a little stronger. A cheap "
        "baseline that keeps the sign: negative means evidence against the word. Distrust single "
        "cells: gradients of a deep model are noisy, and since every layer first brings its inputs "
        "to one length, much of what an input does is not seen by making it stronger.",
        formula=r"r_i = \sum_d h_{i,d}\,\frac{\partial z}{\partial h_{i,d}}",
        source="Shrikumar, Greenside, Shcherbina, Kundaje, 2016, https://arxiv.org/abs/1605.01713",
        cost="1 B",
        needs="a gradient through the decoder",
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
        gradients = replay.backward(logits, lambda _layer: None, check)
        h = replay.pieces[0].input[0].detach()
        return Rows(without_self(contributions(h, gradients), logits))


METHOD = InputXGradient()
