"""Occlusion: what the logit loses when a part of the image is taken away."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from medgemma_dash.core.progress import finish
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import Option
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.models.masked_forward import masked_logit_steps

BLOCK = Option(
    "block",
    "Block",
    ("1x1", "2x2", "3x3", "4x4"),
    "How many map cells are taken away together, side by side without overlap, fewer at an edge "
    "where the grid is no multiple. The drop of a block is shared evenly among its cells. Larger "
    "blocks are faster, and see what single cells cannot: findings that any one cell still shows "
    "when another is gone.",
    values=(1, 2, 3, 4),
)


@dataclass(frozen=True)
class OcclusionOptions:
    """block: side of a block in cells."""

    block: Literal[1, 2, 3, 4] = 1


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
        options=(BLOCK,),
        options_type=OcclusionOptions,
        all_tokens_at_once=True,
        passes=256,
    )

    def rows(self, call: Call[OcclusionOptions]) -> Relevance:
        """See `Method.rows`."""
        return finish(self.steps(call))

    def steps(self, call: Call[OcclusionOptions]) -> Generator[None, None, Relevance]:
        """See `SteppedMethod.steps`; a step is a batch of blocks."""
        side = call.options.block
        blocks = torch.block_diag(*[blocks_of(grid, side) for grid in call.grids]).bool()
        nothing = torch.zeros_like(blocks[:1])
        # Every token of every term, each of them once.
        places = sorted({(t.row, id_) for z in call.logits for t in z.terms for id_ in t.ids})
        found = yield from masked_logit_steps(
            call.replay,
            call.answer.image_spans,
            torch.cat([nothing, blocks]),
            call.mean_soft_tokens(),
            places,
            call.check,
            call.tell,
        )
        logits = found.cpu()
        column = {place: index for index, place in enumerate(places)}
        z = torch.stack([_values(target, logits, column) for target in call.logits])
        drops = z[:, :1] - z[:, 1:]
        return call.relevance(call.on_images(drops @ (blocks / blocks.sum(1, keepdim=True))))


METHOD = Occlusion()


def _values(
    target: LogitTarget,
    logits: Float[Tensor, "variants places"],
    column: Mapping[tuple[int, int], int],
) -> Float[Tensor, " variants"]:
    """The target's z of every variant."""
    z = torch.zeros(len(logits))
    for term in target.terms:
        columns = [column[term.row, id_] for id_ in term.ids]
        z += term.weight * logits[:, columns].logsumexp(1)
    return z


def blocks_of(grid: tuple[int, int], side: int) -> Bool[Tensor, "blocks soft_tokens"]:
    """Masks of the blocks of side x side cells, row by row; those at the far edges may be less."""
    row, column = (torch.arange(length) // side for length in grid)
    number = (row[:, None] * (int(column[-1]) + 1) + column).flatten()
    return number == torch.arange(int(number[-1]) + 1)[:, None]
