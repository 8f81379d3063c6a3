"""How words' logits change when a part of the image is removed: diverging bars over a band."""

from collections.abc import Sequence

import plotly.graph_objects as go

from medgemma_dash.figures.palette import SIGNED_SCALE, palette, scale_colours
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import LONGEST_WORD, plain

BAND_HEIGHT = 0.7  # of a row
LEAST_REACH = 0.2  # of the axis: smaller changes look small
# Of the scale's 256 colours: clear of its white middle and of its dark ends.
FALLS, RISES = 40, 215


def logit_changes_figure(
    words: Sequence[str],
    changes: Sequence[float],
    elsewhere: Sequence[tuple[float, float, float] | None],
    dark: bool = True,
    *,
    chosen: Sequence[int] = (),
) -> go.Figure:
    """Bars to the left where a logit falls, to the right where it rises, in the answer's order.

    elsewhere: least, mean and most change by the same cells displaced, a band behind the bar with a
    line at its mean; None where there is none. chosen: places of words whose names are set off.
    """
    colours = palette(dark)
    scale = scale_colours(SIGNED_SCALE, 256)
    falls, rises = ("#{:02x}{:02x}{:02x}".format(*scale[place]) for place in (FALLS, RISES))
    ends = [*changes, *(end for band in elsewhere if band for end in band)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.04 * max(LEAST_REACH, high - low)
    hover = []
    for word, change, band in zip(words, changes, elsewhere, strict=True):
        beside = ""
        if band:
            least, mean, most = (_signed(end, 3) for end in band)
            beside = f"<br>elsewhere {mean}, from {least} to {most}"
        hover.append(f"<b>{plain(word)}</b><br>logit {_signed(change, 3)}{beside}")
    figure = row_bars(
        changes,
        [
            f"<b>{plain(word, LONGEST_WORD)}</b>" if place in chosen else plain(word, LONGEST_WORD)
            for place, word in enumerate(words)
        ],
        [_signed(change, 2) for change in changes],
        hover,
        colours,
        reach=(low - room, max(high, low + LEAST_REACH) + room),
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
        rows = {"y0": place - BAND_HEIGHT / 2, "y1": place + BAND_HEIGHT / 2}
        shapes.append(
            {
                "type": "rect",
                "x0": band[0],
                "x1": band[2],
                **rows,
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
                **rows,
                "line": {"color": colours.muted, "width": 1.5, "dash": "dot"},
            }
        )
    figure.layout.shapes = shapes
    return figure


def _signed(change: float, decimals: int) -> str:
    text = f"{change:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "\u2212")
