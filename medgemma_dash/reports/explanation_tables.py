"""An explanation's tables in a report: zones, words, layers, what it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.radiograph import Window
from medgemma_dash.core.token_words import runners_up_names, token_name
from medgemma_dash.core.words import WordRelevance
from medgemma_dash.regions import SCHEME_TITLES, ZoneTable
from medgemma_dash.reports.report import Column, Table
from medgemma_dash.services.explaining.word_shares import shares_of_images
from medgemma_dash.services.exporting.names import DIGEST_CHARACTERS
from medgemma_dash.services.exporting.subject import method_words, window_words

# A longer run of one token id is counted: a radiograph's 256 soft tokens share theirs.
LONGEST_REPEAT = 3


def tables_of(
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
        yield _runners_up(answer, explanation.target.token_indices[0])


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
    return Table(
        "Zones",
        "Raw relevance by zone",
        (
            Column("Zone", "name"),
            Column("Share", "share"),
            Column("× area", "number"),
            Column("Mean", "number"),
            Column("Peak", "number"),
        ),
        (
            *(
                (zone.name, zone.share, zone.density if zone.area else None, zone.mean, zone.peak)
                for zone in zones.rows
            ),
            ("Outside every zone", zones.outside_share, None, None, None),
        ),
        f"Zones: {SCHEME_TITLES[zones.scheme]}. Right / left: {told}. {note}".strip(),
    )


def _runners_up(answer: Answer, index: int) -> Table:
    token = answer.tokens[index]
    said = ((token_name(answer, index), token.probability),)
    return Table(
        "Probability",
        "What the model might have said here; the first is what it said",
        (Column("Token", "text"), Column("Probability", "share")),
        said
        + tuple(
            (name, other.probability)
            for name, other in zip(runners_up_names(token), token.runners_up, strict=True)
        ),
    )


def provenance_table(facts: Provenance, about: Iterable[tuple[str, str]] = ()) -> Table:
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


def film_rows(
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
