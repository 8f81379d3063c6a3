"""`benchmark`: prints the tables, and stores observations, tables and summary where asked."""

import argparse
import shlex

from medgemma_dash.cli import INTERRUPTED
from medgemma_dash.cli.chosen_model import chosen_model
from medgemma_dash.cli.output import say, writing_to
from medgemma_dash.cli.progress import show_progress
from medgemma_dash.cli.summary import printable
from medgemma_dash.core.errors import SettingError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.datasets.annotations import AnnotationSet, read_annotations
from medgemma_dash.services.evaluation.benchmark.cases import (
    CaseSource,
    annotated_cases,
    synthetic_cases,
)
from medgemma_dash.services.evaluation.benchmark.run import (
    chosen_methods,
    identity,
    quick_options,
    run_benchmark,
)
from medgemma_dash.services.evaluation.benchmark.stored import observations_parquet, summary_json
from medgemma_dash.services.evaluation.benchmark.summary import summarise
from medgemma_dash.services.evaluation.benchmark.table import as_markdown
from medgemma_dash.services.evaluation.benchmark.unfinished import Unfinished
from medgemma_dash.services.exporting.files import write_together

PROBLEMS_SHOWN = 20


def run(options: argparse.Namespace) -> int:
    """Measure, store, print; after Ctrl-C what is done is stored, and the status is 130.

    With --out it goes on where an earlier run of the same command was ended.
    """
    methods = chosen_methods(options.methods)
    method_options = quick_options(options.setting)
    annotations = _annotations(options)
    with writing_to(options.out):
        if options.out:
            write_together(options.out, {})
    model = chosen_model(options).load()
    source = _source(options, model, annotations)
    all_words = options.removal_words == "all"
    unfinished = Unfinished()
    with writing_to(options.out):
        if options.out:
            run_of = identity(
                model, source, methods, method_options, remove_for_all_words=all_words
            )
            unfinished = Unfinished.open(options.out, run_of)
        if len(unfinished):
            say(f"Going on: {len(unfinished)} questions are answered and measured.", error=True)
        benchmark = run_benchmark(
            model,
            source,
            methods,
            options=method_options,
            remove_for_all_words=all_words,
            unfinished=unfinished,
            progress=show_progress,
        )
        summary = summarise(benchmark, _command(options, model))
        table = as_markdown(summary)
        if options.out:
            write_together(
                options.out,
                {
                    "benchmark.parquet": observations_parquet(benchmark.observations),
                    "benchmark.md": table.encode(),
                    "benchmark.json": summary_json(summary).encode(),
                },
            )
            if benchmark.complete:
                unfinished.remove()
    say(table, end="")
    return 0 if benchmark.complete else INTERRUPTED


def _annotations(options: argparse.Namespace) -> AnnotationSet | None:
    if bool(options.annotations) != bool(options.images):
        raise SettingError("--annotations and --images belong together: give both, or neither.")
    if not options.annotations:
        return None
    if options.first_seed is not None:
        raise SettingError("--first-seed is for synthetic radiographs: leave it out.")
    read = read_annotations(options.annotations, options.images)
    for problem in read.problems[:PROBLEMS_SHOWN]:
        say(printable(f"{problem.place}: {problem.reason}"), error=True)
    more = len(read.problems[PROBLEMS_SHOWN:]) + read.unlisted_problems
    if more:
        say(f"and {more} more problems", error=True)
    if not read.findings:
        raise SettingError(
            "There is no usable annotation. Allowed: a table of boxes (.csv), COCO boxes or "
            "CheXlocalize masks (.json), or a folder of masks, about PNG or JPEG files in --images."
        )
    return read


def _source(
    options: argparse.Namespace, model: VisionLanguageModel, annotations: AnnotationSet | None
) -> CaseSource:
    if annotations is not None:
        return annotated_cases(model, annotations.findings, options.count)
    return synthetic_cases(model, options.count, options.first_seed or FIRST_EVALUATION_SEED)


def _command(options: argparse.Namespace, model: VisionLanguageModel) -> str:
    """The command that repeats it, without paths: they are nobody else's."""
    words = ["python", "-m", "medgemma_dash", "benchmark", "--count", str(options.count)]
    if options.methods:
        words += ["--methods", *options.methods]
    for method, option, choice in options.setting:
        words += ["--setting", f"{method}.{option}={choice}"]
    if options.removal_words != "one":
        words += ["--removal-words", options.removal_words]
    if options.annotations:
        words += ["--annotations", "FILE", "--images", "FOLDER"]
    else:
        words += ["--first-seed", str(options.first_seed or FIRST_EVALUATION_SEED)]
    return shlex.join([*words, "--model", public_model_name(model.name)])
