"""Chefer relevance with every layer's matrix row-normalised."""

from dataclasses import dataclass

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.chefer_rules import SPAN, unroll
from medgemma_dash.methods.options import WordsOptions
from medgemma_dash.methods.specification import MethodSpec


@dataclass(frozen=True)
class CheferNormalized:
    """Each layer passes half of a position's relevance on and keeps half of it."""

    spec = MethodSpec(
        name="chefer_normalized",
        title="Chefer, normalised",
        card="Chefer with each layer's rows scaled to sum to one, so that every layer counts alike "
        "whatever the size of its gradients, and the whole row sums to one. Good when a few layers "
        "drown the others. Distrust it where gradients are near zero: a row of noise is scaled up "
        "to count as much as a row of evidence.",
        formula=r"\hat{A}_l = \tfrac{1}{2}\left(\mathrm{rownorm}(\bar{A}_l) + I\right),"
        r"\quad r \leftarrow r\,\hat{A}_l,\ l = L, \dots, 1,\quad r_0 = e_{p-1}",
        source="MedGemma Explainer tutorial, section 7, after Chefer, Gur, Wolf, ICCV 2021, "
        "https://arxiv.org/abs/2103.15679",
        cost="1 B",
        needs="a gradient through the decoder, and its attention",
        family="gradient",
        signed=False,
        contrastive=True,
        options=(SPAN,),
        options_type=WordsOptions,
    )

    def rows(self, call: Call[WordsOptions]) -> Relevance:
        """See `Method.rows`."""
        return call.relevance(unroll(call.replay, call.logits, normalised=True, check=call.check))


METHOD = CheferNormalized()
