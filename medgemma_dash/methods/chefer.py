"""Chefer relevance: gradient-weighted attention, unrolled over all decoder layers."""

from collections.abc import Sequence
from dataclasses import dataclass

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import HEADS, SPAN, unroll
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.replay import Replay


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
        controls=(HEADS, SPAN),
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
        return Rows(unroll(replay, answer, targets, heads=dict(settings)["heads"], check=check))


METHOD = Chefer()
