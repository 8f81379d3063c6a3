"""What a prompts record says, in sentences; no model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from medgemma_dash.core.record import Record

DECIDED = 0.5  # what yes and no together have, at least, where the margin is the decision
# MedGemma Visualizer documentation, 6: below, above and above.
MOST_DIVERGENCE, LEAST_OVERLAP, LEAST_AGREEMENT = 0.2, 0.5, 0.8
_SAYING = {"yes": "say yes", "no": "say no", "uncertain": "are uncertain"}
_OVER = {
    "phrasing": "Of {} phrasings",
    "image": "Of {} images, the film itself and its changed copies,",
    "all": "Of all {} answers",
}


def summary_lines(record: Record) -> Iterator[str]:
    """A sentence for the phrasings, one for the changes of the image, one for all together, and
    one for prompts that had another answer than yes or no.
    """
    rows = record.tables["summary"].to_dict("records")
    for row in rows:
        # Where there is only one axis, "all" says the same again.
        if row["axis"] != "all" or len(rows) > 2:
            yield _line(row)
    yield from undecided_lines(record)


def undecided_lines(record: Record) -> Iterator[str]:
    """Where the model was about to say something else than yes or no, and a margin says little."""
    prompts = record.tables["prompts"]
    both = prompts["probability_yes"] + prompts["probability_no"]
    other = prompts["name"][both < DECIDED]
    if len(other):
        yield (
            f"In {len(other)} of {len(prompts)} the model was about to say something else: yes and "
            f"no together have less than {DECIDED:.0%} there, and margin and map say little "
            f"({', '.join(other)})."
        )


def _line(row: dict[Any, Any]) -> str:
    said = ", ".join(f"{row[one]} {verb}" for one, verb in _SAYING.items() if row[one])
    maps = "its maps cannot be compared"
    if row["mean_js_divergence"] == row["mean_js_divergence"]:
        maps = (
            f"pairs of maps differ by {row['mean_js_divergence']:.2f} nats on average (target "
            f"below {MOST_DIVERGENCE:g}), their top cells overlap by {row['mean_top_iou']:.2f} "
            f"(above {LEAST_OVERLAP:g})"
        )
    return (
        f"{_OVER[row['axis']].format(row['prompts'])} {said}; "
        f"{row['answer_agreement']:.0%} of pairs agree (target above {LEAST_AGREEMENT:.0%}). The "
        f"margin lies between {row['lowest_margin']:.2f} and {row['highest_margin']:.2f}; {maps}."
    )
