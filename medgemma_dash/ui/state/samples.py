"""The samples that come with the program: radiographs, and drawn pictures that are none."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image

from medgemma_dash.core.resources import resource
from medgemma_dash.imaging.spatial_pictures import as_picture, spatial_layouts

FOLDER = resource("assets", "samples")
EXAMPLE = "synthetic-"  # how the names of the example set's films begin


@dataclass(frozen=True)
class Sample:
    """A film that is opened by its name, and a question that shows its point.

    name: stands in the URL; word: the word of the answer that is selected first.
    film: a file in assets/samples, or what makes the film's bytes when it is opened.
    suggestions: what else to ask about it. drawn: it is no radiograph.
    """

    name: str
    film: Path | Callable[[], bytes]
    title: str
    question: str
    word: str
    suggestions: tuple[str, ...]
    drawn: bool = False

    @property
    def source(self) -> Path | bytes:
        """The file, or the bytes."""
        return self.film if isinstance(self.film, Path) else self.film()


# Of a film of which nothing is known: a button says what it asks.
GENERAL_SUGGESTIONS = (
    "Describe this chest X-ray.",
    "Is there any abnormality?",
    "Is there evidence of pneumonia?",
    "Is the heart enlarged?",
)
DRAWN_NOTICE = (
    "Drawn pictures, no radiographs: they have no lungs. What a model says of them means nothing; "
    "they show whether a map lies where its picture does."
)
_DRAWN_TITLES = {
    "split": "Split, left half white",
    "quadrants": "Quadrants, upper left white",
    "circle": "Circle, upper right of the middle",
}
_DRAWN_GRID = (16, 16)


@cache
def samples() -> tuple[Sample, ...]:
    """All radiographs, the one that a newcomer sees first in front."""
    rows = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
    return tuple(
        Sample(
            name=Path(row["file"]).stem,
            film=FOLDER / row["file"],
            title=row["title"],
            question=row["question"],
            word=row["finding"].split(",")[0].split(";")[0],
            suggestions=tuple(row["suggestions"]),
        )
        for row in rows
    )


@cache
def drawn_pictures() -> tuple[Sample, ...]:
    """The Explainer tutorial's pictures, black and white: split, quadrants and circle."""
    return tuple(
        Sample(
            name=name,
            film=partial(_png, name),
            title=title,
            question="Is there any abnormality?",
            word="",
            suggestions=GENERAL_SUGGESTIONS[:1],
            drawn=True,
        )
        for name, title in _DRAWN_TITLES.items()
    )


def sample_named(name: str) -> Sample | None:
    """The sample with this name, None when there is none: a URL is anybody's text."""
    if name.startswith(EXAMPLE):
        return _example_film(name)
    every = (*samples(), *drawn_pictures())
    return next((sample for sample in every if sample.name == name), None)


def sample_of(digest: str) -> Sample | None:
    """The sample whose file has this sha256; None when none has."""
    return _by_digest().get(digest)


@cache
def _by_digest() -> dict[str, Sample]:
    return {
        sha256(sample.film.read_bytes()).hexdigest(): sample
        for sample in samples()
        if isinstance(sample.film, Path)
    }


def _example_film(name: str) -> Sample | None:
    # Here, for no other page needs what draws films.
    from medgemma_dash.demo.question_set import example_image, example_names, example_question

    if name not in example_names():
        return None
    number = int(name.removeprefix(EXAMPLE))
    return Sample(
        name=name,
        film=partial(example_image, name),
        title=f"Example set, film {number}",
        question=example_question(name),
        word="",
        suggestions=GENERAL_SUGGESTIONS,
    )


def is_drawn(name: str | None) -> bool:
    """Whether the sample with this name is a drawn picture."""
    sample = None if name is None else sample_named(name)
    return sample is not None and sample.drawn


def suggestions_for(name: str | None) -> tuple[str, ...]:
    """What to ask about the sample with this name; about any other film, general questions."""
    sample = None if name is None else sample_named(name)
    return GENERAL_SUGGESTIONS if sample is None else sample.suggestions


def _png(name: str) -> bytes:
    written = BytesIO()
    Image.fromarray(as_picture(spatial_layouts(_DRAWN_GRID)[name])).save(written, "PNG")
    return written.getvalue()
