"""Benchmarks of a random model on cases whose answers are known."""

import numpy as np

from medgemma_dash.services.evaluation.benchmark.cases import (
    AffirmingWord,
    Case,
    CaseSource,
    Picture,
)
from medgemma_dash.services.evaluation.benchmark.run import chosen_methods, run_benchmark
from medgemma_dash.services.evaluation.known_answers import word_tokens
from tests.random_answers import case

SHAPE = "heads 4 on 1, window shorter than the image"
COMMAND = "python -m medgemma_dash benchmark"


def known_case(radiograph: str = "1", *, right: bool = True) -> Case:
    """A random model's forced answer "Yes, in the right lower zone.", and a lesion."""
    answer = case(SHAPE).answer
    mask = np.zeros(answer.radiograph.pixels.shape[:2], np.bool_)
    mask[mask.shape[0] // 2 :, : mask.shape[1] // 3] = True
    words = []
    for kind, text in (("presence", "Yes"), ("side", "right"), ("zone", "lower")):
        start = answer.text.index(text)
        words.append(AffirmingWord(kind, text, word_tokens(answer, start, start + len(text))))
    return Case(radiograph, "consolidation", mask, answer, tuple(words) if right else ())


def source(*pictures, stop: bool = False) -> CaseSource:
    def give():
        yield from pictures
        if stop:
            raise KeyboardInterrupt

    return CaseSource("pictures", "The rule.", len(pictures), give())


def run(*pictures, stop: bool = False, methods=("raw_attention", "occlusion")):
    made = (Picture(tuple(lambda one=one: one for one in cases)) for cases in pictures)
    given = source(*made, stop=stop)
    return run_benchmark(case(SHAPE).model, given, chosen_methods(methods))
