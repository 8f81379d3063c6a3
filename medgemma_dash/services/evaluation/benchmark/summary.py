"""The benchmark's means, with intervals clustered by radiograph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import medgemma_dash
from medgemma_dash.metrics.bootstrap import Interval, clustered_interval
from medgemma_dash.services.evaluation.benchmark.measures import (
    MEASURES,
    OWN_CONTROLS,
    Observation,
)

if TYPE_CHECKING:
    from medgemma_dash.services.evaluation.benchmark.run import Benchmark


@dataclass(frozen=True)
class MeasureScore:
    """The mean of one measure over n words; no interval where it was defined for none."""

    measure: str
    n: int
    interval: Interval | None


@dataclass(frozen=True)
class MethodScore:
    """One method's means. Each kind of word counts alike, however many words it has.

    settings: "option: choice; ..." as it was run. no_map: words for which it found nothing.
    """

    name: str
    title: str
    family: str
    settings: str
    words: int
    no_map: int
    scores: tuple[MeasureScore, ...]

    def interval(self, measure: str) -> Interval | None:
        """The mean of the measure of this name; None where it is not defined."""
        return next((one.interval for one in self.scores if one.measure == measure), None)


@dataclass(frozen=True)
class BenchmarkSummary:
    """What the table and the Methods page show.

    command: what repeats it. complete: the run was not stopped before its end.
    left_out: annotated findings that could not be asked about.
    """

    command: str
    package_version: str
    model_name: str
    model_revision: str
    is_demo: bool
    pictures: str
    rule: str
    complete: bool
    radiographs: int
    answers: int
    wrong_answers: int
    left_out: int
    words: int
    methods: tuple[MethodScore, ...]

    def score(self, method: str) -> MethodScore | None:
        """The means of the method of this name; None where it was not among them."""
        return next((one for one in self.methods if one.name == method), None)


def summarise(benchmark: "Benchmark", command: str) -> BenchmarkSummary:
    """Average what was observed, method by method."""
    by_method: dict[str, list[Observation]] = {}
    for one in benchmark.observations:
        by_method.setdefault(one.method, []).append(one)
    named = [
        (spec.name, spec.title, spec.family, benchmark.options[spec.name])
        for spec in benchmark.methods
    ]
    named += [(name, title, "control", {}) for name, title in OWN_CONTROLS.items()]
    methods = tuple(
        MethodScore(
            name=name,
            title=title,
            family=family,
            settings="; ".join(f"{option}: {choice}" for option, choice in options.items()),
            words=len(by_method[name]),
            no_map=sum(bool(one.failure) for one in by_method[name]),
            scores=tuple(_score(measure.name, by_method[name]) for measure in MEASURES),
        )
        for name, title, family, options in named
    )
    return BenchmarkSummary(
        command=command,
        package_version=medgemma_dash.__version__,
        model_name=benchmark.model_name,
        model_revision=benchmark.model_revision,
        is_demo=benchmark.is_demo,
        pictures=benchmark.pictures,
        rule=benchmark.rule,
        complete=benchmark.complete,
        radiographs=benchmark.radiographs,
        answers=benchmark.answers,
        wrong_answers=benchmark.wrong_answers,
        left_out=benchmark.left_out,
        words=methods[0].words,
        methods=methods,
    )


def _score(measure: str, observations: Sequence[Observation]) -> MeasureScore:
    known = [one for one in observations if np.isfinite(getattr(one, measure))]
    if not known:
        return MeasureScore(measure, 0, None)
    interval = clustered_interval(
        np.array([getattr(one, measure) for one in known], np.float64),
        np.unique([one.radiograph for one in known], return_inverse=True)[1],
        np.unique([one.kind for one in known], return_inverse=True)[1],
    )
    return MeasureScore(measure, len(known), interval)
