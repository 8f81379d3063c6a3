"""Chefer relevance: gradient-weighted attention, unrolled over all decoder layers."""

from dataclasses import dataclass

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.chefer_rules import HEADS, SPAN, Heads, unroll
from medgemma_dash.methods.options import SeveralWords
from medgemma_dash.methods.specification import MethodSpec


@dataclass(frozen=True)
class CheferOptions:
    """How heads are combined, and what becomes of several words."""

    heads: Heads = "mean"
    words: SeveralWords = "mean of maps"


@dataclass(frozen=True)
class Chefer:
    """ICCV 2021, equations 5 and 6."""

    spec = MethodSpec(
        name="chefer",
        title="Chefer",
        card="Attention that also moves the logit: each layer's attention is weighted by its "
        "gradient, negative parts are dropped, and the layers are chained. The first choice for "
        "the question why this word. Distrust it when most of the relevance sits on one cell for "
        "every word (an attention sink), and remember that evidence against a word is cut off.",
        formula=r"\bar{A}_l = \frac{1}{H}\sum_h (\nabla A_{l,h} \odot A_{l,h})^+,"
        r"\quad r \leftarrow r + r\,\bar{A}_l,\ l = L, \dots, 1,\quad r_0 = e_{p-1}",
        source="Chefer, Gur, Wolf, ICCV 2021, equations 5 and 6, https://arxiv.org/abs/2103.15679",
        cost="1 B",
        needs="a gradient through the decoder, and its attention",
        family="gradient",
        signed=False,
        contrastive=True,
        options=(HEADS, SPAN),
        options_type=CheferOptions,
    )

    def rows(self, call: Call[CheferOptions]) -> Relevance:
        """See `Method.rows`."""
        return call.relevance(
            unroll(call.replay, call.logits, heads=call.options.heads, check=call.check)
        )


METHOD = Chefer()
