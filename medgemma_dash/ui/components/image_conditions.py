"""One word's probability with the image, and with the image taken away in three ways."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from medgemma_dash.core.numbers import nats as effect_in_nats
from medgemma_dash.figures import conditions_figure
from medgemma_dash.services.evidence.reading import WITHOUT, WordEvidence, probability
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record


def image_conditions(
    word: WordEvidence, key: str, layers: str, record: Record | None = None
) -> None:
    """Draw its bars and the numbers below them.

    layers: of how many ("of 34 layers"). record: the one that was opened from a file, if any.
    """
    conditions = [("with the image", word.given)]
    conditions += [(words, getattr(word, name)) for name, words in WITHOUT.items()]
    chart(
        conditions_figure(
            [(name, exp(min(nats, 0.0)), probability(nats)) for name, nats in conditions],
            is_dark(),
        ),
        key=f"{key}_figure",
        alt="Bars: the word's probability with the image, and without it in three ways.",
        record=record,
    )
    line = (
        f"Image effect {effect_in_nats(word.image_effect)} nats. {word.layers_with_access} "
        f"{layers} let its predicting position see the image."
    )
    rich_line([[Segment(line, "small")]], key=f"{key}_access")
