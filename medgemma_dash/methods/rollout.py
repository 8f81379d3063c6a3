"""Attention rollout: attention and residual connections, chained over all layers."""

from dataclasses import dataclass

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import NoOptions
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.attention import attention_weights
from medgemma_dash.models.streaming_backward import block_rows


@dataclass(frozen=True)
class Rollout:
    """Row p-1 of the product of (A/2 + I/2) over the layers, heads averaged."""

    spec = MethodSpec(
        name="rollout",
        title="Attention rollout",
        card="Follows attention back through all layers, with half of every step staying in "
        "place. It shows which inputs could reach the word at all, by way of other words too. "
        "Distrust fine differences: it knows nothing of the logit, cannot tell what spoke for the "
        "word from what spoke against it, and is blurred in deep models.",
        formula=r"r = e_{p-1}\,\tilde{A}_L \cdots \tilde{A}_1,\quad "
        r"\tilde{A}_l = \tfrac{1}{2}\,\frac{1}{H}\sum_h A_{l,h} + \tfrac{1}{2} I",
        source="Abnar, Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, "
        "section 3, attention rollout, https://arxiv.org/abs/2005.00928",
        cost="0",
        needs="the decoder's attention",
        family="attention",
        signed=False,
        contrastive=False,
    )

    def rows(self, call: Call[NoOptions]) -> Relevance:
        """See `Method.rows`."""
        predicting, r = call.predicting, call.zeros()
        r[range(len(predicting)), predicting] = 1
        # Nothing that the targets see looks past the last of them.
        stop = max(predicting) + 1
        for record in call.replay.attention_records(reversed(range(len(call.replay.pieces)))):
            call.at()
            after, step = r / 2, block_rows(record.q)
            for start in range(0, stop, step):
                block = slice(start, min(start + step, stop))
                if bool(r[:, block].any()):
                    after += r[:, block] / 2 @ attention_weights(record, block).mean(0)
            r = after
        return call.relevance(r)


METHOD = Rollout()
