"""Chefer relevance with every layer's matrix row-normalised."""

from collections.abc import Sequence
from dataclasses import dataclass

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import SPAN, unroll
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.replay import Replay


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
        controls=(SPAN,),
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
        return Rows(unroll(replay, answer, targets, normalised=True, check=check))


METHOD = CheferNormalized()
