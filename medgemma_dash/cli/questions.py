"""`questions`: asks a table of questions, and writes what the answers are worth."""

import argparse
from pathlib import Path

from medgemma_dash.cli.arguments import Commands, add_command, add_length, add_model_options
from medgemma_dash.cli.typed_values import read_span


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands, "questions", "ask a table of questions, and weigh the answers as a whole"
    )
    command.add_argument(
        "table", metavar="TABLE", type=Path, nargs="?", help="CSV, TSV, semicolons or Parquet"
    )
    command.add_argument("--images", type=Path, metavar="FOLDER", help="where its images lie")
    command.add_argument(
        "--out",
        type=Path,
        metavar="RUN",
        help="folder that keeps every row as it is done, and the record at the end; the same "
        "command goes on where it was ended",
    )
    command.add_argument("--maps", action="store_true", help="a map of each row's decision too")
    command.add_argument("--rows", type=read_span, metavar="A:B", help="rows A to B - 1 alone")
    command.add_argument(
        "--withheld",
        action="append",
        default=[],
        metavar="STRATEGY",
        help="a strategy whose phrasings were kept back while anything was chosen; may be repeated",
    )
    add_length(command)
    add_model_options(command)
    command.add_argument(
        "--example",
        type=Path,
        metavar="FOLDER",
        help="write the synthetic example set there, and ask nothing",
    )


def run(options: argparse.Namespace) -> int:
    """Ask and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.core.errors import SettingError

    if options.example is not None:
        return _write_example(options.example)
    if options.table is None or options.images is None or options.out is None:
        raise SettingError(
            "Give a TABLE, its --images and a folder --out; or --example FOLDER, which writes a "
            "table and images to begin with."
        )
    return _ask(options)


def _write_example(folder: Path) -> int:
    from medgemma_dash.cli.output import say, writing_to
    from medgemma_dash.demo.question_set import IMAGES, TABLE, example_files
    from medgemma_dash.services.exporting.files import write_together

    with writing_to(folder):
        for name, data in example_files():
            place = folder / name
            write_together(place.parent, {place.name: data})
    say(f"Written   {folder / TABLE} and {folder / IMAGES}")
    return 0


def _ask(options: argparse.Namespace) -> int:
    from medgemma_dash.cli.chosen_model import chosen_model
    from medgemma_dash.cli.memory import PeakMemory
    from medgemma_dash.cli.output import say, say_lines
    from medgemma_dash.cli.progress import TimeLeft
    from medgemma_dash.core.notices import RESEARCH_NOTICE
    from medgemma_dash.services.questions.question_set import PlanOptions, read_questions
    from medgemma_dash.services.questions.reading import headline, problem_lines
    from medgemma_dash.services.questions.run import run_through

    chosen = PlanOptions(
        maps=options.maps,
        rows=options.rows,
        withheld=tuple(options.withheld),
        max_new_tokens=options.max_new_tokens,
    )
    questions = read_questions(options.table, options.images, chosen)
    problems = problem_lines([(row.row, row.problem) for row in questions.rows])
    say_lines([RESEARCH_NOTICE, *problems])
    if questions.encoding == "cp1252":
        say("warning: the table is not UTF-8 and was read as Windows-1252", error=True)
    left, memory = TimeLeft(), PeakMemory()

    def heard(done: int, total: int) -> None:
        left(done, total)
        memory(done, total)

    try:
        record = run_through(chosen_model(options).load(), questions, options.out, progress=heard)
    except KeyboardInterrupt:
        say("Every row that is done is kept; the same command goes on.", error=True)
        raise
    say_lines([*headline(record), *filter(None, [memory.line()])])
    say(f"Written   {options.out}")
    return 0
