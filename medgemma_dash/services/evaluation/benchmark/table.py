"""The benchmark as text, for the terminal and for a file."""

from collections.abc import Sequence

from medgemma_dash.metrics.bootstrap import Interval
from medgemma_dash.services.evaluation.benchmark.measures import MEASURES, Measure, Question
from medgemma_dash.services.evaluation.benchmark.summary import BenchmarkSummary, MethodScore

HEADINGS: tuple[tuple[str, tuple[Question, ...]], ...] = (
    ("Does it point at the lesion?", ("place",)),
    ("Does the model depend on what it marks?", ("model", "reference")),
    ("What the maps look like, and what they cost", ("shape", "cost")),
)
DIGITS = 3


def as_markdown(summary: BenchmarkSummary) -> str:
    """What was measured, then three tables; methods by falling pointing game, controls last."""
    methods = sorted(summary.methods, key=_order)
    lines = [*_introduction(summary), ""]
    for heading, questions in HEADINGS:
        measures = [one for one in MEASURES if one.question in questions]
        lines += [f"## {heading}", "", *_table(methods, measures), ""]
        lines += [_meaning(one) for one in measures] + [""]
    lines += _settings(methods)
    return "\n".join(lines).rstrip() + "\n"


def _introduction(summary: BenchmarkSummary) -> list[str]:
    right = summary.answers - summary.wrong_answers
    title = "# Methods on lesions whose place is known"
    demo = " (the demo model, not MedGemma)" if summary.is_demo else ""
    left_out = ""
    if summary.left_out:
        left_out = f" {summary.left_out} findings could not be asked about."
    stopped = []
    if not summary.complete:
        stopped = ["**Partial result: the run was stopped before its end.**", ""]
    return [
        title if summary.complete else f"{title} (partial)",
        "",
        *stopped,
        f"Model {summary.model_name}{demo}, revision {summary.model_revision}; "
        f"radiographs: {summary.radiographs}, {summary.pictures}. "
        f'"Is there evidence of X?" was asked for each finding: {right} of {summary.answers} '
        f"answers were right, and {summary.words} of their words are explained. {summary.rule} "
        f"Wrong answers are left out: they are the same for every method.{left_out}",
        "",
        "Means, each kind of word counting alike, with 95% bootstrap intervals clustered by "
        'radiograph. A word for which a method finds nothing stands under "no map" and is scored '
        "as a miss: 0 in all measures of place and, for the model, as if nothing were marked. It "
        "has no part in agreement and shape. The lesion itself, drawn on the grid, shows what a "
        "map can reach.",
        "",
        f"`{summary.command}`, version {summary.package_version}.",
    ]


def _table(methods: Sequence[MethodScore], measures: Sequence[Measure]) -> list[str]:
    names = [one.title for one in measures]
    return [
        _row("method", *names, "words", "no map"),
        _row("---", *["---:"] * (len(names) + 2)),
        *(
            _row(
                method.title,
                *(_cell(measure, method.interval(measure.name)) for measure in measures),
                str(method.words),
                str(method.no_map),
            )
            for method in methods
        ),
    ]


def _cell(measure: Measure, interval: Interval | None) -> str:
    if interval is None:
        return "-"
    if measure.percent:
        return f"{interval.mean:.1%} [{interval.low:.0%}, {interval.high:.0%}]"
    mean, low, high = (f"{x:z.{DIGITS}f}" for x in (interval.mean, interval.low, interval.high))
    return f"{mean} [{low}, {high}]"


def _meaning(measure: Measure) -> str:
    good = f" ({measure.better} is good)" if measure.better else ""
    return f"- {measure.title}: {measure.help}{good}."


def _settings(methods: Sequence[MethodScore]) -> list[str]:
    lines = [
        "Comprehensiveness, sufficiency and above random are of one drawn word of each answer, "
        "unless the command says otherwise.",
        "",
        "Of equal cells the first ones count as the top 20%, so that a uniform map's are the "
        "picture's upper edge. Agreement is with occlusion, where it was run.",
        "",
        "Settings: every option's first choice, the paper's where there is one; but to save time "
        "integrated gradients take the fewest steps and occlusion takes blocks of cells, unless "
        "the command says otherwise.",
        "",
    ]
    return lines + [f"- {one.title}: {one.settings}." for one in methods if one.settings]


def _order(method: MethodScore) -> tuple[bool, float]:
    pointing = method.interval("pointing")
    return method.family == "control", -(pointing.mean if pointing else 0.0)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
