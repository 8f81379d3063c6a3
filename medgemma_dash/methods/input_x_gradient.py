"""Input times gradient: how the logit changes as an input is scaled."""

from dataclasses import dataclass

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.input_contributions import LINEAR_SPAN, contributions
from medgemma_dash.methods.options import WordsOptions
from medgemma_dash.methods.specification import MethodSpec


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
        options=(LINEAR_SPAN,),
        options_type=WordsOptions,
    )

    def rows(self, call: Call[WordsOptions]) -> Relevance:
        """See `Method.rows`."""
        gradients = call.replay.backward(call.logits, lambda _layer: None, call.check)
        return call.relevance(contributions(call.replay.embeddings, gradients))


METHOD = InputXGradient()
