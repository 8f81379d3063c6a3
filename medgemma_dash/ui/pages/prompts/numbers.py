"""Every prompt about every image in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES
from medgemma_dash.services.prompts.plan import UNCHANGED
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.pages.prompts.matrix import ITSELF
from medgemma_dash.ui.pages.prompts.state import PairState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.services.prompts.grid import PromptGrid

_NUMBER = st.column_config.NumberColumn
_TEXT = st.column_config.TextColumn
COLUMNS = {
    "_index": _TEXT(help="Number, strategy and change of the image."),
    "prompt": _TEXT(help="As it was asked."),
    "image": _TEXT(help="The film itself, or the change with its amount."),
    "answer": _TEXT(help="What the model said."),
    "read as": _TEXT(help="Yes, no or uncertain, read from the answer."),
    "margin": _NUMBER(
        format="%+.2f",
        help="Logits of all one-token spellings of yes against those of no, at the first word, in "
        "nats: above 0 for yes.",
    ),
    "p(yes)": _NUMBER(format="percent", help="All those spellings of yes together."),
    "p(no)": _NUMBER(format="percent", help="All those of no together."),
    "divergence": _NUMBER(
        format="%.3f",
        help=f"From the map in the white frame. {AGREEMENT_MEASURES['divergence'].help}",
    ),
    "displaced, low": _NUMBER(
        format="%.3f",
        help="The lower end of what 95% of displaced copies of the same two maps give.",
    ),
    "displaced, high": _NUMBER(format="%.3f", help="And the upper end."),
    "verdict": _TEXT(help="Whether the two are clearly more alike than controls are."),
}


def prompt_numbers(grid: PromptGrid) -> None:
    """Folded away until it is asked for."""
    table = st.expander("Every prompt as a table", key="prompts_table", on_change="rerun")
    if table.open:
        with table:
            numbers_table(prompts_frame(grid), key="prompts_numbers", columns=COLUMNS)


def prompts_frame(grid: PromptGrid) -> pd.DataFrame:
    """A line for each, with its map held against that in the white frame."""
    pair = page_state(PairState)
    reference = grid.named(pair.reference) or grid.baseline
    rows = {}
    for one in grid.cells.values():
        judged = None if one is reference else pair.judge(reference, one, "divergence")
        unknown = float("nan")
        rows[one.name] = {
            "prompt": one.prompt,
            "image": ITSELF if one.perturbation == UNCHANGED else one.perturbation,
            "answer": one.answer,
            "read as": one.parsed,
            "margin": one.margin,
            "p(yes)": one.probability_yes,
            "p(no)": one.probability_no,
            "divergence": unknown if judged is None else judged.value,
            "displaced, low": unknown if judged is None else judged.low,
            "displaced, high": unknown if judged is None else judged.high,
            "verdict": "" if judged is None else judged.verdict,
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "name"
    return frame
