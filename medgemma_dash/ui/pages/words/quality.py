"""What the words' maps are like: bars beside their targets, and a table of every number."""

from __future__ import annotations

from functools import partial
from math import exp, isfinite, log
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.figures import QualityMeasure, quality_figure
from medgemma_dash.figures.quality_bars import MARK_SIGNS
from medgemma_dash.metrics.agreement_square import telling_decimals
from medgemma_dash.metrics.map_quality import BORDER, CLEAR_PEAK, DIFFUSE, FOCUSED, INSIDE_BODY
from medgemma_dash.services.evidence.reading import probability
from medgemma_dash.services.words.rows import full_names
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.pages.words.maps import body_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas.io.formats.style import Styler

    from medgemma_dash.services.words.rows import WordRow
    from medgemma_dash.ui.state.study import Study

COLUMNS_PX = {"wide": (2, 560), "medium": (2, 720), "narrow": (1, 358)}
LEAST_BORDER, LEAST_PEAK = 0.3, 12.0
METHOD_PX = 158  # the longest name of one
TITLES = {
    "inside_body": "Inside the body",
    "border": "On the border",
    "left": "Image's left half",
    "right": "Image's right half",
    "apical": "Apical third",
    "basal": "Basal third",
    "entropy": "Entropy",
    "peak_ratio": "Peak / mean",
}
SHORT = {
    "inside_body": "inside body",
    "border": "border",
    "left": "left",
    "right": "right",
    "apical": "apical",
    "basal": "basal",
    "entropy": "entropy",
    "peak_ratio": "peak / mean",
}
HELP = {
    "place": "Where the word stands: in the answer, in the prompt, or forced into the answer.",
    "method": "What made the map, as published; none where no method gave one.",
    "p": "Probability that the model gave the word where it stands, with the image.",
    "inside_body": "Share of the map's positive relevance on the body.",
    "border": "Share on the outermost ring of patches, where nothing of the chest lies.",
    "left": "Share on the image's left half, which is most often the patient's right.",
    "right": "Share on the image's right half.",
    "apical": "Share on the upper third of the image.",
    "basal": "Share on the lower third of the image.",
    "entropy": "How spread out the map is, in nats: 0 is all in one patch, 5.55 even over 256.",
    "peak_ratio": "The highest patch over the mean patch: how far the peak stands out.",
}


def quality_bars(rows: Sequence[WordRow], film: Study | None, about: list[tuple[str, str]]) -> None:
    """A bar for each map in each of eight measures, with the lines of their targets."""
    mapped = [row for row in rows if row.map is not None]
    if not mapped:
        return
    columns, room = COLUMNS_PX[window_width()]
    chart(
        quality_figure(
            full_names(mapped),
            measures_of(mapped, film),
            columns=columns,
            room_px=room,
            dark=is_dark(),
        ),
        key="words_quality",
        alt="Bars: what each word's map is like, in eight measures, beside their targets.",
        about=about,
    )


def measures_of(rows: Sequence[WordRow], film: Study | None) -> list[QualityMeasure]:
    """The eight measures of rows with a map; film: for what an even map has inside its body."""
    image = rows[0].map
    assert image is not None  # noqa: S101  asked for rows with a map
    (height, width), cells = image.shape, image.size
    ring = 1 - max(0, height - 2) * max(0, width - 2) / cells
    inside = even_inside(rows, film)
    most = max((row.numbers["peak_ratio"] for row in rows if isfinite(row.numbers["peak_ratio"])),
               default=0.0)  # fmt: skip
    widest = max((row.numbers["border"] for row in rows if isfinite(row.numbers["border"])),
                 default=0.0)  # fmt: skip
    good, fair = INSIDE_BODY
    bodied = f"good ≥ {good:.0%}, acceptable ≥ {fair:.0%}"
    bordered = f"good ≤ {BORDER[0]:.0%}, acceptable ≤ {BORDER[1]:.0%}"
    spread = f"nats: good ≤ {FOCUSED:g}, acceptable ≤ {DIFFUSE:g}"
    clear = f"good > {CLEAR_PEAK:g}, else acceptable"
    reach = max(LEAST_BORDER, widest)
    return [
        _measure("inside_body", rows, bodied, good, fair, inside, 1.0),
        _measure("border", rows, bordered, *BORDER, ring, reach),
        _measure("left", rows, "no target", None, None, 0.5, 1.0),
        _measure("right", rows, "no target", None, None, 0.5, 1.0),
        _measure("apical", rows, "no target", None, None, 1 / 3, 1.0),
        _measure("basal", rows, "no target", None, None, 1 / 3, 1.0),
        _measure("entropy", rows, spread, FOCUSED, DIFFUSE, log(cells), max(log(cells), 1e-9)),
        _measure("peak_ratio", rows, clear, CLEAR_PEAK, None, 1.0, max(LEAST_PEAK, most)),
    ]  # fmt: skip


