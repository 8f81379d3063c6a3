"""Beside the scores: by finding, by strategy, over phrasings, and the maps; one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.figures import PartScore, part_scores_figure
from medgemma_dash.services.questions.behind import rows_behind, rows_of_flips, rows_of_maps
from medgemma_dash.services.questions.reading import interval_text
from medgemma_dash.services.questions.sentences import (
    flips_sentence,
    maps_sentence,
    parts_sentence,
)
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.one_of import one_of
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.pages.questions.cells import bars_chart, cells_table
from medgemma_dash.ui.pages.questions.state import MEASURE, PART

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medgemma_dash.core.record import Record
    from medgemma_dash.ui.pages.questions.cells import Rows

FINDING, STRATEGY = "By finding", "By strategy"
PHRASINGS, MAPS = "Phrasings", "Maps"
MEASURES = {
    "accuracy": "Accuracy",
    "auc": "AUC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
CONDITIONS = {"": "with the image", "blank": "blanked", "swapped": "swapped"}
MEASURE_HINTS = {
    "rows": "Rows that were answered and whose truth is known.",
    "with the image": "The measure, with its 95% interval over patients or images.",
    "blanked": "The same, of the margin's sign, with the image blanked.",
    "swapped": "The same with an image of the other truth in its place.",
}
MEASURE_HELP = (
    "Accuracy: share of right answers. AUC: area under the ROC curve of the margin, 0.5 is chance. "
    "Sensitivity: of those whose truth is yes, the share answered yes; specificity: of those whose "
    "truth is no, the share answered no."
)
FLIP_HINTS = {
    "_index": "Each beside its baseline wording; withheld are those that were kept back while "
    "anything was chosen or tuned.",
    "groups": "Groups of one image and one baseline question.",
    "flipped": "Share of groups whose answers are not all equal, with its 95% interval; of a "
    "strategy, those in which a wording has another answer than the baseline.",
    "consistency": "Share of the commonest answer in a group, mean over groups.",
    "yes to no": "Wordings answered no where the baseline wording was answered yes.",
    "no to yes": "The other way round.",
    "holds": "Wordings with the baseline wording's answer.",
    "other": "Where one of the two answers is neither yes nor no.",
    "margin": "How far the margin moves from the baseline wording's, mean of magnitudes.",
}
MAP_HINTS = {
    "_index": "Wordings whose answer is another than the baseline wording's, and those with its.",
    "pairs": "Wordings beside their baseline wording.",
    "divergence": "Jensen-Shannon divergence of the two maps in nats, mean with its 95% interval: "
    "0 is the same map, 0.69 no cell in common.",
}
_FLIP_CHANGES = {
    "yes to no": "yes_to_no", "no to yes": "no_to_yes", "other": "other", "flipped": "flipped",
}  # fmt: skip


def parts_panel(record: Record) -> None:
    """Draw what the reader chose of the four."""
    part_heading("Parts", "parts")
    with st.container(horizontal=True, vertical_alignment="center", key="questions_choices"):
        panel = one_of("Beside the scores", [FINDING, STRATEGY, PHRASINGS, MAPS], PART)
        measure = _measure() if panel in (FINDING, STRATEGY) else ""
    if panel == PHRASINGS:
        _flips(record)
    elif panel == MAPS:
        _maps(record)
    else:
        _by(record, "finding" if panel == FINDING else "strategy", measure)


def _measure() -> str:
    chosen = st.selectbox(
        "Measure",
        list(MEASURES),
        format_func=MEASURES.__getitem__,
        key=MEASURE,
        persist_state="session",
        label_visibility="collapsed",
        width=150,
    )
    return str(chosen)


def _by(record: Record, by: str, measure: str) -> None:
    summary = record.tables["summary"]
    lines = summary[(summary["by"] == by) & (summary["measure"] == measure)]
    lines = lines[lines["value"].notna()]
    _sentence(parts_sentence(record, by, measure))
    if not len(lines):
        return
    names = list(lines["name"])

    def behind(place: int, _: str) -> tuple[str, pd.DataFrame]:
        rows = rows_behind(record, by, names[place], measure)
        return f"behind {MEASURES[measure]} of {names[place]}", rows

    floors = (("image blanked", "blank"), ("image swapped", "swapped"))
    _bars(
        [
            PartScore(
                line["name"],
                float(line["value"]),
                float(line["low"]),
                float(line["high"]),
                tuple((title, float(line[column])) for title, column in floors),
                int(line["rows"]),
            )
            for _, line in lines.iterrows()
        ],
        key=f"questions_by_{by}",
        alt=f"Bars: {MEASURES[measure]} of each {by} with its 95% interval, and marks where it is "
        "with the image blanked and swapped.",
        rows=behind,
    )
    numbers = {
        title: [interval_text(line, condition) for _, line in lines.iterrows()]
        for condition, title in CONDITIONS.items()
    }
    table = pd.DataFrame(
        {"rows": lines["rows"].to_numpy()} | numbers, index=pd.Index(names, name=by)
    )
    hints = MEASURE_HINTS | {"_index": f"The {by} that the rows are of."}
    _as_a_table(table, f"questions_{by}_table", hints, behind)


def _flips(record: Record) -> None:
    flips = record.tables["flips"]
    _sentence(flips_sentence(record))
    if not len(flips):
        return
    keys = list(zip(flips["phrasing"], flips["strategy"], strict=True))
    names = [f"{strategy or 'all'}, {phrasing}" for phrasing, strategy in keys]

    def behind(place: int, name: str) -> tuple[str, pd.DataFrame]:
        what = "groups" if name == "flipped" else "wordings"
        label = f"behind “{name}” over {names[place]}: {what} with their baseline wordings"
        if name == "holds":
            both = [rows_of_flips(record, *keys[place], one) for one in ("yes_to_yes", "no_to_no")]
            return label, pd.concat(both)
        return label, rows_of_flips(record, *keys[place], _FLIP_CHANGES.get(name, ""))

    _bars(
        [
            PartScore(name, float(line["flipped"]), float(line["low"]), float(line["high"]),
                      (), int(line["groups"]))
            for name, (_, line) in zip(names, flips.iterrows(), strict=True)
        ],
        key="questions_flips",
        alt="Bars: the share of groups whose answer flips, over shown and over withheld phrasings "
        "and over each strategy, with 95% intervals.",
        rows=lambda place, _: behind(place, "flipped"),
        counted="groups",
    )  # fmt: skip

    table = pd.DataFrame(
        {
            "groups": flips["groups"].to_numpy(),
            "flipped": [_with_ends(line, "flipped") for _, line in flips.iterrows()],
            "consistency": flips["consistency"].round(2).to_numpy(),
            "yes to no": flips["yes_to_no"].to_numpy(),
            "no to yes": flips["no_to_yes"].to_numpy(),
            "holds": (flips["yes_to_yes"] + flips["no_to_no"]).to_numpy(),
            "other": flips["other"].to_numpy(),
            "margin": flips["margin_change"].round(2).to_numpy(),
        },
        index=pd.Index(names, name="wordings"),
    )
    # Of all wordings in sight, of each strategy a click away.
    whole = flips["strategy"].to_numpy() == ""
    places = [place for place, one in enumerate(whole) if one]
    cells_table(
        table[whole].drop(columns=["groups", "margin"]),
        key="questions_changes",
        hints=FLIP_HINTS,
        rows=lambda place, name: behind(places[place], name),
    )
    _as_a_table(table, "questions_flips_table", FLIP_HINTS, behind)


def _maps(record: Record) -> None:
    table = record.tables["map_changes"]
    _sentence(maps_sentence(record))
    if not len(table):
        return
    keys = list(zip(table["phrasing"], table["answer"], strict=True))
    names = [f"{phrasing}, answer {answer}" for phrasing, answer in keys]

    def behind(place: int, _: str) -> tuple[str, pd.DataFrame]:
        return f"of pairs {names[place]}", rows_of_maps(record, *keys[place])

    ends = [*table["js_divergence"], *table["high"].dropna()]
    _bars(
        [
            PartScore(name, float(line["js_divergence"]), float(line["low"]), float(line["high"]),
                      (), int(line["pairs"]))
            for name, (_, line) in zip(names, table.iterrows(), strict=True)
        ],
        key="questions_maps_figure",
        alt="Bars: how far a wording's map is from its baseline wording's, where the answer flips "
        "and where it holds, with 95% intervals.",
        rows=behind,
        reach=(0.0, max(ends) or 1.0),
        counted="pairs",
        decimals=3,
    )  # fmt: skip
    numbers = pd.DataFrame(
        {
            "pairs": table["pairs"].to_numpy(),
            "divergence": [_with_ends(line, "js_divergence", 3) for _, line in table.iterrows()],
        },
        index=pd.Index(names, name="wordings"),
    )
    cells_table(numbers, key="questions_maps_table", hints=MAP_HINTS, rows=behind)


def _sentence(text: str) -> None:
    rich_line([[Segment(text)]], key="questions_part_sentence", announce="status")


def _bars(
    parts: list[PartScore],
    *,
    key: str,
    alt: str,
    rows: Rows,
    reach: tuple[float, float] = (0.0, 1.0),
    counted: str = "rows",
    decimals: int = 2,
) -> None:
    figure = part_scores_figure(parts, is_dark(), reach=reach, counted=counted, decimals=decimals)
    bars_chart(figure, key=key, alt=alt, rows=rows)


def _as_a_table(
    frame: pd.DataFrame,
    key: str,
    hints: Mapping[str, str],
    rows: Rows,
) -> None:
    menu = st.popover("As a table", key=f"{key}_menu", type="tertiary", on_change="rerun")
    if menu.open:
        with menu, st.container(key=f"{key}_frame", width=640):
            if frame.columns[0] == "rows":
                st.caption(MEASURE_HELP)
            cells_table(frame, key=key, hints=hints, rows=rows)


def _with_ends(line: pd.Series, column: str, decimals: int = 2) -> str:
    value, low, high = (float(line[name]) for name in (column, "low", "high"))
    if low != low:
        return f"{value:.{decimals}f}"
    return f"{value:.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"
