"""LeGrad: how each layer's attention would raise the logit, read out at that layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Target
from medgemma_dash.methods.attention_rows import before_prediction, predicting_rows
from medgemma_dash.methods.chefer_rules import logit_target
from medgemma_dash.methods.specification import Check, Control, MethodSpec, Rows
from medgemma_dash.models.attention import attention_gradients
from medgemma_dash.models.replay import LogitTarget, Replay, replay_mode

FORM = Control(
    "form",
    "Gradient of",
    ("layer readouts", "final logit"),
    "Each layer's output is read out as if it were the last (the paper), or the gradient of the "
    "model's own logit runs back through all layers.",
)


@dataclass(frozen=True)
class LeGrad:
    """Row p-1 of the positive gradient by the attention, summed over layers."""

    spec = MethodSpec(
        name="legrad",
        title="LeGrad",
        card="Where more attention would raise the word's logit, judged in every layer by what "
        "that layer alone would say. Read its peaks and distrust its breadth: it tells what "
        "attention at a place would do, not what it did, so places that got none score as well. "
        "The early layers' readouts mean little.",
        formula=r"r = \sum_l \frac{1}{H}\sum_h"
        r"\left(\frac{\partial s_l}{\partial A_{l,h}}\right)^{\!+}[p-1,\,\cdot\,],\quad "
        r"s_l = \left\langle w_t,\ \mathrm{norm}(x_l[p-1])\right\rangle",
        source="Bousselham et al., LeGrad, ICCV 2025, https://arxiv.org/abs/2404.03214; read out "
        "through the decoder's final norm and unembedding",
        cost="far below 1 B; 1 B from the final logit",
        family="gradient",
        signed=False,
        contrastive=True,
        controls=(FORM,),
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
        predicting = predicting_rows(answer, targets)
        with replay_mode(replay.model):
            found = torch.zeros(len(targets), replay.sequence, device=replay.final.device)
            if dict(settings)["form"] == "layer readouts":
                _add_readouts(found, replay, logits, predicting, check)
            else:
                gradients = PositiveGradients(predicting, found)
                replay.backward(logits, lambda _layer: gradients, check)
        return before_prediction(found, predicting)


@dataclass(frozen=True)
class PositiveGradients:
    """Adds mean_h dA^+ of each target's own row to `found`, (targets, S), block by block."""

    predicting: list[int]
    found: Float[Tensor, "targets sequence"]
    needs_gradient = True

    def visit(self, rows: slice, keys: slice, A: Tensor, dA_A: Tensor, dA: Tensor | None) -> None:
        """See `BlockVisitor.visit`."""
        assert dA is not None  # noqa: S101  asked for
        for target, place in enumerate(self.predicting):
            if rows.start <= place < rows.stop:
                row = place - rows.start
                # dA is not zero where a row may not look, but A is.
                positive = dA[target, :, row].clamp_min(0) * (A[:, row] > 0)
                self.found[target, keys] += positive.mean(0)


def _add_readouts(
    found: Float[Tensor, "targets sequence"],
    replay: Replay,
    logits: Sequence[LogitTarget],
    predicting: list[int],
    check: Check | None,
) -> None:
    """Add mean_h (ds_l/dA_l)^+ at the predicting rows, for every layer l.

    s_l depends on layer l's attention through the predicting row alone, so only these rows of
    each layer run again, for all targets at once.
    """
    decoder, head = replay.model.hf_model.model.language_model, replay.model.hf_model.lm_head
    with torch.no_grad():
        w = torch.stack([sum(c * head.weight[id_] for _, id_, c in z.terms) for z in logits])
    places = torch.tensor(predicting, device=found.device)
    for piece in replay.pieces:
        if check is not None:
            check()
        record = piece.recorded()
        tail = piece.at_rows(predicting, record)
        with torch.enable_grad():
            s = (decoder.norm(tail.output)[0] * w).sum()
        (dO,) = torch.autograd.grad(s, tail.attention)
        found += attention_gradients(record, places, dO[0]).clamp_min(0).mean(1)


METHOD = LeGrad()
