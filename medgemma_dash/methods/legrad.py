"""LeGrad: how each layer's attention would raise the logit, read out at that layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import Option, SeveralWords
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.attention import attention_gradients
from medgemma_dash.models.logit_target import LogitTarget, normed, read_terms
from medgemma_dash.models.replay import replay_mode

Form = Literal["layer readouts", "final logit"]

FORM = Option(
    "form",
    "Gradient of",
    ("layer readouts", "final logit"),
    "Each layer's output is read out as if it were the last (the paper), or the gradient of the "
    "model's own logit runs back through all layers.",
)
SPAN = Option(
    "words",
    "Several words",
    ("mean of maps", "summed logits"),
    "A phrase is the mean of its tokens' maps, or one gradient of the sum of their logits, read at "
    "all positions that predict them. Those positions themselves then carry no relevance; beyond "
    "that the two differ with the final logit alone, where an earlier word's position serves a "
    "later word as well.",
)


@dataclass(frozen=True)
class LeGradOptions:
    """Which gradient, and what becomes of several words."""

    form: Form = "layer readouts"
    words: SeveralWords = "mean of maps"


@dataclass(frozen=True)
class LeGrad:
    """Row p-1 of the positive gradient by the attention, summed over layers."""

    spec = MethodSpec(
        name="legrad",
        title="LeGrad",
        card="Where more attention would raise the word's logit, judged in every layer by what "
        "that layer alone would say. Read its peaks and distrust its breadth: it tells what "
        "attention at a place would do, not what it did, so places that got none score as well, "
        "and where the image tokens' values are much alike the map is nearly even. The early "
        "layers' readouts mean little.",
        formula=r"r = \sum_l \frac{1}{H}\sum_h"
        r"\left(\frac{\partial s_l}{\partial A_{l,h}}\right)^{\!+}[p-1,\,\cdot\,],\quad "
        r"s_l = \left\langle w_t,\ \mathrm{norm}(x_l[p-1])\right\rangle",
        source="Bousselham et al., LeGrad, ICCV 2025, https://arxiv.org/abs/2404.03214; read out "
        "through the decoder's final norm and unembedding",
        cost="far below 1 B; 1 B from the final logit",
        needs="a gradient through a few rows of each layer",
        family="gradient",
        signed=False,
        contrastive=True,
        options=(FORM, SPAN),
        options_type=LeGradOptions,
    )

    def rows(self, call: Call[LeGradOptions]) -> Relevance:
        """See `Method.rows`."""
        with replay_mode(call.model):
            if call.options.form == "layer readouts":
                return call.relevance(_readouts(call))
            gradients = PositiveGradients(call.logits, call.zeros())
            call.replay.show_attention(call.logits, lambda _layer: gradients, call.check)
            return call.relevance(gradients.found)


@dataclass(frozen=True)
class PositiveGradients:
    """Adds mean_h dA^+ of each target's own rows, their mean, to `found`, block by block."""

    logits: Sequence[LogitTarget]
    found: Float[Tensor, "targets sequence"]

    def visit(
        self, target: int, rows: slice, keys: slice, A: Tensor, dA_A: Tensor, dA: Tensor
    ) -> None:
        """See `BlockVisitor.visit`."""
        own = self.logits[target].rows
        for place in own:
            if rows.start <= place < rows.stop:
                row = place - rows.start
                positive = dA[:, row].clamp_min(0) * (A[:, row] > 0)
                self.found[target, keys] += positive.mean(0) / len(own)


def _readouts(call: Call[LeGradOptions]) -> Float[Tensor, "targets sequence"]:
    """Sum over layers l of mean_h (ds_l/dA_l)^+ at the predicting rows, their mean.

    s_l depends on layer l's attention through the predicting rows alone, and on each of them
    through its own terms, so only these rows of each layer run again, for all targets at once.
    """
    logits, found = call.logits, call.zeros()
    units = [(target, row) for target, logit in enumerate(logits) for row in logit.rows]
    terms = [(target, term) for target, logit in enumerate(logits) for term in logit.terms]
    unit_of_term = [units.index((target, term.row)) for target, term in terms]
    predicting = [row for _, row in units]
    places = torch.tensor(predicting, device=call.device)
    owners = torch.tensor([target for target, _ in units], device=call.device)
    share = torch.tensor([1 / len(logits[target].rows) for target, _ in units], device=call.device)
    for piece in call.replay.pieces:
        call.at()
        record = piece.recorded()
        tail = piece.at_rows(predicting, record)
        with torch.enable_grad():
            states = normed(call.model, tail.output)[0][unit_of_term]
            values = read_terms(call.model, states, [term for _, term in terms])
            s = values @ values.new_tensor([term.weight for _, term in terms])
        (dO,) = torch.autograd.grad(s, tail.attention)
        positive = attention_gradients(record, places, dO[0]).clamp_min(0).mean(1)
        found.index_add_(0, owners, positive * share[:, None])
    return found


METHOD = LeGrad()
