"""The loop over radiographs, which may be stopped and keeps what is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import medgemma_dash
from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.methods import MethodSpec, available, get
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.evaluation.benchmark.cases import Case, CaseSource
from medgemma_dash.services.evaluation.benchmark.measures import Observation
from medgemma_dash.services.evaluation.benchmark.observing import OptionsByMethod, observe
from medgemma_dash.services.evaluation.benchmark.unfinished import Unfinished

# What lets 200 radiographs end within an hour or so on two slow cores. Blocks of 2 x 2 cells cost a
# quarter of single cells, and removing what they mark costs the demo model's answers more.
QUICK_OPTIONS: OptionsByMethod = {
    "integrated_gradients": {"steps": "16"},
    "occlusion": {"block": "2x2"},
}


@dataclass(frozen=True)
class Benchmark:
    """All observations, and what they are about. complete: the run was not stopped before its end.

    radiographs, answers: how many were asked about, and how many answers were given.
    left_out: findings that could not be asked about.
    """

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
    methods: tuple[MethodSpec, ...]
    options: Mapping[str, Mapping[str, str]]
    observations: tuple[Observation, ...]


def chosen_methods(names: Sequence[str] | None) -> tuple[MethodSpec, ...]:
    """The methods of these names, or all of them; those that are controls always come along.

    Raises MethodError for a name that there is not.
    """
    chosen = {get(name).spec.name for name in names} if names else None
    return tuple(
        spec
        for spec in available()
        if chosen is None or spec.name in chosen or spec.family == "control"
    )


def quick_options(given: Sequence[tuple[str, str, str]]) -> OptionsByMethod:
    """QUICK_OPTIONS, overruled by these (method, option, choice).

    Raises MethodError for a method, option or choice that there is not.
    """
    merged = {name: dict(values) for name, values in QUICK_OPTIONS.items()}
    for name, option, choice in given:
        merged.setdefault(name, {})[option] = choice
    for name, values in merged.items():
        get(name).spec.option_values(values)
    return merged


def identity(
    model: VisionLanguageModel,
    source: CaseSource,
    methods: Sequence[MethodSpec],
    options: OptionsByMethod,
    *,
    remove_for_all_words: bool,
) -> dict[str, object]:
    """Everything that the numbers of a run depend on, but for how many pictures there are."""
    return {
        "package_version": medgemma_dash.__version__,
        "model": public_model_name(model.name),
        "revision": model.revision,
        "computed_on": f"{model.device.type}, {model.dtype}",
        "pictures": source.identity,
        "methods": [spec.name for spec in methods],
        "options": {name: dict(chosen) for name, chosen in options.items()},
        "remove_for_all_words": remove_for_all_words,
    }


def run_benchmark(
    model: VisionLanguageModel,
    source: CaseSource,
    methods: Sequence[MethodSpec],
    *,
    options: OptionsByMethod = QUICK_OPTIONS,
    remove_for_all_words: bool = False,
    unfinished: Unfinished | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Benchmark:
    """Explain and measure radiograph by radiograph.

    remove_for_all_words: see `observe`. unfinished: what is done already, and is not done again;
    it learns what is done now.

    Ctrl-C ends it early: radiographs that are done are kept, and the result says that it is not
    complete. Raises KeyboardInterrupt when none is done, and ModelError when no answer is right.
    """
    known = Unfinished() if unfinished is None else unfinished

    def observed(case: Case | None) -> list[Observation] | None:
        if case is None:
            return None
        return observe(model, case, methods, options, remove_for_all_words=remove_for_all_words)

    observations: list[Observation] = []
    right: list[bool] = []
    done = left_out = 0
    complete = True
    try:
        for number, picture in enumerate(source.pictures):
            found = []
            for place, make in enumerate(picture.cases):
                if not known.knows((number, place)):
                    known.add((number, place), observed(make()))
                found.append(known.get((number, place)))
            answered = [of_case for of_case in found if of_case is not None]
            observations += chain.from_iterable(answered)
            right += [bool(of_case) for of_case in answered]
            left_out += len(found) - len(answered)
            done += 1
            if progress is not None:
                progress(done, source.total)
    except KeyboardInterrupt:
        if not observations:
            raise
        complete = False
    if not observations:
        raise ModelError(
            f"{public_model_name(model.name)} answered none of {len(right)} questions right, so "
            "there is nothing to explain. Choose another model, or other radiographs."
        )
    return Benchmark(
        model_name=public_model_name(model.name),
        model_revision=model.revision,
        is_demo=model.is_demo,
        pictures=source.description,
        rule=source.rule,
        complete=complete,
        radiographs=done,
        answers=len(right),
        wrong_answers=right.count(False),
        left_out=left_out,
        methods=tuple(methods),
        options={spec.name: dict(spec.option_values(dict(options.get(spec.name, {}))))
                  for spec in methods},
        observations=tuple(observations),
    )  # fmt: skip
