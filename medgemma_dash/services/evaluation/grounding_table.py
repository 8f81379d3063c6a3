"""The grounding measurement as text: for the terminal, for the model card, and as JSON."""

import dataclasses
import json
from pathlib import Path

from medgemma_dash.core.errors import ModelNotFoundError
from medgemma_dash.demo.model_card import replace_section
from medgemma_dash.metrics.bootstrap import Interval
from medgemma_dash.services.evaluation.grounding import RANDOM_MAPS, Grounding, Score

SCHEMA = "medgemma-dash/grounding"
SCHEMA_VERSION = 1

COLUMNS = ("words of", "explained", "peak on the lesion", "wrong answers as misses")
CONTROLS = (f"{RANDOM_MAPS} random maps", "centre prior", "energy inside")


def grounding_json(grounding: Grounding) -> str:
    """All of it, as docs/schemas describes it."""
    head = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION}
    document = head | dataclasses.asdict(grounding)
    return json.dumps(document, allow_nan=False, indent=1) + "\n"


def as_markdown(grounding: Grounding) -> str:
    """Say what was measured in two sentences, then a table: kinds of words, findings, company."""
    right = grounding.answers - grounding.wrong_answers
    lines = [
        f"Grounding of `{grounding.method}` in {grounding.model_name} "
        f"(revision {grounding.model_revision}): {grounding.radiographs} synthetic radiographs "
        f"with a finding, seeds {grounding.first_seed} to {grounding.last_seed}, "
        f'"Is there evidence of X?" asked for each finding on them. {right} of '
        f"{grounding.answers} answers were right, word for word; the maps of their words count "
        "when the peak lies inside the lesion, dilated by one cell. Brackets: 95% bootstrap "
        "interval, clustered by radiograph.",
        "",
        _row(*COLUMNS, *CONTROLS),
        _row("---", *["---:"] * (len(COLUMNS) + len(CONTROLS) - 1)),
        *map(_score_row, grounding.kinds),
        _score_row(grounding.average),
        *map(_score_row, grounding.findings),
        *map(_score_row, grounding.companions),
    ]
    return "\n".join(lines) + "\n"


def write_into_card(grounding: Grounding, card: Path) -> None:
    """Put the table into the model card's section for it.

    Raises ModelNotFoundError when there is no card, or no such section in it.
    """
    try:
        replace_section(card, "grounding", as_markdown(grounding).rstrip())
    except (FileNotFoundError, ValueError) as error:
        raise ModelNotFoundError(
            f"{card.name} is missing, or has no section for the table. `train-demo` writes one."
        ) from error


def _score_row(score: Score) -> str:
    return _row(
        score.name,
        str(score.words),
        _percent(score.hit),
        _percent(score.hit_or_wrong),
        _percent(score.random),
        _percent(score.centre),
        _percent(score.energy),
    )


def _percent(interval: Interval) -> str:
    return f"{interval.mean:.1%} [{interval.low:.0%}, {interval.high:.0%}]"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
