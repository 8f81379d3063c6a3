"""What an interventions record says, drawn: sentences, both answers, bars, box scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.figures import logit_changes_figure, map_grid_figure, relevance_figure
from medgemma_dash.services.interventions.reading import (
    WordChange,
    answer_line,
    answers_of,
    band,
    box_line,
    change_line,
    chosen_words,
    selection,
    selection_line,
    word_changes,
)
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import quoted
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.ui.state.study import Study

TALLEST = "26rem"
WORD_PX = 110
WORD_COLUMNS = {
    "logit": ("%.2f", "Of the word's tokens together, where they were chosen"),
    "after": ("%.2f", "The same with the patches removed, or alone kept"),
    "elsewhere": ("%.2f", "The mean over the same shape in other places of the picture"),
    "no image": ("%.2f", "With all of the image removed in the same way"),
}
TEXT_COLUMNS = {
    "p": "The word's probability",
    "p after": "With the patches removed, or alone kept",
    "most probable after": "What the model would rather say in the place of the word's first token",
}
BOX_COLUMNS = {
    "value": "Of the map against the selection",
    "uniform": "What a map that is the same everywhere gives",
    "elsewhere": "Mean over the same shape at every other place where it fits",
    "beats": "Share of those places that score lower than the selection, equal ones counted half",
}
MEASURE_HELP = (
    "Pointing game: whether the map's peak lies in the selection or next to it. Energy inside: "
    "share of the map's positive relevance. Overlap: intersection over union with the patches of "
    "at least half the peak."
)


def show_interventions(record: Record) -> None:
    """Draw a record whole, with no need of its film, its answer or a model: over its film where
    the session has that open.
    """
    with st.container(key="intervention_columns"):
        left, right = st.columns([44, 56], gap="medium")
    with left:
        study = current_session().study
        number = int(record.plan["image"])
        wanted = record.plan["asked"]["image_sha256s"][number]
        if study is not None and study.radiograph.sha256 == wanted:
            _over_film(record, study)
        else:
            _without_film(record)
    with right:
        show_changes(record)


def show_changes(record: Record, *, part: str = "") -> None:
    """Everything but the picture. part: tells its widgets apart from others on the page."""
    words = word_changes(record)
    rich_line(
        [[Segment(change_line(record))], [Segment(selection_line(record), "small")]],
        key=f"{part}changes_line",
        tone="card",
        announce="status",
    )
    _answers(record, part)
    if words:
        _bars(record, words, part)
    _box(record, part)


def _answers(record: Record, part: str) -> None:
    answers = answers_of(record)
    same = answers["before"].strip() == answers["after"].strip()
    names = {"given": "Given", "before": "Before", "after": "After"}
    line = [
        [Segment(f"{name}  ", "quiet"), Segment(answers[which].strip() or "nothing", "word")]
        for which, name in names.items()
        if which in answers and not (same and which == "after")
    ]
    if same:
        line.append([Segment("After  ", "quiet"), Segment(answer_line(record), "small")])
    rich_line(line, key=f"{part}changed_answers")


def _bars(record: Record, words: tuple[WordChange, ...], part: str) -> None:
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key=f"{part}changes_title",
    ):
        beside = "; the band is the same shape elsewhere" if words[0].elsewhere else ""
        st.caption(f"Change of each word's logit{beside}", width="content")
        popover = st.popover(
            "as a table", key=f"{part}changes_table", on_change="rerun", type="tertiary"
        )
    if popover.open:
        with popover, st.container(key=f"{part}changes_menu"):
            _table(record, words, part)
    chart(
        logit_changes_figure(
            [quoted(word.text) for word in words],
            [word.change for word in words],
            [band(word) for word in words],
            is_dark(),
            chosen=chosen_words(record),
        ),
        key=f"{part}changes_figure",
        alt=f"Bars: how each word's logit changes. {change_line(record)}",
    )


def _table(record: Record, words: tuple[WordChange, ...], part: str) -> None:
    frame = pd.DataFrame(
        [
            (
                quoted(word.text),
                word.logit,
                word.logit + word.change,
                word.logit + word.mean,
                word.logit + word.whole,
                _probability(word.probability),
                _probability(word.probability_after),
                quoted(word.first),
            )
            for word in words
        ],
        columns=["word", *WORD_COLUMNS, *TEXT_COLUMNS],
    ).set_index("word")
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(format=form, help=said)
        for name, (form, said) in WORD_COLUMNS.items()
    }
    columns |= {name: st.column_config.TextColumn(help=said) for name, said in TEXT_COLUMNS.items()}
    columns["_index"] = st.column_config.TextColumn(width=WORD_PX)
    numbers_table(frame, key=f"{part}changes_numbers", columns=columns)


def _probability(value: float) -> str:
    """In three decimals, and never a false 0 or 1."""
    if value < 0.0005:
        return "< 0.001"
    return "> 0.999" if value > 0.9995 else f"{value:.3f}"


def _box(record: Record, part: str) -> None:
    rich_line([[Segment(box_line(record), "small")]], key=f"{part}box_line")
    box = record.tables["box"]
    if str(box["problem"].iloc[0]):
        return
    frame = pd.DataFrame(
        {
            "value": box["value"],
            "uniform": box["uniform"],
            "elsewhere": box["displaced"],
            "beats": box["below"],
        }
    ).round(2)
    frame = frame.set_index(pd.Index(box["measure"], name="against the map"))
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="percent", help=said)
        for name, said in BOX_COLUMNS.items()
    }
    columns["_index"] = st.column_config.TextColumn(help=MEASURE_HELP)
    numbers_table(frame, key=f"{part}box_numbers", columns=columns)


def _over_film(record: Record, study: Study) -> None:
    radiograph, display = study.radiograph, chosen_display()
    chosen = selection(record)
    image = record.maps.get(record.plan["method"])
    figure = relevance_figure(
        displayed_jpeg(study),
        radiograph.width,
        radiograph.height,
        chosen.shape,
        image,
        mode=display.mode,
        opacity=display.opacity,
        signed=image is not None and bool(image.min() < 0),
        selected_cells=[(int(row), int(col)) for row, col in np.argwhere(chosen)],
        mark_peak=False,
        dark=is_dark(),
    )
    with film_box("changes_film", radiograph.width, radiograph.height, tallest=TALLEST):
        chart(
            figure,
            key="changes_map",
            height="stretch",
            alt=f"The radiograph with its map. {selection_line(record)}",
            tools=True,
        )


def _without_film(record: Record) -> None:
    verb = "removed" if record.plan["how"] == "remove" else "kept"
    shown = {verb: selection(record).astype(np.float32)}
    target = quoted(str(record.plan["target"]["text"]))
    shown |= {f"{target} · {name}": image for name, image in record.maps.items()}
    st.caption("The film is not open here: the patches and the map stand alone.")
    chart(
        map_grid_figure(
            list(shown.values()),
            list(shown),
            signed=any(bool(one.min() < 0) for one in shown.values()),
            dark=is_dark(),
        ),
        key="changes_maps",
        alt=f"The patches that were {verb}, and the map. {selection_line(record)}",
    )
