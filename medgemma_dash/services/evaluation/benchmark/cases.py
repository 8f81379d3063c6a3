"""Answers about findings whose place is known: of synthetic radiographs, or of a user's own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool
from PIL import Image

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import ImageError, PromptError, SettingError, TargetError
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, Finding, SyntheticRadiograph
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.services.datasets.annotations import AnnotatedFinding
from medgemma_dash.services.evaluation.benchmark.unfinished import digest
from medgemma_dash.services.evaluation.known_answers import (
    QUESTION,
    ask_about,
    radiographs_with_findings,
    word_tokens,
)
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.targets import locate_phrase

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel


@dataclass(frozen=True)
class AffirmingWord:
    """A word of a right answer that affirms the finding.

    kind: what it says, "presence", "finding", "side" or "zone".
    """

    kind: str
    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Case:
    """An answer about one finding; mask is the finding's, in the radiograph's pixels.

    words: those that say it, none where the answer was wrong.
    """

    radiograph: str
    finding: str
    mask: Bool[np.ndarray, "height width"]
    answer: Answer
    words: tuple[AffirmingWord, ...]


@dataclass(frozen=True)
class Picture:
    """One radiograph's findings. Each is asked about when it is called, so that none needs to be
    that is done; None is what cannot be asked about.
    """

    cases: tuple[Callable[[], Case | None], ...]


@dataclass(frozen=True)
class CaseSource:
    """Where cases come from: `total` pictures.

    description: of the radiographs, in a few words. rule: when an answer counts as right, and
    which of its words are explained. identity: the same for the same radiographs and findings.
    """

    description: str
    rule: str
    total: int
    pictures: Iterator[Picture]
    identity: str = ""


def synthetic_cases(model: "VisionLanguageModel", count: int, first_seed: int) -> CaseSource:
    """Every finding of `count` radiographs that the demo model was not trained on.

    Raises SettingError for a seed below the first one of evaluation.
    """
    if first_seed < FIRST_EVALUATION_SEED:
        raise SettingError(
            f"Seeds below {FIRST_EVALUATION_SEED} are for training: a benchmark needs radiographs "
            f"that no model was trained on. Choose --first-seed {FIRST_EVALUATION_SEED} or above."
        )

    def pictures() -> Iterator[Picture]:
        for truth in islice(radiographs_with_findings(first_seed), count):
            cases = (partial(_synthetic_case, model, truth, one) for one in truth.findings)
            yield Picture(tuple(cases))

    return CaseSource(
        f"synthetic, each with a finding, seeds from {first_seed} on",
        "An answer is right when it is so word for word; explained are the words that say "
        "presence, finding, side and zone.",
        count,
        pictures(),
        f"synthetic from {first_seed}",
    )


def annotated_cases(
    model: "VisionLanguageModel", findings: Sequence[AnnotatedFinding], count: int
) -> CaseSource:
    """The annotated findings of a user's first `count` pictures.

    The question names the annotation's label as it is written, in lower case. An answer whose
    first word is "yes" has found it; all others count as wrong. Explained are that "yes"
    (presence), and the label where the answer first mentions it (finding). Left out, and counted,
    are findings whose picture or mask cannot be read, whose mask is empty or of another size, and
    whose label cannot be put into a question.
    """
    groups = [list(group) for _, group in groupby(_by_picture(findings), lambda one: one.image)]

    def pictures() -> Iterator[Picture]:
        for of_picture in groups[:count]:
            yield Picture(tuple(partial(_annotated_case, model, one) for one in of_picture))

    return CaseSource(
        "annotated",
        'An answer that begins with "yes" counts as right; explained are that word and the '
        "annotation's label where the answer first mentions it.",
        min(count, len(groups)),
        pictures(),
        digest([(str(one.image), one.label, one.boxes, one.source) for one in findings]),
    )


def _synthetic_case(
    model: "VisionLanguageModel", truth: SyntheticRadiograph, finding: Finding
) -> Case:
    radiograph = load_radiograph(Image.fromarray(truth.pixels))
    answer, spoken, right = ask_about(model, truth, finding, radiograph)
    words = [_word(answer, one.kind, one.start, one.stop) for one in spoken if right]
    return Case(str(truth.seed), finding.name, finding.mask, answer, tuple(words))


def _annotated_case(model: "VisionLanguageModel", finding: AnnotatedFinding) -> Case | None:
    """The case, or None where the picture, the mask or the label is none to ask about."""
    label = finding.label.lower()
    try:
        radiograph, mask = load_radiograph(finding.image), finding.mask()
        if mask.shape != radiograph.pixels.shape[:2] or not mask.any():
            return None
        answer = ask(model, radiograph, QUESTION.format(label))
    except (ImageError, PromptError):
        return None
    return Case(radiograph.sha256, label, mask, answer, words_that_affirm(answer, label))


def words_that_affirm(answer: Answer, label: str) -> tuple[AffirmingWord, ...]:
    """The leading "yes" and the label's first mention; nothing when "yes" does not lead."""
    start = len(answer.text) - len(answer.text.lstrip())
    stop = start + len("yes")
    leads = answer.text[start:stop].lower() == "yes"
    if not leads or answer.text[stop : stop + 1].isalnum():
        return ()
    words = [_word(answer, "presence", start, stop)]
    try:
        first, last = locate_phrase(answer, label)[0]
    except TargetError:
        pass
    else:
        words.append(AffirmingWord("finding", label, tuple(range(first, last))))
    return tuple(words)


def _by_picture(findings: Sequence[AnnotatedFinding]) -> list[AnnotatedFinding]:
    """In the order in which the pictures first come, those of one picture together."""
    order = {image: place for place, image in enumerate(dict.fromkeys(f.image for f in findings))}
    return sorted(findings, key=lambda finding: order[finding.image])


def _word(answer: Answer, kind: str, start: int, stop: int) -> AffirmingWord:
    return AffirmingWord(kind, answer.text[start:stop], word_tokens(answer, start, stop))
