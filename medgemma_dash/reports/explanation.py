"""An explanation as a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from jaxtyping import UInt8

from medgemma_dash.core.answer import Answer, Token
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.notices import notices
from medgemma_dash.core.radiograph import Window
from medgemma_dash.core.token_words import readable, token_name
from medgemma_dash.core.words import WordRelevance
from medgemma_dash.figures import (
    layer_figure,
    prompt_words_figure,
)
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.regions import DEFAULT_SCHEME, ZoneTable, zone_map, zone_table
from medgemma_dash.reports.explanation_tables import film_rows, provenance_table, tables_of
from medgemma_dash.reports.pictures import DEFAULT_DISPLAY, report_pictures
from medgemma_dash.reports.report import Figure, Report, Run
from medgemma_dash.services.explaining.headline import headline
from medgemma_dash.services.explaining.prompt_words import prompt_words
from medgemma_dash.services.exporting.subject import (
    film_names,
    method_title,
    model_words,
    rendered_prompt,
    target_words,
)

MOST_WORDS = 50
WORDS_DRAWN = 5


def explanation_report(
    explanation: Explanation,
    answer: Answer,
    is_global: Sequence[bool],
    *,
    zones: ZoneTable | None = None,
    zones_note: str = "",
    pixels: UInt8[np.ndarray, "height width 3"] | None = None,
    display: MapDisplay = DEFAULT_DISPLAY,
    films: Sequence[str] = (),
    shown_window: Window | None = None,
) -> Report:
    """Everything there is to say about an explanation.

    is_global: for each decoder layer whether it attends without a window. A page gives what was
    on screen: zones, the radiograph's pixels in a window, and how the map was drawn. Elsewhere
    the zones are of the default scheme and the pixels the radiograph's own. Of several images
    every one is shown, on one scale; zones and pixels are the current one's. films: of
    `film_names`, by default of films that nobody uploaded. shown_window: of the pixels.
    Raises ValueError for an explanation of another answer.
    """
    if explanation.provenance.token_ids != tuple(answer.input_ids.tolist()):
        raise ValueError("This explanation belongs to another answer. Give the one it explains.")
    if zones is None:
        found = zone_map(answer.radiograph, answer.grid, DEFAULT_SCHEME)
        zones, zones_note = zone_table(explanation.image, found), found.note
    named = tuple(films) or film_names(answer)
    shown = answer.radiograph.pixels if pixels is None else pixels
    words = prompt_words(explanation, answer, MOST_WORDS)
    return Report(
        title=why(explanation),
        notices=notices(explanation.provenance.is_demo),
        pictures=tuple(report_pictures(explanation, answer, shown, display)),
        question=answer.prompt,
        answer=tuple(_runs(answer, frozenset(explanation.target.token_indices))),
        lines=(
            *filter(None, [headline(explanation, zones).text]),
            *_lines(explanation, answer),
        ),
        figures=(
            _layer_figure(explanation, is_global),
            *([_word_figure(words)] if words else []),
        ),
        tables=tuple(tables_of(explanation, answer, is_global, zones, zones_note, words)),
        provenance=provenance_table(
            explanation.provenance,
            (
                *film_rows(answer, named, shown_window),
                ("Word", target_words(explanation)),
                ("Rendered prompt", rendered_prompt(answer)),
            ),
        ),
        about=f"{'; '.join(named)} · {model_words(explanation.provenance)}",
    )


def why(explanation: Explanation) -> str:
    """The question that an explanation answers."""
    target = explanation.target
    if target.margin is not None:
        return f"Why “{target.margin.yes_text}” rather than “{target.margin.no_text}”?"
    if target.against is not None:
        return f"Why “{readable(target.text)}” rather than “{readable(target.against.text)}”?"
    return f"Why “{readable(target.text)}”?"


def _runs(answer: Answer, chosen: frozenset[int]) -> Iterator[Run]:
    """The answer, with what is explained as few marked runs, the space before them left out."""

    def role(token: Token) -> str:
        return "control" if token.special else "marked" if token.index in chosen else "said"

    for kind, run in groupby(answer.tokens, role):
        tokens = list(run)
        text = "".join(token.text for token in tokens)
        if kind == "control":
            names = " · ".join(token_name(answer, token.index) for token in tokens)
            goes_on = tokens[-1] is not answer.tokens[-1]
            yield Run(f" · {names}{' · ' if goes_on else ''}", "control")
        elif kind == "marked":
            words = text.lstrip()
            yield Run(text[: len(text) - len(words)])
            yield Run(words, "marked")
        else:
            yield Run(text)


def _lines(explanation: Explanation, answer: Answer) -> Iterator[str]:
    against = explanation.target.against
    contrast = "" if against is None else f" rather than “{readable(against.text)}”"
    yield f"Marked: what is explained{contrast}, by the method {method_title(explanation.method)}."
    if against is not None and against.notice:
        yield against.notice
    if answer.forced:
        yield "The answer was given, not generated."
    elif answer.fidelity.exact:
        yield "The replay that was explained gives the same answer."
    else:
        count = len(answer.fidelity.mismatches)
        yield f"Caution: the replay that was explained differs from the answer in {count} tokens."
    if len(explanation.images) > 1:
        yield (
            "The model saw the images in this order, and each of them sees those in front of it. "
            "Their maps have one scale. Shares of attention are of all images; zones are of "
            f"{explanation.image_names[-1]}, the current one, alone."
        )


def _layer_figure(explanation: Explanation, is_global: Sequence[bool]) -> Figure:
    several = "s" if len(explanation.images) > 1 else ""
    light, dark = (layer_figure(explanation.layers, is_global, dark=one) for one in (False, True))
    return Figure(
        f"Attention to the image{several} by layer",
        "Mean over heads, at the position that predicts the target.",
        light.to_json(),
        dark.to_json(),
    )


def _word_figure(words: Sequence[WordRelevance]) -> Figure:
    light, dark = (prompt_words_figure(words[:WORDS_DRAWN], dark=one) for one in (False, True))
    return Figure(
        "Words that mattered",
        "Raw relevance, summed over each word's tokens.",
        light.to_json(),
        dark.to_json(),
    )
