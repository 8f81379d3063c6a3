"""The sample radiographs that come with the program: those that are offered, and the films of the
example set of questions.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from medgemma_dash.core.resources import resource

FOLDER = resource("assets", "samples")
EXAMPLE = "synthetic-"  # how the names of the example set's films begin


@dataclass(frozen=True)
class Sample:
    """A radiograph that comes with the program, and a question that shows its point.

    name: stands in the URL; word: the word of the answer that is selected first.
    path: in assets/samples; None of a film that is drawn when it is opened.
    suggestions: what else to ask about it.
    """

    name: str
    path: Path | None
    title: str
    question: str
    word: str
    suggestions: tuple[str, ...]

    @property
    def source(self) -> Path | bytes:
        """The file, or its bytes."""
        if self.path is not None:
            return self.path
        from medgemma_dash.demo.question_set import example_image

        return example_image(self.name)


# Of a film of which nothing is known: a button says what it asks.
GENERAL_SUGGESTIONS = (
    "Describe this chest X-ray.",
    "Is there any abnormality?",
    "Is there evidence of pneumonia?",
    "Is the heart enlarged?",
)


@cache
def samples() -> tuple[Sample, ...]:
    """All that are offered, the one that a newcomer sees first in front."""
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
    found = next((sample for sample in samples() if sample.name == name), None)
    return found if found is not None or not name.startswith(EXAMPLE) else _example_film(name)


def _example_film(name: str) -> Sample | None:
    # Here, for no other page needs what draws films.
    from medgemma_dash.demo.question_set import example_names, example_question

    if name not in example_names():
        return None
    number = int(name.removeprefix(EXAMPLE))
    return Sample(
        name=name,
        path=None,
        title=f"Example set, film {number}",
        question=example_question(name),
        word="",
        suggestions=GENERAL_SUGGESTIONS,
    )


def suggestions_for(name: str | None) -> tuple[str, ...]:
    """What to ask about the sample with this name; about any other film, general questions."""
    sample = None if name is None else sample_named(name)
    return GENERAL_SUGGESTIONS if sample is None else sample.suggestions
