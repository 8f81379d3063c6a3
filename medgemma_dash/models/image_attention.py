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
    """Share of attention, mean over heads, that each row gives to the soft tokens in each layer."""
    start, stop = image_span
    places = torch.tensor(rows, device=replay.final.device)
    shares = [
        attention_weights(record, places)[:, :, start:stop].sum(-1).mean(0)
        for record in replay.attention_records()
    ]
    return torch.stack(shares, dim=1).cpu()
