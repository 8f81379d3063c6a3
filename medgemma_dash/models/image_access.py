"""In how many decoder layers a position can see an image at all."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from medgemma_dash.models.embedding import soft_positions
from medgemma_dash.models.replay import Replay


def layers_with_access(
    replay: Replay, rows: Sequence[int], image_spans: Sequence[tuple[int, int]]
) -> Int[Tensor, " rows"]:
    """Of each row the number of layers whose mask lets it see at least one soft token.

    Read from the masks that transformers gave the layers. Where the text between a row and the
    image is longer than the window, the sliding layers see the image no more.
    """
    soft, places = soft_positions(image_spans), torch.tensor(rows)
    causal = (soft.unsqueeze(0) <= places.unsqueeze(1)).any(1)
    by_mask: dict[int, Int[Tensor, " rows"]] = {}  # most layers share theirs
    total = torch.zeros(len(places), dtype=torch.int64)
    for piece in replay.pieces:
        mask = piece.arguments["attention_mask"]  # None is causal, without a window
        if id(mask) not in by_mask:
            sees = causal if mask is None else mask[0, 0][places][:, soft].any(1).cpu()
            by_mask[id(mask)] = sees.long()
        total += by_mask[id(mask)]
    return total
