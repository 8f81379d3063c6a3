"""AttnLRP: layer-wise relevance propagation for transformers, in its gradient form."""

from dataclasses import dataclass

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.input_contributions import LINEAR_SPAN, contributions
from medgemma_dash.methods.options import WordsOptions
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.relevance_rules import relevance_rules


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
        options=(LINEAR_SPAN,),
        options_type=WordsOptions,
    )

    def rows(self, call: Call[WordsOptions]) -> Relevance:
        """See `Method.rows`."""
        with relevance_rules(call.model):
            replay = call.replay.recomputing()
            gradients = replay.backward(call.logits, lambda _layer: None, call.check)
        return call.relevance(contributions(call.replay.embeddings, gradients))


METHOD = AttnLRP()
