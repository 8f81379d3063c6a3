"""The sample radiographs in assets/: unseen seeds, each answered rightly by the demo model.

`python -m medgemma_dash.demo.samples --model assets/demo-model --out assets/samples` writes them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
)

from medgemma_dash.demo.dialogues import answer_to
from medgemma_dash.demo.dicom import Photometric, write_dicom
from medgemma_dash.demo.evaluation import generate_answers
from medgemma_dash.demo.questions import (
    HEART_QUESTIONS,
    Question,
    any_question,
    describe_question,
    presence_question,
    read_question,
    where_question,
)
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, SyntheticRadiograph, synthesize

# Far from the seeds that scores are counted on, so that a sample is never picked from a test.
_FIRST_SEED = FIRST_EVALUATION_SEED + 500_000
MOST_SUGGESTIONS = 4  # in one line below the question


@dataclass(frozen=True)
class Wish:
    """What a sample is to show: names of findings (one may be given a side and a zone)."""

    file: str
    names: tuple[str, ...]
    question: Question
    side: str = ""
    zone: str = ""
    photometric: Photometric | None = None  # None: written as PNG


@dataclass(frozen=True)
class SampleRow:
    """A row of samples.json. suggestions: what else to ask about this film."""

    file: str
    title: str
    finding: str
    question: str
    expected_answer: str
    seed: int
    suggestions: tuple[str, ...]


_PNEUMONIA = read_question("Is there evidence of pneumonia in this chest radiograph?")
WISHES = (
    Wish("consolidation-right-lower.png", ("consolidation",), _PNEUMONIA, "right", "lower"),
    Wish("pneumothorax-left.png", ("pneumothorax",),
         presence_question("pneumothorax", "technical"), "left"),
    Wish("pleural-effusion-right.dcm", ("pleural effusion",),
         presence_question("pleural effusion", "plain"), "right", "", "MONOCHROME2"),
    Wish("cardiomegaly.png", ("cardiomegaly",), read_question("Is the heart enlarged?")),
    Wish("nodule-left-upper.png", ("nodule",), describe_question(), "left", "upper"),
    Wish("consolidation-left-mid.dcm", ("consolidation",),
         presence_question("consolidation", "technical"), "left", "mid", "MONOCHROME1"),
    Wish("nodule-right-mid.png", ("nodule",), read_question("Where is the nodule?"),
         "right", "mid"),
    Wish("effusion-and-cardiomegaly.png", ("pleural effusion", "cardiomegaly"),
         describe_question(), "left"),
    Wish("no-finding.png", (), _PNEUMONIA),
)  # fmt: skip


def write_samples(
    out: Path,
    model: Gemma3ForConditionalGeneration,
    processor: Gemma3Processor,
    wishes: Sequence[Wish] = WISHES,
) -> list[SampleRow]:
    """Write the pictures and samples.json; a wish takes the first seed that the model gets right.

    Right means both the wish's own question and the description, word for word.
    """
    out.mkdir(parents=True, exist_ok=True)
    samples: list[SampleRow] = []
    for number, wish in enumerate(wishes):
        radiograph, answer = _first_right(wish, number, model, processor)
        if wish.photometric is None:
            Image.fromarray(radiograph.pixels).save(out / wish.file, optimize=True)
        else:
            write_dicom(out / wish.file, radiograph, wish.photometric)
        finding = _in_words(radiograph)
        samples.append(
            SampleRow(
                file=wish.file,
                title=finding[0].upper() + finding[1:],
                finding=finding,
                question=wish.question.text,
                expected_answer=answer,
                seed=radiograph.seed,
                suggestions=suggestions(radiograph, wish.question.text),
            )
        )
    rows = [asdict(sample) for sample in samples]
    (out / "samples.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return samples


def suggestions(radiograph: SyntheticRadiograph, asked: str) -> tuple[str, ...]:
    """Short questions about what this film shows, besides the one that is asked first."""
    about: list[str] = []
    for finding in radiograph.findings:
        if finding.side:
            about.append(where_question(finding.name).text)
        about.append(presence_question(finding.name, "terse").text)
    general = (describe_question().text, any_question().text, HEART_QUESTIONS[0])
    return tuple(text for text in (*about, *general) if text != asked)[:MOST_SUGGESTIONS]


def _first_right(
    wish: Wish, number: int, model: Gemma3ForConditionalGeneration, processor: Gemma3Processor
) -> tuple[SyntheticRadiograph, str]:
    for radiograph in _candidates(wish, number):
        asked = (wish.question, describe_question())
        answers = generate_answers(model, processor, [(radiograph, one.text) for one in asked])
        expected = [answer_to(question, radiograph).answer for question in asked]
        if answers == expected:
            return radiograph, answers[0]
    raise RuntimeError(f"no seed fits {wish.file}: the model answers none of them rightly")


def _candidates(wish: Wish, number: int) -> Iterator[SyntheticRadiograph]:
    first = _FIRST_SEED + 1000 * number
    for seed in range(first, first + 1000):
        radiograph = synthesize(seed)
        if {finding.name for finding in radiograph.findings} != set(wish.names):
            continue
        placed = [finding for finding in radiograph.findings if finding.side]
        if all(wish.side in ("", one.side) and wish.zone in ("", one.zone) for one in placed):
            yield radiograph


def _in_words(radiograph: SyntheticRadiograph) -> str:
    words = [
        f"{finding.name}, {finding.side} {finding.zone} zone" if finding.side else finding.name
        for finding in radiograph.findings
    ]
    return "; ".join(words) or "no finding"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the samples that the repository carries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the checkpoint folder")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    processor = AutoProcessor.from_pretrained(options.model)
    model = AutoModelForImageTextToText.from_pretrained(options.model).eval()
    for sample in write_samples(options.out, model, processor):
        sys.stdout.write(
            f"{sample.file}: seed {sample.seed}: {sample.question} -> {sample.expected_answer}\n"
        )


if __name__ == "__main__":
    main()
