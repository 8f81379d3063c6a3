"""Chefer relevance over the global layers only: an ablation."""

from collections.abc import Sequence
from dataclasses import dataclass

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import SPAN, unroll
from medgemma_dash.methods.specification import Control, MethodSpec, Rows
from medgemma_dash.models.replay import Replay

FORM = Control("form", "Form", ("plain", "normalised"), "As in Chefer, or with normalised rows.")


@dataclass(frozen=True)
class CheferGlobal:
    """The gradient flows through every layer, but only global layers are folded in."""

    spec = MethodSpec(
        name="chefer_global",
        title="Chefer, global layers (ablation)",
        card="Chefer with the sliding-window layers left out of the chain. An ablation, not a "
        "better map: below the window every layer sees the whole image, so leaving layers out "
        "only shows what they had carried.",
        formula=r"r \leftarrow r + r\,\bar{A}_l,\quad l \in \mathrm{global\ layers},"
        r"\ \mathrm{last\ first},\quad r_0 = e_{p-1}",
        source="MedGemma Explainer tutorial, after Chefer, Gur, Wolf, ICCV 2021, "
        "https://arxiv.org/abs/2103.15679",
        cost="1 B",
        needs="a gradient through the decoder, its attention, and a global layer",
        family="gradient",
        signed=False,
        contrastive=True,
        controls=(FORM, SPAN),
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
        chosen = dict(settings)
        layers = replay.model.layout.layers
        return Rows(
            unroll(
                replay,
                answer,
                targets,
                normalised=chosen["form"] == "normalised",
                includes=lambda index: layers[index].is_global,
                check=check,
            )
        )


METHOD = CheferGlobal()
