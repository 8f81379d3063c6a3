"""The example set: questions about synthetic radiographs, each in six wordings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import Image

from medgemma_dash.demo.questions import FINDINGS
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, SyntheticRadiograph, synthesize

# Far from the seeds that scores are counted on and from those of the samples.
FIRST_SEED = FIRST_EVALUATION_SEED + 700_000
TABLE, IMAGES = "questions.csv", "images"
WITHHELD = "voice change"
COLUMNS = ("study_id", "subject_id", "question", "correct_answer", "image_path", "finding",
           "baseline_question", "question_variant", "variant_index", "strategy",
           "withheld")  # fmt: skip

_BASELINE = "Is there evidence of {} in this chest radiograph?"
# A wording for each strategy. The demo model was not trained on the withheld one.
_WORDINGS = (
    ("baseline", _BASELINE),
    ("phrasing variation", "Does the image show evidence of {}?"),
    ("synonym replacement", "Is there evidence of {synonym} in this chest radiograph?"),
    ("clause reordering", "In this chest X-ray, is there {}?"),
    ("register shift", "Can you see any signs of {plain} in this X-ray?"),
    (WITHHELD, "Can evidence of {} be seen in this chest radiograph?"),
)
_SYNONYMS = {
    "consolidation": "airspace consolidation",
    "pleural effusion": "pleural fluid",
    "pneumothorax": "a pneumothorax",
    "cardiomegaly": "cardiac enlargement",
    "nodule": "pulmonary nodule",
}
_PLAIN = {
    "consolidation": "solid appearance in lung",
    "pleural effusion": "fluid around the lungs",
    "pneumothorax": "collapsed lung",
    "cardiomegaly": "an enlarged heart",
    "nodule": "a spot in the lung",
}
# Of each finding: a film with it alone, one with it and another, one with another, one with none.
_WISHES = ("alone", "with another", "another", "healthy")
# What `first_seeds` finds, in the order of FINDINGS: films are drawn there until one fits.
_SEEDS = tuple(
    FIRST_SEED + place
    for place in (1, 37, 0, 2, 13, 6, 3, 4, 5, 29, 7, 9, 14, 33, 8, 10, 17, 36, 12, 11)
)


@dataclass(frozen=True)
class ExampleQuestion:
    """A finding that is asked for on one film, in every wording."""

    finding: str
    present: bool
    seed: int


def example_files() -> Iterator[tuple[str, bytes]]:
    """The set's files by name, one after the other: 20 PNGs and the table, 120 rows.

    The same bytes each time. Half of the right answers are "no".
    """
    for name in example_names():
        yield f"{IMAGES}/{name}.png", example_image(name)
    yield TABLE, example_table()


def example_table() -> bytes:
    """The table; no film is drawn for it."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for name, question in _example_questions().items():
        writer.writerows(_rows(name, question))
    return text.getvalue().encode("utf-8")


def example_names() -> tuple[str, ...]:
    """What its films are called."""
    return tuple(_example_questions())


def example_question(name: str) -> str:
    """What is asked about a film of the set, in its baseline wording."""
    return _BASELINE.format(_example_questions()[name].finding)


@lru_cache(maxsize=len(_SEEDS))
def example_image(name: str) -> bytes:
    """A film of the set as PNG; raises KeyError for any other name."""
    return _png(synthesize(_example_questions()[name].seed))


@cache
def _example_questions() -> dict[str, ExampleQuestion]:
    wished = [(finding, wish) for finding in FINDINGS for wish in _WISHES]
    return {
        f"synthetic-{number:02}": ExampleQuestion(finding, wish in ("alone", "with another"), seed)
        for number, ((finding, wish), seed) in enumerate(zip(wished, _SEEDS, strict=True), 1)
    }


def first_seeds() -> Iterator[int]:
    """For each finding and wish the first film that fits and that none before it took."""
    drawn: dict[int, SyntheticRadiograph] = {}
    used: set[int] = set()
    for finding in FINDINGS:
        for wish in _WISHES:
            seed = FIRST_SEED
            while True:
                if seed not in used:
                    film = drawn.get(seed) or drawn.setdefault(seed, synthesize(seed))
                    if _fits(film, finding, wish):
                        break
                seed += 1
            used.add(seed)
            yield seed


def _fits(film: SyntheticRadiograph, finding: str, wish: str) -> bool:
    names = {one.name for one in film.findings}
    if wish == "alone":
        return names == {finding}
    if wish == "with another":
        return finding in names and len(names) > 1
    return finding not in names and bool(names) == (wish == "another")


def _rows(name: str, question: ExampleQuestion) -> Iterator[dict[str, str]]:
    finding = question.finding
    for index, (strategy, wording) in enumerate(_WORDINGS):
        asked = wording.format(finding, synonym=_SYNONYMS[finding], plain=_PLAIN[finding])
        yield {
            "study_id": name,
            "subject_id": name,
            "question": asked,
            "correct_answer": "yes" if question.present else "no",
            "image_path": f"{name}.png",
            "finding": finding,
            "baseline_question": _BASELINE.format(finding),
            "question_variant": asked,
            "variant_index": str(index),
            "strategy": strategy,
            "withheld": "yes" if strategy == WITHHELD else "no",
        }


def _png(radiograph: SyntheticRadiograph) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(radiograph.pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
