"""Do the maps of an answer's words point at the lesion? Measured where the lesion is known.

The question about every finding of every radiograph is "Is there evidence of X?". Where the
answer is right, word for word, four of its words are explained: the one that says presence
("Yes"), the finding, its side and its zone; the heart has neither side nor zone and counts for
the first two. A word of several tokens has the mean of their maps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float
from PIL import Image

from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.demo.dialogues import WordKind
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, Finding, SyntheticRadiograph
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.metrics.bootstrap import Interval, clustered_interval
from medgemma_dash.metrics.controls import centre_map, random_maps
from medgemma_dash.metrics.localisation import energy_inside, pointing_hit
from medgemma_dash.services.evaluation.known_answers import (
    KINDS,
    ask_about,
    radiographs_with_findings,
    word_map,
)
from medgemma_dash.services.explaining.explain import relevancy_tensor

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

RANDOM_MAPS = 10


@dataclass(frozen=True)
class WordGrounding:
    """One word of one answer. The words of a wrong answer are not explained and score 0.

    hit, centre, random: pointing game of the word's map, of the centre prior, and the mean of
    ten random maps. energy: share of the map's positive relevance inside the lesion.
    """

    seed: int
    finding: str
    kind: WordKind
    right: bool
    hit: float = 0.0
    energy: float = 0.0
    centre: float = 0.0
    random: float = 0.0


@dataclass(frozen=True)
class Score:
    """Means over the words of right answers, with intervals clustered by radiograph.

    `hit_or_wrong` is over all answers, and so counts a wrong answer's words as misses.
    """

    name: str
    words: int
    hit: Interval
    hit_or_wrong: Interval
    energy: Interval
    centre: Interval
    random: Interval


@dataclass(frozen=True)
class Grounding:
    """The whole measurement. `average` is the mean of the four kinds' rates.

    companions: the same for radiographs with one finding and with several, because a word may
    point at the other lesion.
    """

    model_name: str
    model_revision: str
    method: str
    first_seed: int
    last_seed: int
    radiographs: int
    answers: int
    wrong_answers: int
    average: Score
    kinds: tuple[Score, ...]
    findings: tuple[Score, ...]
    companions: tuple[Score, ...]
    observations: tuple[WordGrounding, ...]


def measure_grounding(
    model: "VisionLanguageModel",
    *,
    count: int = 200,
    method: str = "chefer",
    first_seed: int = FIRST_EVALUATION_SEED,
    progress: Callable[[int, int], None] | None = None,
) -> Grounding:
    """Explain the answers about the first `count` radiographs that have a finding.

    Seeds are taken in order from `first_seed`; those without a finding are passed over. Raises
    ModelError when not a single answer is right.
    """
    observations: list[WordGrounding] = []
    answers: list[bool] = []
    last_seed = first_seed
    for done, truth in enumerate(islice(radiographs_with_findings(first_seed), count), 1):
        last_seed = truth.seed
        radiograph = load_radiograph(Image.fromarray(truth.pixels))
        for finding in truth.findings:
            words = _observe(model, truth, finding, radiograph, method)
            answers.append(words[0].right)
            observations += words
        if progress:
            progress(done, count)
    if not any(answers):
        raise ModelError(
            f"{model.name} answered none of {len(answers)} questions about synthetic radiographs "
            "right, so there is nothing to explain. Train the demo model, or choose it."
        )
    return Grounding(
        model_name=public_model_name(model.name),
        model_revision=model.revision,
        method=method,
        first_seed=first_seed,
        last_seed=last_seed,
        radiographs=count,
        answers=len(answers),
        wrong_answers=answers.count(False),
        average=_summarise("average", observations),
        kinds=_summarise_each("kind", observations),
        findings=_summarise_each("finding", observations),
        companions=_summarise_by_company(observations),
        observations=tuple(observations),
    )


def _observe(
    model: "VisionLanguageModel",
    truth: SyntheticRadiograph,
    finding: Finding,
    radiograph: Radiograph,
    method: str,
) -> list[WordGrounding]:
    """Ask about one finding and, when the answer is right, score the map of each of its words."""
    answer, words, right = ask_about(model, truth, finding, radiograph)
    if not right:
        return [WordGrounding(truth.seed, finding.name, word.kind, False) for word in words]
    rows = relevancy_tensor(model, answer, method=method)
    return [
        _score(truth.seed, finding, word.kind, word_map(answer, rows, word.start, word.stop))
        for word in words
    ]


def _score(
    seed: int, finding: Finding, kind: WordKind, image: Float[np.ndarray, "rows cols"]
) -> WordGrounding:
    grid = (image.shape[0], image.shape[1])
    generator = np.random.default_rng([seed, KINDS.index(kind)])
    noise = [pointing_hit(one, finding.mask) for one in random_maps(grid, RANDOM_MAPS, generator)]
    return WordGrounding(
        seed=seed,
        finding=finding.name,
        kind=kind,
        right=True,
        hit=pointing_hit(image, finding.mask),
        energy=energy_inside(image, finding.mask) or 0.0,
        centre=pointing_hit(centre_map(grid), finding.mask),
        random=float(np.mean(noise)),
    )


def _summarise_each(
    field: Literal["kind", "finding"], observations: list[WordGrounding]
) -> tuple[Score, ...]:
    """Summarise per kind of word or per finding; names without a right answer are left out."""
    names = dict.fromkeys(getattr(one, field) for one in observations if one.right)
    return tuple(
        _summarise(name, [one for one in observations if getattr(one, field) == name])
        for name in names
    )


def _summarise_by_company(observations: list[WordGrounding]) -> tuple[Score, ...]:
    """Summarise apart what was seen alone on its radiograph and what was not."""
    seen: dict[int, set[str]] = {}
    for one in observations:
        seen.setdefault(one.seed, set()).add(one.finding)
    alone = [one for one in observations if len(seen[one.seed]) == 1]
    together = [one for one in observations if len(seen[one.seed]) > 1]
    named = (("one finding on the radiograph", alone), ("two findings on it", together))
    return tuple(_summarise(name, of) for name, of in named if any(one.right for one in of))


def _summarise(name: str, observations: list[WordGrounding]) -> Score:
    """Average the observations, each kind of word counting alike."""

    def interval(value: str, of: list[WordGrounding]) -> Interval:
        return clustered_interval(
            np.array([getattr(one, value) for one in of]),
            np.array([one.seed for one in of]),
            np.array([KINDS.index(one.kind) for one in of]),
        )

    right = [one for one in observations if one.right]
    return Score(
        name=name,
        words=len(right),
        hit=interval("hit", right),
        hit_or_wrong=interval("hit", observations),
        energy=interval("energy", right),
        centre=interval("centre", right),
        random=interval("random", right),
    )
