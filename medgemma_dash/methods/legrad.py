"""LeGrad: how each layer's attention would raise the logit, read out at that layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import logit_target
from medgemma_dash.methods.input_contributions import without_self
from medgemma_dash.methods.specification import Control, MethodSpec, Rows
from medgemma_dash.models.attention import attention_gradients
from medgemma_dash.models.replay import LogitTarget, Replay, replay_mode

FORM = Control(
    "form",
    "Gradient of",
    ("layer readouts", "final logit"),
    "Each layer's output is read out as if it were the last (the paper), or the gradient of the "
    "model's own logit runs back through all layers.",
)
SPAN = Control(
    "words",
    "Several words",
    ("mean of maps", "summed logits"),
    "A phrase is the mean of its tokens' maps, or one gradient of the sum of their logits, read at "
    "all positions that predict them. Those positions themselves then carry no relevance; beyond "
    "that the two differ with the final logit alone, where an earlier word's position serves a "
    "later word as well.",
)


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
        logits = [logit_target(answer, target) for target in targets]
        with replay_mode(replay.model):
            found = torch.zeros(len(targets), replay.sequence, device=replay.final.device)
            if dict(settings)["form"] == "layer readouts":
                _add_readouts(found, replay, logits, check)
            else:
                gradients = PositiveGradients(logits, found)
                replay.show_attention(logits, lambda _layer: gradients, check)
        return Rows(without_self(found, logits))


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


def _add_readouts(
    found: Float[Tensor, "targets sequence"],
    replay: Replay,
    logits: Sequence[LogitTarget],
    check: Check | None,
) -> None:
    """Add mean_h (ds_l/dA_l)^+ at the predicting rows, their mean, for every layer l.

    s_l depends on layer l's attention through the predicting rows alone, and on each of them
    through its own term, so only these rows of each layer run again, for all targets at once.
    """
    decoder, head = replay.model.hf_model.model.language_model, replay.model.hf_model.lm_head
    units = [(target, row) for target, logit in enumerate(logits) for row in logit.rows]
    with torch.no_grad():
        w = torch.stack(
            [
                sum(c * head.weight[id_] for place, id_, c in logits[target].terms if place == row)
                for target, row in units
            ]
        )
    predicting = [row for _, row in units]
    places = torch.tensor(predicting, device=found.device)
    owners = torch.tensor([target for target, _ in units], device=found.device)
    share = torch.tensor([1 / len(logits[target].rows) for target, _ in units], device=found.device)
    for piece in replay.pieces:
        if check is not None:
            check()
        record = piece.recorded()
        tail = piece.at_rows(predicting, record)
        with torch.enable_grad():
            s = (decoder.norm(tail.output)[0] * w).sum()
        (dO,) = torch.autograd.grad(s, tail.attention)
        positive = attention_gradients(record, places, dO[0]).clamp_min(0).mean(1)
        found.index_add_(0, owners, positive * share[:, None])


METHOD = LeGrad()
