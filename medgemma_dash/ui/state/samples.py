"""The sample radiographs that come with the program."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from medgemma_dash.core.resources import resource

FOLDER = resource("assets", "samples")


@dataclass(frozen=True)
class Sample:
    """A radiograph in assets/samples, and a question that shows its point.

    name: stands in the URL; word: the word of the answer that is selected first.
    suggestions: what else to ask about it.
    """

    name: str
    path: Path
    title: str
    question: str
    word: str
    suggestions: tuple[str, ...]


# Of a film of which nothing is known: a button says what it asks.
GENERAL_SUGGESTIONS = (
    "Describe this chest X-ray.",
    "Is there any abnormality?",
    "Is there evidence of pneumonia?",
    "Is the heart enlarged?",
)


@cache
def samples() -> tuple[Sample, ...]:
    """All samples, the one that a newcomer sees first in front."""
    rows = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
    return tuple(
        Sample(
            name=Path(row["file"]).stem,
            path=FOLDER / row["file"],
            title=row["title"],
            question=row["question"],
            word=row["finding"].split(",")[0].split(";")[0],
            suggestions=tuple(row["suggestions"]),
        )
        for row in rows
    )


def sample_named(name: str) -> Sample | None:
    """The sample with this name, None when there is none: a URL is anybody's text."""
    return next((sample for sample in samples() if sample.name == name), None)


def suggestions_for(name: str | None) -> tuple[str, ...]:
    """What to ask about the sample with this name; about any other film, general questions."""
    sample = None if name is None else sample_named(name)
    return GENERAL_SUGGESTIONS if sample is None else sample.suggestions
