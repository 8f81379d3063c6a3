"""What words' rows of relevance say: their shares on the image and on its cells."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer, Token
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.metrics.map_quality import has_sink

LEAST_SHARE = 0.005


def together(
    relevancy: Float[np.ndarray, "tokens positions"],
    filled: Bool[np.ndarray, " tokens"],
    words: Sequence[tuple[int, int]],
) -> tuple[Float[np.ndarray, "words positions"], Bool[np.ndarray, " words"]]:
    """The rows of words, each the sum of its tokens', and which words are known: all of it is.

    words: ranges that follow each other and cover every token, as `with_control_tokens` gives.
    """
    if not words:
        return relevancy[:0], filled[:0]
    starts = [start for start, _ in words]
    rows = np.add.reduceat(relevancy, starts, axis=0, dtype=np.float64).astype(np.float32)
    return rows, np.logical_and.reduceat(filled, starts)


def image_shares(
    answer: Answer,
    relevancy: Float[np.ndarray, "rows positions"],
    filled: Bool[np.ndarray, " rows"],
) -> list[float | None]:
    """For each row, the share of its positive relevance that lies on images.

    None for a row that is not known yet, and for one without any.
    """
    positive = relevancy.clip(0)
    whole = positive.sum(axis=1)
    on_image = sum(positive[:, slice(*image.span)].sum(axis=1) for image in answer.images)
    return [
        float(on_image[index] / whole[index]) if known and whole[index] > 0 else None
        for index, known in enumerate(filled)
    ]


def shares_on_cells(
    answer: Answer,
    relevancy: Float[np.ndarray, "rows positions"],
    filled: Bool[np.ndarray, " rows"],
    cells: Iterable[tuple[int, int]],
    image: int = -1,
) -> Float[np.ndarray, " rows"]:
    """For each row, its relevance on these cells of an image, as a share of all positive
    relevance that it put on that image; NaN for a row that is not known yet.

    cells: (row, column) pairs. image: its number; the current one is the last.
    Raises ValueError for a cell outside the grid.
    """
    seen = answer.images[image]
    rows, cols = seen.grid
    chosen = np.zeros((rows, cols), np.bool_)
    for row, col in cells:
        if not (0 <= row < rows and 0 <= col < cols):
            raise ValueError(f"Cell (row={row}, column={col}) is outside {rows} x {cols}.")
        chosen[row, col] = True
    pictures = relevancy[:, slice(*seen.span)].astype(np.float64)
    sums = pictures[:, chosen.ravel()].sum(axis=1)
    totals = pictures.clip(0).sum(axis=1)
    shares = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    return np.where(filled, shares, np.nan).astype(np.float32)


def ranked(shares: Float[np.ndarray, " rows"]) -> list[int]:
    """The rows whose share is not 0 in whole percents, the largest first; NaN is not known."""
    return [int(i) for i in np.argsort(-np.nan_to_num(shares)) if shares[i] >= LEAST_SHARE]


def leaning(
    answer: Answer, relevancy: Float[np.ndarray, "rows positions"], most: int, image: int = -1
) -> list[list[int]]:
    """For each cell of an image, row by row, what leaned on it most, best first.

    image: its number; the current one is the last. A row counts by the share of its relevance on
    that image, so that rows compare, and only where that is more than an even spread would put
    there, and not 0 in whole percents.
    """
    pictures = relevancy[:, slice(*answer.images[image].span)].clip(0)
    whole = pictures.sum(axis=1, keepdims=True)
    shares = np.divide(pictures, whole, out=np.zeros_like(pictures), where=whole > 0)
    cells = pictures.shape[1]
    even = 1 / max(cells, 1)
    order = np.argsort(-shares, axis=0)[:most]
    return [
        [int(index) for index in order[:, cell] if shares[index, cell] > max(even, LEAST_SHARE)]
        for cell in range(cells)
    ]


def image_share(explanation: Explanation) -> float | None:
    """Share of the target's positive relevance that lies on images; None when it has none."""
    each = shares_of_images(explanation)
    return None if each is None else sum(each)


def shares_of_images(explanation: Explanation) -> tuple[float, ...] | None:
    """Share of the target's positive relevance that lies on each image; None when it has none."""
    whole = float(np.clip(explanation.row, 0, None).sum())
    if whole <= 0:
        return None
    return tuple(float(np.clip(image, 0, None).sum()) / whole for image in explanation.images)


def joint_probability(tokens: Sequence[Token]) -> float:
    """What the model gave these tokens together, each after those before it."""
    return float(np.prod([token.probability for token in tokens]))


def attention_sink(
    answer: Answer,
    relevancy: Float[np.ndarray, "tokens positions"],
    filled: Bool[np.ndarray, " tokens"],
) -> bool | None:
    """Whether most tokens share one heavy cell of one of the images; None while fewer than half
    are explained.
    """
    count = int(filled.sum())
    if count < 2 or 2 * count < len(filled):
        return None
    return any(
        has_sink([row.reshape(image.grid) for row in relevancy[filled, slice(*image.span)]])
        for image in answer.images
    )
