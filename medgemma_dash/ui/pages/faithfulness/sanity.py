"""The sanity checks as a row of ticks with their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.services.faithfulness.plan import SANITY_LIMITS
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.pages.faithfulness.state import FaithfulnessState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    import pandas as pd

    from medgemma_dash.core.record import Record
    from medgemma_dash.ui.pages.faithfulness.shown import Live, Shown

WORST_IS_LEAST = "spatial order"


def sanity_row(shown: Shown) -> None:
    """Draw it, or the button that asks for the checks."""
    if len(shown.record.tables["sanity"]):
        rich_line(_lines(shown.record, shown.titles), key="sanity_row")
    elif shown.live is None:
        rich_line([[Segment("No sanity checks were made.", "quiet")]], key="no_sanity")
    elif not shown.live.wanted.sanity:
        with st.container(horizontal=True, key="sanity_offer", vertical_alignment="center"):
            st.button(
                "Run the sanity checks",
                key="run_sanity",
                type="tertiary",
                on_click=_ask_for,
                args=(shown.live,),
            )
            line = (
                "Spatial order, repeatability, random weights from the top down, noise, "
                "infidelity: dozens of runs of the model."
            )
            rich_line([[Segment(line, "quiet")]], key="sanity_cost", tone="quiet")


def _ask_for(live: Live) -> None:
    page_state(FaithfulnessState).checked.add(live.wanted.checks)


def _lines(record: Record, titles: dict[str, str]) -> list[list[Segment]]:
    """A line for what no method takes part in, and one for each method."""
    checks = record.tables["sanity"]
    lines = []
    for method, rows in checks.groupby("method", sort=False):
        name = titles.get(str(method), "The pipeline")
        line = [Segment(f"{name}   ", "small")]
        for check, steps in rows.groupby("check", sort=False):
            line += [_tick(str(check), steps), Segment("   ", "small")]
        lines.append(line)
    return lines


def _tick(check: str, steps: pd.DataFrame) -> Segment:
    """Passed or not by all of its steps; the number is the last step's, or the worst picture's."""
    passed, values = bool(steps["passed"].all()), steps["value"]
    value = float(values.min() if check == WORST_IS_LEAST else values.iloc[-1])
    told = "passed" if passed else "not passed"
    hint = f"{check}: {told}. It passes {SANITY_LIMITS.get(check, '')}."
    return Segment(f"{'✓' if passed else '✗'} {check} {value:.3g}", "small", hint=hint)
