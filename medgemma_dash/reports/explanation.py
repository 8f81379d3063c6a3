"""An explanation as a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from jaxtyping import UInt8

from medgemma_dash.core.answer import Answer, Token
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.notices import notices
from medgemma_dash.core.radiograph import Window
from medgemma_dash.core.words import WordRelevance
from medgemma_dash.figures import (
    layer_figure,
    prompt_words_figure,
)
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.regions import DEFAULT_SCHEME, ZoneTable, zone_map, zone_table
from medgemma_dash.reports.pictures import DEFAULT_DISPLAY, report_pictures
from medgemma_dash.reports.report import Column, Figure, Report, Run, Table
from medgemma_dash.services.explaining.headline import headline
from medgemma_dash.services.explaining.prompt_words import prompt_words
from medgemma_dash.services.explaining.word_shares import shares_of_images
from medgemma_dash.services.exporting.names import DIGEST_CHARACTERS
from medgemma_dash.services.exporting.subject import (
    film_names,
    method_words,
    model_words,
    rendered_prompt,
    target_words,
    window_words,
)

MOST_WORDS = 50
WORDS_DRAWN = 5
# A longer run of one token id is counted: a radiograph's 256 soft tokens share theirs.
LONGEST_REPEAT = 3


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
        tables=tuple(_tables(explanation, answer, is_global, zones, zones_note, words)),
        provenance=_provenance(
            explanation.provenance,
            (
                *_films(answer, named, shown_window),
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
        return f"Why “{target.text.strip()}” rather than “{target.against.text.strip()}”?"
    return f"Why “{target.text.strip()}”?"


def _runs(answer: Answer, chosen: frozenset[int]) -> Iterator[Run]:
    """The answer, with what is explained as few marked runs, the space before them left out."""

    def role(token: Token) -> str:
        return "control" if token.special else "marked" if token.index in chosen else "said"

    for kind, tokens in groupby(answer.tokens, role):
        text = "".join(token.text for token in tokens)
        if kind == "control":
            yield Run(" · end of answer", "control")
        elif kind == "marked":
            words = text.lstrip()
            yield Run(text[: len(text) - len(words)])
            yield Run(words, "marked")
        else:
            yield Run(text)


def _lines(explanation: Explanation, answer: Answer) -> Iterator[str]:
    against = explanation.target.against
    contrast = "" if against is None else f" rather than “{against.text.strip()}”"
    yield f"Marked: what is explained{contrast}, by the method {explanation.method}."
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


def _tables(
    explanation: Explanation,
    answer: Answer,
    is_global: Sequence[bool],
    zones: ZoneTable,
    zones_note: str,
    words: Sequence[WordRelevance],
) -> Iterator[Table]:
    of_zones, shown = _zones(zones, zones_note), "image"
    if len(explanation.images) > 1:
        shown = "images"
        named = explanation.image_names[-1]
        yield _images(explanation)
        of_zones = replace(of_zones, caption=f"{of_zones.caption} of {named}, the current one")
    yield of_zones
    if words:
        yield Table(
            "Words",
            "Raw relevance of words",
            (Column("Word", "text"), Column("Where", "name"), Column("Relevance", "number")),
            tuple((word.text, word.part, word.value) for word in words),
        )
    yield Table(
        "Layers",
        f"Share of attention that the predicting position gives to the {shown}",
        (Column("Layer", "name"), Column("Share", "share")),
        tuple(
            (f"{layer}{' (global)' if everywhere else ''}", float(share))
            for layer, (share, everywhere) in enumerate(
                zip(explanation.layers, is_global, strict=True)
            )
        ),
    )
    if len(explanation.target.token_indices) == 1:
        yield _runners_up(answer.tokens[explanation.target.token_indices[0]])


def _images(explanation: Explanation) -> Table:
    shares = shares_of_images(explanation) or (None,) * len(explanation.images)
    digests = explanation.provenance.image_sha256s
    kinds: tuple[Column, ...] = (Column("Image", "name"), Column("sha256", "text"))
    return Table(
        "Images",
        "Share of the positive relevance of all that stands before the target",
        (*kinds, Column("Share", "share"), Column("Peak", "number")),
        tuple(
            (named, digest[:DIGEST_CHARACTERS], share, float(image.max()))
            for named, digest, share, image in zip(
                explanation.image_names, digests, shares, explanation.images, strict=True
            )
        ),
    )


def _zones(zones: ZoneTable, note: str) -> Table:
    ratio = zones.right_left_ratio
    told = "unknown" if ratio is None else f"{ratio:.4g}"
    kinds: tuple[Column, ...] = (Column("Zone", "name"), Column("Share", "share"))
    return Table(
        "Zones",
        "Raw relevance by zone",
        (*kinds, Column("Mean", "number"), Column("Peak", "number")),
        (
            *((zone.name, zone.share, zone.mean, zone.peak) for zone in zones.rows),
            ("Outside every zone", zones.outside_share, None, None),
        ),
        f"Right / left: {told}. {note}".strip(),
    )


def _runners_up(token: Token) -> Table:
    said = ((token.text, token.probability),)
    return Table(
        "Probability",
        "What the model might have said here; the first is what it said",
        (Column("Token", "text"), Column("Probability", "share")),
        said + tuple((other.text, other.probability) for other in token.runners_up),
    )


def _provenance(facts: Provenance, about: Iterable[tuple[str, str]] = ()) -> Table:
    """about: further rows, of what the explanation alone does not know."""
    rows = (
        ("Model", f"{public_model_name(facts.model_name)}, revision {facts.model_revision}"),
        ("Computed on", f"{facts.device}, {facts.dtype}, {facts.seconds:.2f} s"),
        *_shown(facts),
        *about,
        ("Method", method_words(facts)),
        ("Question", facts.prompt),
        (
            "Sequence",
            f"{len(facts.token_ids)} tokens, prompt {facts.prompt_length}, {_places(facts)}",
        ),
        ("Token ids", _counted(facts.token_ids)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in facts.versions)),
    )
    return Table(
        "Provenance",
        "Everything needed to compute it again",
        (Column("What", "name"), Column("Value", "text")),
        rows,
    )


def _shown(facts: Provenance) -> Iterator[tuple[str, str]]:
    """Which radiographs the model was given, in order."""
    several = bool(facts.earlier_images)
    for number, digest in enumerate(facts.image_sha256s, 1):
        yield f"Radiograph {number}" if several else "Radiograph", f"sha256 {digest}"


def _films(
    answer: Answer, films: tuple[str, ...], shown: Window | None
) -> Iterator[tuple[str, str]]:
    """What they are called, and the windows in which the model and the reader saw them."""
    for number, (name, image) in enumerate(zip(films, answer.images, strict=True), 1):
        of = f" {number}" if len(films) > 1 else ""
        seen = image.radiograph.windows[0]
        yield f"Film{of}", name
        yield f"Window{of}", f"{window_words(seen)}; the model saw it so"
        if number == len(films) and shown is not None and shown != seen:
            yield f"Shown{of}", f"{window_words(shown)}; in the picture above alone"


def _places(facts: Provenance) -> str:
    """Where in the sequence they stand."""
    spans = [*(image.span for image in facts.earlier_images), facts.image_span]
    places = ", ".join(f"{first} to {last}" for first, last in spans)
    return f"image{'s' if len(spans) > 1 else ''} at {places}"


def _counted(ids: Sequence[int]) -> str:
    """Token ids in order; 8 × 256 is the id 8, 256 times."""
    parts: list[str] = []
    for one, run in groupby(ids):
        count = len(list(run))
        parts += [f"{one} × {count}"] if count > LONGEST_REPEAT else [str(one)] * count
    return " ".join(parts)
