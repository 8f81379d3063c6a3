"""How much words owe to the image, as bars."""

from collections.abc import Sequence

import plotly.graph_objects as go

from medgemma_dash.core.numbers import nats
from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import LONGEST_WORD, plain


def image_effect_figure(
    words: Sequence[str],
    effects: Sequence[float],
    marks: Sequence[str],
    dark: bool = True,
) -> go.Figure:
    """What a blank image takes from each word, in nats, in the answer's order.

    marks: what each word is called, in the hover text.
    """
    return row_bars(
        effects,
        [plain(word, LONGEST_WORD) for word in words],
        [nats(effect) for effect in effects],
        [
            f"<b>{plain(word)}</b><br>image effect {effect:.3f} nats<br>{mark}"
            for word, effect, mark in zip(words, effects, marks, strict=True)
        ],
        palette(dark),
        reach=(min(0.0, *effects), max(1.0, *effects)),
    )


def conditions_figure(conditions: Sequence[tuple[str, float, str]], dark: bool = True) -> go.Figure:
    """One word's probability under each condition, the first its own: name, p, and p in words."""
    colours = palette(dark)
    names, probabilities, texts = zip(*conditions, strict=True)
    return row_bars(
        probabilities,
        names,
        texts,
        [f"{name}: p = {p:.4g}" for name, p, _ in conditions],
        colours,
        reach=(0.0, 1.0),
        bars=[colours.accent, *[colours.bar] * (len(names) - 1)],
    )
