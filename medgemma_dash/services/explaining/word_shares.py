"""What the rows of several words say together: shares of their relevance, place by place."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer, Token
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.metrics.map_quality import has_sink


def image_shares(
    answer: Answer,
    relevancy: Float[np.ndarray, "tokens positions"],
    filled: Bool[np.ndarray, " tokens"],
) -> list[float | None]:
    """For each token, the share of its positive relevance that lies on images.

    None for a token that is not explained yet, and for one without any.
    """
    positive = relevancy.clip(0)
    whole = positive.sum(axis=1)
    on_image = sum(positive[:, slice(*image.span)].sum(axis=1) for image in answer.images)
    return [
        float(on_image[index] / whole[index]) if known and whole[index] > 0 else None
        for index, known in enumerate(filled)
    ]


def image_share(explanation: Explanation) -> float | None:
    """Share of the target's positive relevance that lies on the image; None when it has none."""
    whole = float(np.clip(explanation.row, 0, None).sum())
    return float(np.clip(explanation.image, 0, None).sum()) / whole if whole > 0 else None


def joint_probability(tokens: Sequence[Token]) -> float:
    """What the model gave these tokens together, each after those before it."""
    return float(np.prod([token.probability for token in tokens]))


def leaning_tokens(
    answer: Answer, relevancy: Float[np.ndarray, "tokens positions"], most: int
) -> list[list[int]]:
    """For each cell of the image, row by row, the tokens that leaned on it most, best first.

    A token counts by the share of its relevance on the image, so that tokens compare, and only
    where that is more than an even spread would put there.
    """
    start, stop = answer.image_span
    pictures = relevancy[:, start:stop].clip(0)
    whole = pictures.sum(axis=1, keepdims=True)
    shares = np.divide(pictures, whole, out=np.zeros_like(pictures), where=whole > 0)
    cells = pictures.shape[1]
    even = 1 / max(cells, 1)
    order = np.argsort(-shares, axis=0)[:most]
    return [
        [int(index) for index in order[:, cell] if shares[index, cell] > even]
        for cell in range(cells)
    ]


def ranked(shares: Float[np.ndarray, " tokens"]) -> list[int]:
    """The tokens with a positive share, the largest first; NaN is not known."""
    return [int(i) for i in np.argsort(-np.nan_to_num(shares)) if shares[i] > 0]


def attention_sink(
    answer: Answer,
    relevancy: Float[np.ndarray, "tokens positions"],
    filled: Bool[np.ndarray, " tokens"],
) -> bool | None:
    """Whether most tokens share one heavy cell; None while fewer than half are explained."""
    count = int(filled.sum())
    if count < 2 or 2 * count < len(filled):
        return None
    start, stop = answer.image_span
    return has_sink([row.reshape(answer.grid) for row in relevancy[filled, start:stop]])
