"""How much of a position's attention goes to the image, layer by layer."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.attention import attention_weights
from medgemma_dash.models.replay import Replay


def image_attention_shares(
    replay: Replay, rows: Sequence[int], image_span: tuple[int, int]
) -> Float[Tensor, "rows layers"]:
    """Share of attention, mean over heads, that each row gives to the soft tokens in each layer.

    Kept with the replay: every method's map of a word comes with the same shares, and where the
    layers are recomputed they cost a forward pass.
    """
    known = replay.image_shares
    missing = [row for row in dict.fromkeys(rows) if (row, image_span) not in known]
    if missing:
        start, stop = image_span
        places = torch.tensor(missing, device=replay.final.device)
        shares = [
            attention_weights(record, places)[:, :, start:stop].sum(-1).mean(0)
            for record in replay.attention_records()
        ]
        by_row = torch.stack(shares, dim=1).cpu()
        known |= {(row, image_span): found for row, found in zip(missing, by_row, strict=True)}
    return torch.stack([known[row, image_span] for row in rows])
