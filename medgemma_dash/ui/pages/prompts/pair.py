"""Two prompts held against each other: answers, maps, their difference, and the prompts' words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.figures import MapPanel, prompt_words_figure
from medgemma_dash.figures.map_pair import map_pair_figure
from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.prompts.reading import (
    answers_line,
    divergence_line,
    overlap_line,
    words_line,
)
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.map_display import chosen_display
from medgemma_dash.ui.components.rich_line import Segment, reason_line, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.whole_table import whole_table
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.pages.prompts.films import film_below
from medgemma_dash.ui.pages.prompts.state import PairState
from medgemma_dash.ui.state.session import give_widget, page_state

if TYPE_CHECKING:
    from medgemma_dash.services.prompts.grid import Asked, PromptGrid
    from medgemma_dash.ui.components.window_width import WindowWidth
    from medgemma_dash.ui.state.study import Study

FILM_PX = 320
# Bars of words below the matrix, and below the pair; and heights of the pair's maps.
CONTROLS = (
    "Displaced: 95% of what the same two maps give when one of them is shifted to other places and "
    "mirrored. Alike: clearly nearer than that, and than either is to a blot in the centre or to "
    "an even map."
)
MOST_WORDS, FEWER_WORDS = 5, 4
PANEL_PX: dict[WindowWidth, int] = {"wide": 180, "medium": 200, "narrow": 112}
LOW_PANEL_PX = 152
LETTER_PX = 7  # of a title
Part = Literal["reference", "chosen"]
LABELS: dict[Part, str] = {"chosen": "The chosen map", "reference": "held against"}


def chosen_pair(grid: PromptGrid, study: Study | None, *, low: bool) -> None:
    """Draw the pair that is chosen; study: the open film where it is the record's.

    low: whether it has to leave room for the words below it.
    """
    _pickers(grid)
    reference, chosen = page_state(PairState).of(grid)
    lines = [
        [Segment(f"{one.name}  ", "quiet"), Segment(one.prompt), Segment(f"  {one.answer}", "word")]
        for one in (reference, chosen)
    ]
    lines.append([Segment(answers_line(reference, chosen))])
    pair = page_state(PairState)
    divergence, overlap = (
        pair.judge(reference, chosen, measure) for measure in ("divergence", "top_overlap")
    )
    if chosen is not reference and divergence is not None and overlap is not None:
        lines += [
            [Segment(line, "small", hint=f"{AGREEMENT_MEASURES[name].help} {CONTROLS}")]
            for name, line in (
                ("divergence", divergence_line(divergence)),
                ("top_overlap", overlap_line(overlap)),
            )
        ]
    rich_line(lines, key="prompts_pair_words", announce="status")
    panel_px = PANEL_PX[window_width()]
    _maps(reference, chosen, study, min(panel_px, LOW_PANEL_PX) if low else panel_px)


def _pickers(grid: PromptGrid) -> None:
    """The same choice as on the matrix, by keyboard, and what is held against it."""
    pair = page_state(PairState)
    names = [one.name for one in grid.cells.values()]
    with st.container(horizontal=True, key="prompts_pickers", gap="small"):
        for part, label in LABELS.items():
            key = f"prompts_{part}_{pair.turn}"
            give_widget(key, getattr(pair, part))
            st.selectbox(
                label,
                names,
                format_func=(f"{label} {{}}" if part == "reference" else "{}").format,
                key=key,
                on_change=_pick,
                args=(part, pair.turn),
                label_visibility="collapsed",
                persist_state="session",
            )


def _pick(part: Part, turn: int) -> None:
    pair = page_state(PairState)
    # The browser may still tell of pickers that a click on the matrix has replaced.
    if turn == pair.turn:
        setattr(pair, part, st.session_state[f"prompts_{part}_{turn}"])


def _maps(reference: Asked, chosen: Asked, study: Study | None, panel_px: int) -> None:
    missing = [one for one in dict.fromkeys((reference, chosen)) if one.image_map is None]
    if missing:
        lines = [reason_line(f"No map of {one.name}", one.no_map) for one in missing]
        rich_line(lines, key="prompts_no_map", tone="quiet")
        return
    display = chosen_display()
    figure = map_pair_figure(
        _panel(reference, study, panel_px),
        _panel(chosen, study, panel_px),
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        dark=is_dark(),
        panel_px=panel_px,
    )
    chart(
        figure,
        key="prompt_pair",
        alt=f"The maps of {reference.name} and of {chosen.name} over the film, and the second less "
        "the first, as shares of each map's relevance on one scale.",
        about=[("first", reference.prompt), ("second", chosen.prompt)],
    )


def _panel(one: Asked, study: Study | None, panel_px: int) -> MapPanel:
    assert one.image_map is not None  # noqa: S101  asked for prompts with a map only
    rows, columns = one.image_map.shape
    film = None if study is None else study.radiograph
    return MapPanel(
        title=_cut(one.name, panel_px // LETTER_PX),
        radiograph_jpeg=film_below(study, one.perturbation, FILM_PX),
        width=columns if film is None else film.width,
        height=rows if film is None else film.height,
        grid=(rows, columns),
        image_map=one.image_map,
        signed=bool(np.min(one.image_map) < 0),
        laterality="unknown" if film is None else str(shown_laterality(film)),
    )


def _cut(name: str, longest: int) -> str:
    """So much of a name as stands over its map without reaching the next one's."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def words_of_pair(grid: PromptGrid, most: int) -> None:
    """Which words of either prompt the margin leaned on."""
    reference, chosen = page_state(PairState).of(grid)
    both = list(dict.fromkeys((reference, chosen)))
    with st.container(horizontal=True, key="prompts_words_title"):
        line = Segment(words_line(*both), "small", hint="The bars: raw, summed over tokens")
        rich_line([[line]], key="prompts_words_line")
        _words_table(both)
    for part, column in zip(both, st.columns(len(both), gap="small"), strict=True):
        with column:
            place = "first" if part is reference else "second"
            rich_line([[Segment(part.name, "small")]], key=f"prompts_words_of_{place}")
            if not part.words:
                continue
            chart(
                prompt_words_figure(part.words[:most], is_dark()),
                key=f"prompts_words_{place}",
                alt=f"Bars: relevance of the words of {part.name} for the margin.",
            )


def _words_table(both: list[Asked]) -> None:
    popover = st.popover(
        "as a table", key="prompts_words_table", on_change="rerun", type="tertiary"
    )
    if not popover.open:
        return
    rows = [
        {"prompt": one.name, "word": word.text, "relevance": word.value}
        for one in both
        for word in one.words
    ]
    columns = {
        "prompt": st.column_config.TextColumn(help="Whose word it is."),
        "word": st.column_config.TextColumn(
            help="Its tokens joined at white space, and shown without the punctuation behind it."
        ),
        "relevance": st.column_config.NumberColumn(
            format="%.3g",
            help="Of its tokens for the margin, summed: positive speaks for yes. Raw, and "
            "comparable between prompts of one method only with care.",
        ),
    }
    with popover:
        whole_table(pd.DataFrame(rows, columns=list(columns)).set_index("prompt"), columns)
