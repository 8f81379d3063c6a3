"""What a prompts record says, in sentences; no model is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from medgemma_dash.core.record import Record
from medgemma_dash.metrics.agreement import PUBLISHED_SCALE, divergence_in_words
from medgemma_dash.metrics.agreement_square import telling_decimals

if TYPE_CHECKING:
    from medgemma_dash.metrics.agreement_controls import JudgedAgreement
    from medgemma_dash.services.prompts.grid import Asked

DECIMALS = 3  # of what is beside its controls: maps of one question are often this near
DECIDED = 0.5  # what yes and no together have, at least, where the margin is the decision
# MedGemma Visualizer documentation, 6: below, above and above.
MOST_DIVERGENCE, LEAST_OVERLAP, LEAST_AGREEMENT = 0.2, 0.5, 0.8
# Of one, and of several.
_SAYING = {
    "yes": ("says yes", "say yes"),
    "no": ("says no", "say no"),
    "uncertain": ("is uncertain", "are uncertain"),
}
_OVER = {
    "phrasing": "Of {} phrasings",
    "image": "Of {} images, the film itself and its changed copies,",
    "all": "Of all {} answers",
}


def summary_lines(record: Record) -> Iterator[str]:
    """A sentence for the phrasings, one for the changes of the image, one for all together, one
    for prompts that had another answer than yes or no, and one for each change left out.
    """
    rows = record.tables["summary"].to_dict("records")
    for row in rows:
        # Where there is only one axis, "all" says the same again.
        if row["axis"] != "all" or len(rows) > 2:
            yield _line(row)
    yield from undecided_lines(record)
    yield from left_out_lines(record)


def undecided_lines(record: Record) -> Iterator[str]:
    """Where the model was about to say something else than yes or no, and a margin says little."""
    prompts = record.tables["prompts"]
    both = prompts["probability_yes"] + prompts["probability_no"]
    other = prompts["name"][both < DECIDED]
    if len(other):
        yield (
            f"In {len(other)} of {len(prompts)} the model was about to say something else: yes and "
            f"no together have less than {DECIDED:.0%} there, and margin and map say little "
            f"({'; '.join(other)})."
        )


def left_out_lines(record: Record) -> Iterator[str]:
    """Why changes of the image were not asked about; earlier records have no such table."""
    if "left_out" in record.tables:
        for row in record.tables["left_out"].to_dict("records"):
            yield f"Not asked: {row['reason']}"


def _line(row: dict[Any, Any]) -> str:
    said = ", ".join(
        f"{row[one]} {verbs[row[one] > 1]}" for one, verbs in _SAYING.items() if row[one]
    )
    maps = "its maps cannot be compared"
    divergence, overlap = float(row["mean_js_divergence"]), float(row["mean_top_iou"])
    if divergence == divergence:
        maps = (
            f"pairs of maps differ by {_told(divergence, MOST_DIVERGENCE)} nats on average (target "
            f"below {MOST_DIVERGENCE:g}: {_reached(divergence < MOST_DIVERGENCE)}), their top "
            f"cells overlap by {_told(overlap, LEAST_OVERLAP)} (target above {LEAST_OVERLAP:g}: "
            f"{_reached(overlap > LEAST_OVERLAP)})"
        )
    agree = float(row["answer_agreement"])
    digits = telling_decimals(agree * 100, [LEAST_AGREEMENT * 100], 0)
    return (
        f"{_OVER[row['axis']].format(row['prompts'])} {said}; {agree:.{digits}%} of pairs agree "
        f"(target above {LEAST_AGREEMENT:.0%}: {_reached(agree > LEAST_AGREEMENT)}). The "
        f"margin lies between {row['lowest_margin']:.2f} and {row['highest_margin']:.2f}; {maps}."
    )


def _told(value: float, target: float) -> str:
    """In as many decimals as tell it from its target."""
    return f"{value:.{telling_decimals(value, [target], DECIMALS)}f}"


def _reached(yes: bool) -> str:
    return "reached" if yes else "missed"


def answers_line(first: Asked, second: Asked) -> str:
    """Whether two prompts have the same answer, and how far the margin moves from one to the
    other.
    """
    if first.parsed != second.parsed:
        said = f"The answer changes from {first.parsed} to {second.parsed}"
    elif first.parsed == "uncertain":
        said = "Neither answer says yes or no"
    else:
        said = f"Both say {first.parsed}"
    change = second.margin - first.margin
    return (
        f"{said}; the margin moves by {change:+.2f} nats, from {first.margin:+.2f} to "
        f"{second.margin:+.2f}."
    )


def divergence_line(judged: JudgedAgreement) -> str:
    """How far apart their maps are, as published and beside controls."""
    reading = divergence_in_words(judged.value)
    ends = [end for end, _ in PUBLISHED_SCALE]
    return (
        f"Jensen-Shannon {_beside_controls(judged, ends)}; the published reading, without a "
        f'control, is "{reading}".'
    )


def overlap_line(judged: JudgedAgreement) -> str:
    """How much their top cells overlap, beside controls."""
    return f"Top 20% of cells: overlap {_beside_controls(judged)}."


def words_line(*asked: Asked) -> str:
    """Which word of each prompt the margin leaned on most, and how much of all of them it had."""
    said = []
    for one in asked:
        if one.words:
            whole = sum(abs(word.value) for word in one.words) or 1.0
            word = one.words[0]
            share = f"{abs(word.value) / whole:.0%} of its words' relevance"
            said.append(f'"{word.text}" in {one.name} ({share})')
    if not said:
        return "The margin leaned on no word of the prompt."
    return f"Of the prompt, the margin leaned most on {' and on '.join(said)}."


def _beside_controls(judged: JudgedAgreement, ends: Sequence[float] = ()) -> str:
    """Value, band and verdict; ends: where what it is called changes, which it is told from too."""
    if judged.verdict == "not comparable":
        return "is not defined for these maps"
    digits = telling_decimals(judged.value, (judged.low, judged.high, *ends), DECIMALS)
    value, low, high = (f"{one:.{digits}f}" for one in (judged.value, judged.low, judged.high))
    control = judged.failed_at
    beside = "" if control is None else f" and {control[0]} {control[1]:.{digits}f}"
    return f"{value}, displaced {low} to {high}{beside}: {judged.verdict}"
