"""Chefer relevance over the global layers only: an ablation."""

from dataclasses import dataclass
from typing import Literal

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.chefer_rules import SPAN, unroll
from medgemma_dash.methods.options import Option, SeveralWords
from medgemma_dash.methods.specification import MethodSpec

FORM = Option("form", "Form", ("plain", "normalised"), "As in Chefer, or with normalised rows.")


@dataclass(frozen=True)
class CheferGlobalOptions:
    """Whether rows are normalised, and what becomes of several words."""

    form: Literal["plain", "normalised"] = "plain"
    words: SeveralWords = "mean of maps"


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
        options=(FORM, SPAN),
        options_type=CheferGlobalOptions,
    )

    def rows(self, call: Call[CheferGlobalOptions]) -> Relevance:
        """See `Method.rows`."""
        layers = call.model.layout.layers
        rows = unroll(
            call.replay,
            call.logits,
            normalised=call.options.form == "normalised",
            includes=lambda index: layers[index].is_global,
            check=call.check,
        )
        return call.relevance(rows)


METHOD = CheferGlobal()
