"""The matrix of prompts and images, to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.figures import plain
from medgemma_dash.figures.prompt_matrix import prompt_matrix_figure
from medgemma_dash.figures.prompt_matrix_marks import MatrixCell
from medgemma_dash.figures.prompt_matrix_room import room_for
from medgemma_dash.metrics.agreement import divergence_in_words
from medgemma_dash.metrics.agreement_square import telling_decimals
from medgemma_dash.services.prompts.plan import UNCHANGED
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.map_display import chosen_display
from medgemma_dash.ui.components.matrix_clicks import matrix_clicks
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.pages.prompts.films import film_below
from medgemma_dash.ui.pages.prompts.state import PairState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.figures.prompt_matrix_room import Told
    from medgemma_dash.services.prompts.grid import Asked, PromptGrid
    from medgemma_dash.ui.components.window_width import WindowWidth
    from medgemma_dash.ui.state.study import Study

MATRIX = "prompt_matrix"
FILM_PX = 200
# Width and height that the figure has in a window, and how many prompts stand beside each other.
ROOM: dict[WindowWidth, tuple[int, int, int]] = {
    "wide": (740, 540, 12),
    "medium": (600, 640, 10),
    "narrow": (330, 1200, 4),
}
NAMED_PX = 80  # of a column whose title says more than a number
MOST_DRAWN = 24  # prompts, and images
ITSELF = "the film itself"
OF_WHAT = "Maps of the margin, the logits of yes against no, in nats."
# What stands at each map: where there is no room for numbers, the table has them.
AT_EACH: dict[Told, str] = {
    "all": "At each stand the answer (? is neither), the margin and its bar, and, small, the "
    "Jensen-Shannon divergence from the map in the white frame, bold where both are clearly more "
    "alike than controls.",
    "decision": "At each stand the answer (? is neither), the margin and its bar.",
    "nothing": "Under each is the margin's bar, to the right for yes, to the left for no; the "
    "table below has the numbers.",
}
CLICK = "A click chooses a map."


def prompt_matrix(grid: PromptGrid, study: Study | None) -> None:
    """Draw it; study: the open film where it is the record's."""
    pair = page_state(PairState)
    room_px, tallest_px, most = ROOM[window_width()]
    strategies, images = grid.strategies[:MOST_DRAWN], grid.perturbations[:MOST_DRAWN]
    drawn, count = len(strategies) * len(images), len(grid.strategies) * len(grid.perturbations)
    if drawn < count:
        line = f"The matrix has {drawn} of {count}: the pickers and the table have all."
        rich_line([[Segment(line, "small")]], key="prompts_not_drawn")
    # Prompts stand beside each other; where there is no room for them, below each other.
    turned = len(strategies) > most and len(images) < len(strategies)
    places = [[(strategy, image) for strategy in strategies] for image in images]
    if turned:
        places = [list(row) for row in zip(*places, strict=True)]
    cells = [[grid.cells.get(place) for place in row] for row in places]
    reference = grid.named(pair.reference) or grid.baseline
    prompts = [_title(grid, strategy) for strategy in strategies]
    # Alone, the film itself needs no name.
    films = [_image_words(one) for one in images] if len(images) > 1 else [""]
    if not turned and room_px / len(prompts) < NAMED_PX:
        rich_line([[Segment(" · ".join(prompts), "small")]], key="prompts_titles")
        prompts = [str(place) for place in range(1, len(prompts) + 1)]
    display = chosen_display()
    titles = (prompts, films) if turned else (films, prompts)
    ratio = _ratio(grid, study)
    figure = prompt_matrix_figure(
        [
            [None if one is None else _cell(one, reference, pair, study) for one in row]
            for row in cells
        ],
        *titles,
        ratio=ratio,
        signed=grid.signed,
        selected=_place(cells, pair.chosen),
        reference=_place(cells, pair.reference),
        room_px=room_px,
        tallest_px=tallest_px,
        mode=display.mode,
        opacity=display.opacity,
        colour_scale=display.colour_scale,
        dark=is_dark(),
    )
    chart(
        figure,
        key=MATRIX,
        alt=f"A small map for each of {len(strategies)} prompts about {len(images)} images, "
        "with the answer and the margin of each.",
        about=[("question", grid.baseline.prompt)],
    )

    def choose(cell: tuple[int, int]) -> None:
        column, row = cell
        clicked = cells[row][column]
        if clicked is not None:
            pair.chosen = clicked.name
            pair.turn += 1

    matrix_clicks(
        container=MATRIX,
        columns=len(cells[0]),
        rows=len(cells),
        key="prompts_clicks",
        on_click=choose,
    )
    tells = room_for(*titles, ratio, room_px, tallest_px).tells
    st.caption(f"{OF_WHAT} {AT_EACH[tells]} {CLICK}")


def _cell(one: Asked, reference: Asked, pair: PairState, study: Study | None) -> MatrixCell:
    lines = [
        f"<b>{plain(one.prompt, 70)}</b>",
        f"{plain(one.strategy, 40)}, {plain(_image_words(one.perturbation), 40)}",
        f"answer: {plain(one.answer, 70)}",
        f"margin <b>{one.margin:+.2f}</b> nats (yes {one.probability_yes:.0%}, "
        f"no {one.probability_no:.0%})",
    ]
    small = ""
    judged = None if one is reference else pair.judge(reference, one, "divergence")
    if one.image_map is None:
        lines.append(f"no map: {plain(one.no_map, 70)}")
    elif judged is not None:
        digits = max(3, telling_decimals(judged.value, (judged.low, judged.high)))
        small = f"{judged.value:.{digits}f}"
        small = f"<b>{small}</b>" if judged.alike else small
        lines.append(
            f"JS {judged.value:.{digits}f} nats from {plain(reference.name, 40)}, displaced "
            f"{judged.low:.{digits}f} to {judged.high:.{digits}f}: {judged.verdict}"
        )
        lines.append(f"as published: {divergence_in_words(judged.value)}")
    said = one.parsed if one.parsed in ("yes", "no") else "?"
    return MatrixCell(
        image_map=one.image_map,
        margin=one.margin,
        verdict=f"<b>{said}</b>",
        number=f"{one.margin:+.1f}",
        small=small,
        hover=lines,
        film=film_below(study, one.perturbation, FILM_PX),
    )


def _title(grid: PromptGrid, strategy: str) -> str:
    """As the record's rows about the film itself are called."""
    first = grid.cells.get((strategy, grid.perturbations[0]))
    return strategy if first is None else first.name


def _image_words(perturbation: str) -> str:
    return ITSELF if perturbation == UNCHANGED else perturbation


def _ratio(grid: PromptGrid, study: Study | None) -> float:
    """Width by height of the film, or of the grid of cells where there is none."""
    if study is not None:
        return study.radiograph.width / study.radiograph.height
    rows, columns = grid.maps[0].shape if grid.maps else (1, 1)
    return float(columns / rows)


def _place(cells: list[list[Asked | None]], name: str) -> tuple[int, int] | None:
    for row, line in enumerate(cells):
        for column, one in enumerate(line):
            if one is not None and one.name == name:
                return row, column
    return None
