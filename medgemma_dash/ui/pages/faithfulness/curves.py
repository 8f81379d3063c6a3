"""Deletion and insertion: the methods in colour over the band of random rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.figures import removal_curve_figure
from medgemma_dash.metrics.faithfulness import TOP_SHARE
from medgemma_dash.metrics.removal_curves import Curve
from medgemma_dash.services.faithfulness.look import Step
from medgemma_dash.services.faithfulness.reading import bands_of, digits
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.matrix_clicks import matrix_clicks
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.pages.faithfulness.state import CURVE, SHARE, StepState
from medgemma_dash.ui.state.session import give_widget, page_state

if TYPE_CHECKING:
    from medgemma_dash.services.faithfulness.reading import CurveBand
    from medgemma_dash.ui.pages.faithfulness.shown import Shown

AXES: dict[Curve, str] = {
    "deletion": "share of the image removed, most relevant first",
    "insertion": "share of the image kept, most relevant first",
}
SIDES: dict[Curve, str] = {"deletion": "Removed", "insertion": "Kept"}
HEIGHT_PX = 300
TABLE_PX = 1000  # of two curves beside their controls
PLACES = 200  # across a chart, at which a click can be told


def removal_curves(shown: Shown, removal: str, method: str) -> Step:
    """Both charts and the slider below them; the step that is looked at."""
    bands = {band.curve: band for band in bands_of(shown.record) if band.removal == removal}
    state = page_state(StepState)
    # Where the film stands beside, its slider is above: there is room for the table below it.
    above = window_width() == "wide"
    first, then = st.container(), st.container()
    with first if above else then:
        share = _slider_row(shown, bands, state)
    with then if above else first, st.container(key="curve_charts"):
        places = st.columns(2, gap="small")
    for place, band in zip(places, bands.values(), strict=True):
        with place:
            _chart(shown, band, method, state)
    return Step(method, removal, state.curve, share)


def _slider_row(shown: Shown, bands: dict[Curve, CurveBand], state: StepState) -> float:
    with st.container(horizontal=True, key="faithfulness_step", vertical_alignment="center"):
        share = _slider(state, bands["deletion"].shares.tolist())
        _table(bands, shown.titles)
    return share


def _chart(shown: Shown, band: CurveBand, method: str, state: StepState) -> None:
    curve = band.curve
    rich_line(
        [[Segment(_sentence(band, method, shown.titles[method]), "small")]], key=f"{curve}_says"
    )
    figure = removal_curve_figure(
        band.shares,
        (band.low, band.mean, band.high),
        [(shown.titles[name], values) for name, values in band.lines],
        AXES[curve],
        is_dark(),
        marked=state.share if state.curve == curve else None,
        height_px=HEIGHT_PX,
    )
    key = f"curve_{curve}"
    chart(
        figure,
        key=key,
        alt=f"The target's probability against the {AXES[curve]}, by {band.removal}: each method "
        "over the band of random rankings.",
        about=[*shown.about, ("Removal", band.removal)],
    )

    def look(cell: tuple[int, int]) -> None:
        state.curve = curve
        state.nearest((cell[0] + 0.5) / PLACES)

    matrix_clicks(container=key, columns=PLACES, rows=1, key=f"{key}_clicks", on_click=look)


def _sentence(band: CurveBand, method: str, title: str) -> str:
    """What the curve says at a fifth of the image, beside what chance gives there."""
    step = int(np.abs(band.shares - TOP_SHARE).argmin())
    values = dict(band.lines)[method]
    share = f"{band.shares[step]:.0%}"
    ends = f"{digits(band.low[step])} to {digits(band.high[step])}"
    chance = f"at random {digits(band.mean[step])} ({ends})"
    if band.curve == "deletion":
        what = f"Top {share} of {title} removed: p is {digits(values[step])} in place of"
        return f"{what} {digits(values[0])}; {chance}."
    return f"Top {share} of {title} alone: p is {digits(values[step])}; {chance}."


def _slider(state: StepState, shares: list[float]) -> float:
    number = state.slider
    share_key, curve_key = f"{SHARE}_{number}", f"{CURVE}_{number}"
    give_widget(share_key, min(shares, key=lambda one: abs(one - state.share)))
    give_widget(curve_key, state.curve)

    def look() -> None:
        # Streamlit takes the last that it hears of earlier widgets for a change as well.
        if number == state.slider:
            state.curve = st.session_state[curve_key]
            state.share = float(st.session_state[share_key])

    st.segmented_control(
        "What is looked at",
        list(SIDES),
        required=True,
        key=curve_key,
        format_func=SIDES.__getitem__,
        on_change=look,
        persist_state="session",
        label_visibility="collapsed",
    )
    return float(
        st.select_slider(
            "Share of the image",
            shares,
            key=share_key,
            format_func=lambda share: f"{share:.0%}",
            on_change=look,
            persist_state="session",
            label_visibility="collapsed",
            help="The step that the film shows. A click on a curve chooses it too.",
        )
    )


def _table(bands: dict[Curve, CurveBand], titles: dict[str, str]) -> None:
    popover = st.popover("as a table", key="curves_table", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    columns: dict[str, object] = {}
    for curve, band in bands.items():
        for name, values in band.lines:
            columns[f"{curve}, {titles[name]}"] = values
        columns[f"{curve}, random, least"] = band.low
        columns[f"{curve}, random, mean"] = band.mean
        columns[f"{curve}, random, most"] = band.high
    shares = [f"{share:.0%}" for share in bands["deletion"].shares]
    frame = pd.DataFrame(columns, index=pd.Index(shares, name="share")).round(4)
    help_text = "The target's probability at this share of the image, removed or kept."
    with popover, st.container(width=TABLE_PX):
        numbers_table(
            frame,
            key="curve_numbers",
            columns={
                name: st.column_config.NumberColumn(format="%.3f", help=help_text)
                for name in columns
            },
        )
