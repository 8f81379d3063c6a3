"""How words' logits change when a part of the image is removed: diverging bars over a band."""

from collections.abc import Sequence

import plotly.graph_objects as go

from medgemma_dash.figures.palette import SIGNED_SCALE, palette, scale_colours
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import LONGEST_WORD, plain

BAND_HEIGHT = 0.7  # of a row
# Of the scale's 256 colours: clear of its white middle and of its dark ends.
FALLS, RISES = 40, 215


def logit_changes_figure(
    words: Sequence[str],
    changes: Sequence[float],
    elsewhere: Sequence[tuple[float, float, float] | None],
    dark: bool = True,
) -> go.Figure:
    """Bars to the left where a logit falls, to the right where it rises, in the answer's order.

    elsewhere: least, mean and most change by the same cells displaced, a band behind the bar with a
    line at its mean; None where there is none.
    """
    colours = palette(dark)
    scale = scale_colours(SIGNED_SCALE, 256)
    falls, rises = ("#{:02x}{:02x}{:02x}".format(*scale[place]) for place in (FALLS, RISES))
    reach = max(
        [0.1, *map(abs, changes), *(abs(end) for band in elsewhere if band for end in band)]
    )
    hover = []
    for word, change, band in zip(words, changes, elsewhere, strict=True):
        beside = (
            f"<br>elsewhere {band[1]:+.3f}, from {band[0]:+.3f} to {band[2]:+.3f}" if band else ""
        )
        hover.append(f"<b>{plain(word)}</b><br>logit {change:+.3f}{beside}")
    figure = row_bars(
        changes,
        [plain(word, LONGEST_WORD) for word in words],
        [f"{change:+.2f}" for change in changes],
        hover,
        colours,
        reach=(-1.05 * reach, 1.05 * reach),
        bars=[falls if change < 0 else rises for change in changes],
    )
    shapes = [
        {
            "type": "line",
            "x0": 0,
            "x1": 0,
            "y0": -0.5,
            "y1": len(words) - 0.5,
            "line": {"color": colours.muted, "width": 1},
            "layer": "below",
        }
    ]
    for place, band in enumerate(elsewhere):
        if band is None:
            continue
        ends = {"y0": place - BAND_HEIGHT / 2, "y1": place + BAND_HEIGHT / 2}
        shapes.append(
            {
                "type": "rect",
                "x0": band[0],
                "x1": band[2],
                **ends,
                "fillcolor": colours.line,
                "line": {"width": 0},
                "layer": "below",
            }
        )
        shapes.append(
            {
                "type": "line",
                "x0": band[1],
                "x1": band[1],
                **ends,
                "line": {"color": colours.muted, "width": 1.5, "dash": "dot"},
            }
        )
    figure.layout.shapes = shapes
    return figure
