"""The Layers page's figures: heads, relevance layer by layer, and any token's attention."""

from typing import Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.token_words import readable
from medgemma_dash.figures import (
    MapPanel,
    WordRelevance,
    comparison_figure,
    head_figure,
    prompt_words_figure,
)
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.layers import view as services
from medgemma_dash.services.layers.view import LayerView

PANEL_JPEG_PX = 260
PICTURE_JPEG_PX = 600


def layer_view(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    against: str | None = None,
) -> LayerView:
    """What the layers and heads did at a token, a phrase, a span (half-open), or the whole answer.

    against: one token rather than this one. The result's arrays are raw: `.attention` and
    `.weighted` (layers, heads, positions), `.gathered` (layers, positions).
    Raises TargetError for a target that is not in the answer.
    """
    target = choose_target(model, answer, token=token, phrase=phrase, span=span, against=against)
    return services.layer_view(model, answer, target)


def attention_of(
    model: VisionLanguageModel, answer: Answer, position: int
) -> npt.NDArray[np.float32]:
    """Attention of one position to every other, (layers, heads, positions); prompt words and the
    image's soft tokens have positions too. Raises ValueError for a position outside the sequence.
    """
    count = len(answer.input_ids)
    if not 0 <= position < count:
        raise ValueError(f"Position {position}; allowed: 0 to {count - 1}.")
    return services.attention_of(model, answer, position, lambda: None)


def head_matrix(view: LayerView, *, weighted: bool = True, dark: bool = False) -> Any:
    """A cell for each layer and head: how much it looked at the image.

    weighted: its part of all attention that moved the logit; False: share of its own attention.
    """
    if weighted:
        measure = "of the attention that moved the logit"
        return head_figure(view.weighted_shares, view.is_global, measure, dark=dark)
    return head_figure(
        view.image_shares, view.is_global, "of its attention on the image", dark=dark
    )


def head_maps(
    view: LayerView,
    answer: Answer,
    layer: int,
    *,
    weighted: bool = True,
    image: int = -1,
    dark: bool = False,
) -> Any:
    """The maps of a layer's heads, strongest first; weighted: see `head_matrix`.

    image: the number of the one whose maps are shown; the current one is the last. The shares in
    the captions are of all images.
    """
    shares = (view.weighted_shares if weighted else view.image_shares)[layer]
    panels = [
        _panel(
            answer,
            view.head_map(layer, head, weighted=weighted, image=image),
            f"layer {layer}, head {head}",
            f"{shares[head]:.1%}",
            image=image,
        )
        for head in np.argsort(-shares, kind="stable").tolist()
    ]
    return comparison_figure(panels, columns=4, linked_hover=False, panel_px=220, dark=dark)


def gathered_maps(view: LayerView, answer: Answer, *, image: int = -1, dark: bool = False) -> Any:
    """Relevance as it gathers from the last layer down to each one, small multiples.

    image: see `head_maps`.
    """
    panels = [
        _panel(answer, view.gathered_map(layer, image), f"down to layer {layer}", image=image)
        for layer in range(len(view.is_global) - 1, -1, -1)
    ]
    return comparison_figure(panels, columns=6, linked_hover=False, panel_px=160, dark=dark)


def attention_map(
    answer: Answer,
    attention: npt.NDArray[np.float32],
    layer: int,
    head: int | None = None,
    *,
    image: int = -1,
    dark: bool = False,
) -> Any:
    """Where on an image a position looks, from `attention_of` or a view's `.attention`.

    head: None for the mean of the heads. image: its number; the current one is the last.
    """
    seen = answer.images[image]
    row = _row(attention, layer, head)[slice(*seen.span)]
    panel = _panel(
        answer,
        row.reshape(seen.grid),
        f"layer {layer}, {'mean of heads' if head is None else f'head {head}'}",
        f"{row.sum():.0%} on the image",
        PICTURE_JPEG_PX,
        image=image,
    )
    return comparison_figure([panel], panel_px=420, dark=dark)


def attended_words(
    answer: Answer,
    attention: npt.NDArray[np.float32],
    layer: int,
    head: int | None = None,
    *,
    most: int = 12,
    dark: bool = False,
) -> Any:
    """The words of question and answer that a position looks at most; see `attention_map`."""
    row, texts = _row(attention, layer, head), answer.piece_texts
    order = [int(i) for i in np.argsort(-row, kind="stable") if texts[i] and row[i] > 0]
    words = [
        WordRelevance(
            readable(texts[place], in_prompt=place < answer.prompt_length),
            float(row[place]),
            "answer" if place >= answer.prompt_length else "question",
        )
        for place in order[:most]
    ]
    return prompt_words_figure(words, dark)


def _row(
    attention: npt.NDArray[np.float32], layer: int, head: int | None
) -> npt.NDArray[np.float32]:
    rows = attention[layer]
    row: npt.NDArray[np.float32] = rows.mean(0) if head is None else rows[head]
    return row


def _panel(
    answer: Answer,
    image_map: npt.NDArray[np.float32],
    title: str,
    caption: str = "",
    jpeg_px: int = PANEL_JPEG_PX,
    *,
    image: int,
) -> MapPanel:
    radiograph, grid = answer.images[image].radiograph, answer.images[image].grid
    return MapPanel(
        title=title,
        radiograph_jpeg=jpeg_bytes(radiograph.pixels, longest_side=jpeg_px),
        width=radiograph.width,
        height=radiograph.height,
        grid=grid,
        image_map=image_map if image_map.any() else None,
        caption=caption,
        reason="nothing",
        laterality=str(shown_laterality(radiograph)),
    )
