"""Every prompt about every image in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.pages.prompts.state import PairState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from medgemma_dash.services.prompts.grid import Asked, PromptGrid

TEXT_PX, NAME_PX = 200, 190
FORMATS = {"margin": "{:+.2f}", "p(yes)": "{:.1%}", "p(no)": "{:.1%}", "divergence": "{:.3f}"}
COLUMNS: dict[str, Any] = {
    "_index": st.column_config.TextColumn(
        help="Number, strategy and change of the image.", width=NAME_PX
    ),
    "read as": st.column_config.TextColumn(help="Yes, no or uncertain, read from the answer."),
    "margin": st.column_config.NumberColumn(
        help="Logits of all one-token spellings of yes against those of no, at the first word, in "
        "nats: above 0 for yes.",
    ),
    "p(yes)": st.column_config.NumberColumn(help="All those spellings of yes together."),
    "p(no)": st.column_config.NumberColumn(help="All those of no together."),
    "divergence": st.column_config.NumberColumn(
        help=f"From the map in the white frame. {AGREEMENT_MEASURES['divergence'].help}",
    ),
    "displaced": st.column_config.TextColumn(
        help="What 95% of displaced copies of the same two maps give.",
    ),
    "verdict": st.column_config.TextColumn(
        help="Whether the two are clearly more alike than controls are."
    ),
    "answer": st.column_config.TextColumn(help="What the model said.", width=TEXT_PX),
    "prompt": st.column_config.TextColumn(help="As it was asked.", width=TEXT_PX),
}


def prompt_numbers(grid: PromptGrid) -> None:
    """Folded away until it is asked for."""
    table = st.expander("Every prompt as a table", key="prompts_table", on_change="rerun")
    if table.open:
        with table:
            numbers_table(
                prompts_frame(grid), key="prompts_numbers", columns=COLUMNS, style=_styled
            )
            line = f"Divergence, displaced and verdict: from the map of {_reference(grid).name}."
            rich_line([[Segment(line, "small")]], key="prompts_table_from", tone="quiet")


def prompts_frame(grid: PromptGrid) -> pd.DataFrame:
    """A line for each, with its map held against that in the white frame."""
    pair, reference = page_state(PairState), _reference(grid)
    rows = {}
    for one in grid.cells.values():
        judged = None if one is reference else pair.judge(reference, one, "divergence")
        rows[one.name] = {
            "read as": one.parsed,
            "margin": one.margin,
            "p(yes)": one.probability_yes,
            "p(no)": one.probability_no,
            "divergence": float("nan") if judged is None else judged.value,
            "displaced": "" if judged is None else f"{judged.low:.3f} to {judged.high:.3f}",
            "verdict": "" if judged is None else judged.verdict,
            "answer": one.answer,
            "prompt": one.prompt,
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "name"
    return frame


def _reference(grid: PromptGrid) -> Asked:
    return grid.named(page_state(PairState).reference) or grid.baseline


def _styled(frame: pd.DataFrame) -> Styler:
    return frame.style.format(
        {name: FORMATS[name] for name in frame if name in FORMATS}, na_rep="–"
    )
