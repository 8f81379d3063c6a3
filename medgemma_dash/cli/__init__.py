"""The command line: `medgemma-dash COMMAND`, with the commands of `build_parser`."""

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from medgemma_dash.cli import (
    evidence,
    faithfulness,
    intervene,
    prompts,
    questions,
    report,
    rerun,
    words,
)
from medgemma_dash.cli.arguments import (
    Commands,
    add_command,
    add_image,
    add_length,
    add_method,
    add_model_options,
    add_setting,
    add_target,
)
from medgemma_dash.cli.output import say
from medgemma_dash.cli.typed_values import (
    read_count,
    read_number,
    read_port,
    read_setting,
    read_width,
)
from medgemma_dash.core.dependencies import blaming_dependencies, unmet
from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.paper import NARROWEST_MM, WIDEST_MM

FAILED = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 2 after an error, 130 after Ctrl-C.

    1 is an outcome and no error: `rerun` found a difference, or `doctor` what keeps the program
    from working.
    """
    options = build_parser().parse_args(arguments)
    for library in unmet():
        say(f"warning: {library.complaint}; `medgemma-dash doctor` says more", error=True)
    try:
        with blaming_dependencies():
            # Imported only now, so that `--help` does not wait for torch.
            status: int = import_module(f"medgemma_dash.cli.{options.module}").run(options)
    except MedGemmaDashError as error:
        say(f"error: {' '.join(str(error).splitlines())}", error=True)
        return FAILED
    except KeyboardInterrupt:
        say("interrupted", error=True)
        return INTERRUPTED
    return status


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; `module` in its result names the one to run."""
    parser = argparse.ArgumentParser(
        prog="medgemma-dash",
        description="Why a radiology vision-language model said each word of its answer. "
        "For research only; not a medical device.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_explain(commands)
    evidence.add(commands)
    words.add(commands)
    prompts.add(commands)
    questions.add(commands)
    faithfulness.add(commands)
    intervene.add(commands)
    report.add(commands)
    rerun.add(commands)
    _add_bench(commands)
    _add_grounding(commands)
    _add_benchmark(commands)
    add_command(commands, "doctor", "say what this machine can run, and what to do about the rest")
    train = add_command(commands, "train-demo", "train the demo model anew", module="train_demo")
    train.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    train.add_argument("--seed", type=read_number, default=0)
    return parser


def _add_run(commands: Commands) -> None:
    command = add_command(
        commands, "run", "open the dashboard, for this machine alone", module="dashboard"
    )
    command.add_argument(
        "--port",
        type=read_port,
        default=8501,
        metavar="N",
        help="port of 127.0.0.1 (%(default)s)",
    )
    add_model_options(command)


def _add_explain(commands: Commands) -> None:
    command = add_command(
        commands, "explain", "ask about a radiograph and explain the answer, or words of it"
    )
    add_image(command)
    add_target(command)
    command.add_argument("--against", metavar="TEXT", help="why the token and not this one")
    add_method(command)
    add_setting(command)
    add_model_options(command)
    add_length(command)
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for explanation.json, relevancy.npz and overlay.png",
    )
    command.add_argument(
        "--width-mm",
        type=read_width,
        metavar="MM",
        help=f"width of overlay.png at 300 dots an inch, {NARROWEST_MM} to {WIDEST_MM} (the "
        "radiograph keeps every pixel)",
    )
    command.add_argument(
        "--report", action="store_true", help="write report.html beside them, as the pages do"
    )


def _add_bench(commands: Commands) -> None:
    command = add_command(commands, "bench", "measure what an explanation costs here")
    add_model_options(command)
    command.add_argument(
        "--shape",
        action="append",
        metavar="NAME",
        help="also measure random weights of this shape: 100m (always), medgemma-4b",
    )
    command.add_argument(
        "--length", type=read_count, action="append", help="sequence length (384 and 984)"
    )
    command.add_argument("--rounds", type=read_count, default=5, help="rounds (%(default)s)")


def _add_grounding(commands: Commands) -> None:
    command = add_command(
        commands, "grounding", "measure whether words' maps point at lesions whose place is known"
    )
    command.add_argument("--count", type=read_count, default=200, help="radiographs (%(default)s)")
    add_method(command)
    _add_first_seed(command)
    add_model_options(command)
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="JSON file with every observation"
    )
    command.add_argument(
        "--write-card", action="store_true", help="write the table into the demo model's card"
    )


def _add_benchmark(commands: Commands) -> None:
    command = add_command(
        commands, "benchmark", "compare all methods on lesions whose place is known"
    )
    command.add_argument("--count", type=read_count, default=200, help="radiographs (%(default)s)")
    command.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="only these, and the controls (all)"
    )
    command.add_argument(
        "--setting",
        type=read_setting,
        action="append",
        default=[],
        metavar="METHOD.OPTION=CHOICE",
        help="run a method with this choice, such as occlusion.block=1x1; may be repeated",
    )
    command.add_argument(
        "--removal-words",
        choices=("one", "all"),
        default="one",
        help="remove what the maps mark for one drawn word of each answer, or for all, which takes "
        "twice as long (%(default)s)",
    )
    _add_first_seed(command)
    add_model_options(command)
    command.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="your own lesions in place of synthetic ones: boxes (.csv, .json), masks (.json, or "
        "a folder)",
    )
    command.add_argument("--images", type=Path, metavar="FOLDER", help="what --annotations are of")
    command.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="folder for benchmark.parquet, benchmark.md and benchmark.json",
    )


def _add_first_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--first-seed", type=read_count, metavar="N", help="seed of the first radiograph"
    )
