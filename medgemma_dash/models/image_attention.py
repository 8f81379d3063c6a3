"""How much of a position's attention goes to the image, layer by layer."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.attention import attention_weights
from medgemma_dash.models.replay import Replay


def image_attention_shares(
    replay: Replay, rows: Sequence[int], image_spans: Sequence[tuple[int, int]]
) -> Float[Tensor, "rows layers"]:
    """Share of attention, mean over heads, that each row gives to these images in each layer.

    Kept with the replay: every method's map of a word comes with the same shares, and where the
    layers are recomputed they cost a forward pass.
    """
    known, spans = replay.image_shares, tuple(image_spans)
    missing = [row for row in dict.fromkeys(rows) if (row, spans) not in known]
    if missing:
        places = torch.tensor(missing, device=replay.final.device)
        shares = []
        for record in replay.attention_records():
            A = attention_weights(record, places)
            on_images = torch.stack([A[:, :, start:stop].sum(-1) for start, stop in spans])
            shares.append(on_images.sum(0).mean(0))
        by_row = torch.stack(shares, dim=1).cpu()
        known |= {(row, spans): found for row, found in zip(missing, by_row, strict=True)}
    return torch.stack([known[row, spans] for row in rows])
