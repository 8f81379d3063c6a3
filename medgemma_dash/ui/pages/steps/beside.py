"""What the common mistakes give, beside the right map, and how far they are from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES
from medgemma_dash.metrics.agreement_square import MOST_DECIMALS
from medgemma_dash.services.pipeline.sentences import (
    DECIMALS,
    TITLES,
    distance_sentence,
    mistake_sentence,
)
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.pages.steps.panels import film_panel, film_panels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medgemma_dash.core.answer import Answer
    from medgemma_dash.metrics.agreement_controls import JudgedAgreement
    from medgemma_dash.services.pipeline.view import Mistake, MistakeName, PipelineView
    from medgemma_dash.ui.state.study import Study

RIGHT = "Right"
_BAND = "of 95% of what displaced copies of the same two maps give"
COLUMNS = {
    "_index": st.column_config.TextColumn(help="The mistake that was made."),
    "Jensen-Shannon": st.column_config.NumberColumn(
        format="%.3f", help=AGREEMENT_MEASURES["divergence"].help
    ),
    "JS, displaced": st.column_config.TextColumn(help=f"Jensen-Shannon divergence {_BAND}."),
    "JS says": st.column_config.TextColumn(
        help="By the controls of the Compare page: displaced maps, a blot in the centre, an even "
        "map."
    ),
    "top 20%": st.column_config.NumberColumn(
        format="%.2f", help=AGREEMENT_MEASURES["top_overlap"].help
    ),
    "top 20%, displaced": st.column_config.TextColumn(help=f"Overlap {_BAND}."),
    "top 20% says": st.column_config.TextColumn(help="By the same controls."),
}


def mistake_beside(study: Study, answer: Answer, view: PipelineView, name: MistakeName) -> None:
    """The mistake of one step: what it is, both final maps, and the distance."""
    mistake = view.mistake(name)
    lines = [
        [
            Segment("The common mistake here: "),
            Segment(TITLES[name], "warning"),
            Segment(f". {mistake_sentence(mistake, answer, view)}"),
        ],
        [Segment(distance_sentence(mistake))],
    ]
    rich_line(lines, key="steps_mistake", tone="quiet")
    panels = [
        film_panel(study, RIGHT, view.image_map),
        film_panel(study, TITLES[name], mistake.image_map),
    ]
    film_panels(
        study,
        panels,
        key="steps_beside",
        scale="shared",
        columns=2,
        panel_px=215,
        alt=f"Two final maps on one scale: the right one, and that of the mistake: {TITLES[name]}.",
    )
    _table([mistake])


def every_mistake(study: Study, answer: Answer, view: PipelineView) -> None:
    """All mistakes' maps beside the right one, on one scale."""
    alike = [
        TITLES[one.name] for one in view.mistakes if one.divergence.alike and one.overlap.alike
    ]
    give, them = ("gives", "it") if len(alike) == 1 else ("give", "them")
    said = (
        f"{len(alike)} of {len(view.mistakes)} mistakes {give} a map that both measures still call "
        f"alike: {', '.join(alike)}. No look at the map would find {them} out."
        if alike
        else "No mistake gives a map that both measures still call alike."
    )
    rich_line([[Segment(said)]], key="steps_mistake", tone="quiet")
    panels = [
        film_panel(study, RIGHT if view.word is None else f"{RIGHT}, this token", view.image_map),
        *(
            film_panel(
                study,
                TITLES[one.name],
                one.image_map,
                caption=f"JS {one.divergence.value:.{DECIMALS}f}",
            )
            for one in view.mistakes
        ),
    ]
    film_panels(
        study,
        panels,
        key="steps_beside",
        scale="shared",
        panel_px=140,
        alt="Final maps on one scale: the right one, then that of every common mistake.",
    )
    _table(view.mistakes)


def _table(mistakes: Sequence[Mistake]) -> None:
    rows = [
        {
            "Jensen-Shannon": one.divergence.value,
            "JS, displaced": _band(one.divergence),
            "JS says": one.divergence.verdict,
            "top 20%": one.overlap.value,
            "top 20%, displaced": _band(one.overlap),
            "top 20% says": one.overlap.verdict,
        }
        for one in mistakes
    ]
    frame = pd.DataFrame(rows, index=[TITLES[one.name] for one in mistakes])
    with st.popover("as a table", key="steps_beside_menu", type="tertiary"):
        numbers_table(frame.round(MOST_DECIMALS), key="steps_beside_table", columns=COLUMNS)


def _band(judged: JudgedAgreement) -> str:
    return f"{judged.low:.3f} to {judged.high:.3f}"
