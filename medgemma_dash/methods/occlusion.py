"""Occlusion: what the logit loses when a part of the image is taken away."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, tell
from medgemma_dash.core.target import Target
from medgemma_dash.methods.chefer_rules import logit_target
from medgemma_dash.methods.specification import Control, MethodSpec, Rows
from medgemma_dash.models.masked_forward import masked_logits
from medgemma_dash.models.replay import Replay

BLOCK = Control(
    "block",
    "Block",
    ("1x1", "2x2", "3x3", "4x4"),
    "How many map cells are taken away together, side by side without overlap, fewer at an edge "
    "where the grid is no multiple. The drop of a block is shared evenly among its cells. Larger "
    "blocks are faster, and see what single cells cannot: findings that any one cell still shows "
    "when another is gone.",
)


@dataclass(frozen=True)
class Occlusion:
    """Soft tokens are replaced by the mean soft token of the image."""

    spec = MethodSpec(
        name="occlusion",
        title="Occlusion",
        card="Takes one part of the image away at a time, by putting the mean of all image tokens "
        "in its place, and measures how far the logit falls. It asks the model itself and "
        "needs no gradient: use it to check the other methods. One run serves every word of the "
        "answer. Distrust small values: evidence that stands in two places is missed, since "
        "either one is enough, and the gap left behind is a picture the model never saw.",
        formula=r"r_i = \frac{1}{|b|}\big(z(h) - z(h_{b \leftarrow \bar h})\big),\quad i \in b,"
        r"\quad \bar h = \frac{1}{|V|}\sum_{j \in V} h_j",
        source="Zeiler, Fergus, ECCV 2014, section 4.2, https://arxiv.org/abs/1311.2901; here on "
        "image tokens in place of pixels",
        cost="one F per block, for all tokens together",
        needs="one pass of the decoder for every block",
        family="perturbation",
        signed=True,
        contrastive=True,
        controls=(BLOCK,),
        all_tokens_at_once=True,
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
        start, stop = answer.image_span
        h = replay.pieces[0].input[0, start:stop].detach()
        h_mean = h.float().mean(0, keepdim=True).expand_as(h)
        blocks = blocks_of(answer.grid, int(dict(settings)["block"].split("x")[0]))
        nothing = torch.zeros_like(blocks[:1])
        terms = [
            (place, *term)
            for place, target in enumerate(targets)
            for term in logit_target(answer, target).terms
        ]
        places = [(row, token) for _, row, token, _ in terms]
        variants = torch.cat([nothing, blocks])
        z_terms = masked_logits(
            replay, [answer.image_span], variants, h_mean, places, check, partial(tell, check)
        ).cpu()
        z = torch.zeros(len(targets), len(z_terms))
        for place, (index, _, _, weight) in enumerate(terms):
            z[index] += weight * z_terms[:, place]
        drops = z[:, :1] - z[:, 1:]
        shares = blocks / blocks.sum(1, keepdim=True)
        rows = torch.zeros(len(targets), replay.sequence)
        rows[:, start:stop] = drops @ shares
        return Rows(rows)


METHOD = Occlusion()


def blocks_of(grid: tuple[int, int], side: int) -> Bool[Tensor, "blocks soft_tokens"]:
    """Masks of the blocks of side x side cells, row by row; those at the far edges may be less."""
    row, column = (torch.arange(length) // side for length in grid)
    number = (row[:, None] * (int(column[-1]) + 1) + column).flatten()
    return number == torch.arange(int(number[-1]) + 1)[:, None]
