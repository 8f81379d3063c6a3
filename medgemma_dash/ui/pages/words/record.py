"""A words record on screen: the maps, what they are like, where each word stands, what failed.

Neither the radiograph nor the answer nor a model is needed.
"""

from __future__ import annotations

from itertools import groupby
from math import log
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.regions import shown_laterality
from medgemma_dash.reports.records.common import model_words
from medgemma_dash.services.evidence.reading import probability
from medgemma_dash.services.words.plan import CHAIN
from medgemma_dash.services.words.reading import (
    LONGEST_PRECEDING,
    alike_line,
    failed_together,
    quality_line,
    regions_line,
)
from medgemma_dash.services.words.rows import word_rows
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.record_frame import DIGEST_CHARACTERS, record_files
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.pages.words.maps import map_switches, word_maps
from medgemma_dash.ui.pages.words.quality import even_inside, quality_bars, quality_table
from medgemma_dash.ui.pages.words.state import WordsState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medgemma_dash.core.record import Record
    from medgemma_dash.services.words.plan import Place
    from medgemma_dash.services.words.rows import WordRow
    from medgemma_dash.ui.state.study import Study

UNLIKELY = 0.01
LONGEST_AROUND = 240  # letters of a text around its words
PLACE_WORDS: dict[Place, str] = {
    "answer": "In the answer",
    "prompt": "In the prompt",
    "forced": "Forced",
}


def show_words(record: Record, study: Study | None) -> None:
    """Draw the record. study: what is open; the maps lie on it where it is the record's film."""
    try:
        rows = word_rows(record)
        failed = list(failed_together(record))
    except (ResultFileError, KeyError) as error:
        rich_line([[Segment(str(error))]], key="words_unreadable", tone="error", announce="alert")
        return
    film = _film(rows, study)
    about = _about(record, rows)
    part_heading("Maps", "maps")
    side = "unknown" if film is None else str(shown_laterality(film.radiograph))
    said = regions_line(rows, side)
    if said:
        rich_line([[Segment(said)]], key="words_say")
    with st.container(key="words_columns"):
        left, right = st.columns([58, 42], gap="medium")
    with left:
        word_maps(rows, film, about)
        if any(row.map is not None for row in rows):
            map_switches(film)
        _no_film(rows, film)
        alike = _alike(record, rows)
        if alike:
            rich_line([[Segment(alike, "small")]], key="words_alike", tone="quiet")
        _standing(record, rows)
        if failed:
            lines = [[Segment(line, "small")] for line in failed]
            rich_line(lines, key="words_failed", tone="quiet")
    with right:
        part_heading("What the maps are like", "quality")
        line = quality_line(rows, even_inside(rows, film))
        if line:
            line += " Full line: good begins; dashed: acceptable; dotted: an even map."
            rich_line([[Segment(line, "small")]], key="words_reached", tone="quiet")
        quality_bars(rows, film, about)
    part_heading("In numbers", "numbers")
    quality_table(rows, film)
    record_files(record)


def _film(rows: Sequence[WordRow], study: Study | None) -> Study | None:
    """What is open, where a map is of it."""
    if study is None:
        return None
    return study if any(row.image_sha256 == study.radiograph.sha256 for row in rows) else None


def _no_film(rows: Sequence[WordRow], film: Study | None) -> None:
    """Of which radiographs there are maps without a film below them."""
    here = "" if film is None else film.radiograph.sha256
    missing = dict.fromkeys(row.image_sha256 for row in rows if row.image_sha256 != here)
    if not missing:
        return
    named = ", ".join(f"sha256 {one[:DIGEST_CHARACTERS]}…" for one in missing)
    line = f"Not open here: the radiograph {named}; its maps are drawn without it."
    rich_line([[Segment(line, "small")]], key="words_no_film", tone="quiet")


def _alike(record: Record, rows: Sequence[WordRow]) -> str:
    state = page_state(WordsState)
    if state.alike is None or state.alike[0] is not record:
        state.alike = record, alike_line(rows)
    return state.alike[1]


def _about(record: Record, rows: Sequence[WordRow]) -> list[tuple[str, str]]:
    """What the figures are of, for their files."""
    facts, plan = record.provenance, record.plan
    made = dict.fromkeys(row.method for row in rows if row.method)
    method = ", ".join(made) or "none"
    return [
        ("Film", ", ".join(f"sha256 {one[:DIGEST_CHARACTERS]}…" for one in facts.images)),
        ("Question", str(plan["asked"]["prompt"])),
        ("Words", ", ".join(map(str, plan["words"]))),
        ("Method", f"published chain: {method}" if plan["method"] == CHAIN else method),
        ("Model", model_words(facts)),
    ]


def _standing(record: Record, rows: Sequence[WordRow]) -> None:
    """Where each word stands: the text of its place with the word in it, and its probability."""
    asked = record.plan["asked"]
    texts = {"answer": str(asked["answer"]), "prompt": str(asked["prompt"])}
    lines = []
    first = sorted((row for row in rows if row.image == 1), key=lambda row: row.place)
    for place, group in groupby(first, key=lambda row: row.place):
        if place == "forced":
            lines += [_forced(row) for row in group]
        else:
            title = Segment(f"{PLACE_WORDS[place]}, each word with its probability:  ", "small")
            lines.append([title, *_marked(texts[place], list(group))])
    rich_line(lines, key="words_standing", tone="quiet")


def _marked(text: str, rows: Sequence[WordRow]) -> list[Segment]:
    """The text with its words marked, each with the probability that it had; of phrases that
    overlap the first and longest.
    """
    line: list[Segment] = []
    at = 0
    ends = [(len(text) - len(row.following), row) for row in rows]
    places = [(end - len(row.text.strip()), end, row) for end, row in ends]
    for start, end, row in sorted(places, key=lambda place: (place[0], -place[1])):
        if start < at:
            continue
        line += [Segment(_middle(text[at:start])), Segment(text[start:end], "word")]
        line.append(Segment(f" ({probability(row.log_probability)})", "small"))
        at = end
    line.append(Segment(_middle(text[at:])))
    return line


def _middle(text: str) -> str:
    """Of a long text, its ends."""
    half = LONGEST_AROUND // 2
    return text if len(text) <= LONGEST_AROUND else f"{text[:half]} … {text[-half:]}"


def _forced(row: WordRow) -> list[Segment]:
    before = row.preceding
    if len(before) > LONGEST_PRECEDING:
        before = f"…{before[-LONGEST_PRECEDING:]}"
    line = [
        Segment(f"{PLACE_WORDS['forced']}, with its probability:  ", "small"),
        Segment(before),
        Segment(row.text, "word"),
        Segment(f" ({probability(row.log_probability)})", "small"),
    ]
    if row.log_probability < log(UNLIKELY):
        line.append(Segment(" hardly ever said here: its map tells little of the model", "small"))
    return line