def even_inside(rows: Sequence[WordRow], film: Study | None) -> float | None:
    """What an even map has inside the body, where every map is of the open film."""
    image = next((row.map for row in rows if row.map is not None), None)
    if film is None or image is None:
        return None
    if any(row.image_sha256 != film.radiograph.sha256 for row in rows):
        return None
    return float(body_share(film, (image.shape[0], image.shape[1])).mean())


def quality_table(rows: Sequence[WordRow], film: Study | None) -> None:
    """Every number of every row, whether there is a map or not; film: as of `measures_of`."""
    names = [f"{name} · {n}" if n else name for name, n in _numbered(full_names(rows))]
    frame = pd.DataFrame(
        [
            {
                **{SHORT[name]: row.numbers[name] for name in TITLES},
                "p": _probability(row),
                "method": row.method or "none",
                "place": row.place,
            }
            for row in rows
        ],
        index=pd.Index(names, name="word"),
    )
    marks = dict(zip(names, rows, strict=True))
    wide = window_width() == "wide"
    numbers_table(
        frame,
        key="words_table",
        columns={"_index": st.column_config.Column(width="medium" if wide else None)}
        | {
            SHORT.get(name, name): st.column_config.Column(
                help=said, width=METHOD_PX if name == "method" and wide else None
            )
            for name, said in HELP.items()
        },
        style=partial(_styled, marks, even_inside(rows, film)),
    )
    st.caption(
        "Of the raw maps, whatever the picture leaves out. ● good · ◐ acceptable · ○ poor, as "
        "published. Of signed maps every number is of the positive part, the evidence for."
    )


def _measure(
    name: str,
    rows: Sequence[WordRow],
    target: str,
    good: float | None,
    acceptable: float | None,
    even: float | None,
    reach: float,
) -> QualityMeasure:
    values = [row.numbers[name] for row in rows]
    return QualityMeasure(
        title=TITLES[name],
        target=target,
        good=good,
        acceptable=acceptable,
        even=even,
        reach=reach,
        values=values,
        shown=[shown_number(name, value, even) for value in values],
        marks=[row.marks.get(name) for row in rows],
    )


# Decimals of what is no share, and where the marks change.
_DECIMALS = {"entropy": 2, "peak_ratio": 1}
_LIMITS = {
    "inside_body": INSIDE_BODY,
    "border": BORDER,
    "entropy": (FOCUSED, DIFFUSE),
    "peak_ratio": (CLEAR_PEAK,),
}


def shown_number(name: str, value: float, even: float | None = None) -> str:
    """A measure's number, in as many decimals as tell it from where its mark would change.

    even: what an even map has; of the body's share, which is compared with it, told apart too.
    """
    if not isfinite(value):
        return "–"
    limits = _LIMITS.get(name, ())
    if name == "inside_body" and even is not None:
        limits = (*limits, even)
    if name in _DECIMALS:
        return f"{value:.{telling_decimals(value, limits, _DECIMALS[name])}f}"
    decimals = telling_decimals(100 * value, [100 * one for one in limits], 0)
    return f"{value:.{decimals}%}"


def _styled(rows: dict[str, WordRow], even: float | None, frame: pd.DataFrame) -> Styler:
    shares = {short: partial(shown_number, name) for name, short in SHORT.items()}
    formats = {"p": _probability_words, "place": "{}", "method": "{}"} | shares
    styled = frame.style.format({one: formats[one] for one in frame.columns}, na_rep="–")
    for name, row in rows.items():
        for measure, mark in row.marks.items():
            title = SHORT[measure]
            if title in frame:
                shown = f"{MARK_SIGNS[mark]} {shown_number(measure, row.numbers[measure], even)}"
                styled.format(lambda _, said=shown: said, subset=pd.IndexSlice[[name], [title]])
    return styled


def _probability(row: WordRow) -> float:
    return exp(min(row.log_probability, 0.0))


def _probability_words(p: float) -> str:
    return probability(log(p)) if p > 0 else "0"


def _numbered(names: Sequence[str]) -> list[tuple[str, int]]:
    """A name that comes again gets a number, for the table's lines are told apart by them."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append((name, seen[name] if seen[name] > 1 else 0))
    return found
