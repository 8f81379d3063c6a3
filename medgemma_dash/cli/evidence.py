"""`evidence`: asks, and writes how much each word of the answer needed the image."""

import argparse
from pathlib import Path

from medgemma_dash.cli.arguments import (
    Commands,
    add_command,
    add_model_options,
    add_question,
    add_record_out,
)


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands, "evidence", "ask about a radiograph, and weigh what each word owes to the image"
    )
    add_question(command)
    command.add_argument(
        "--donor",
        type=Path,
        action="append",
        metavar="IMAGE",
        help="another radiograph to be swapped in, five at least (the shipped samples)",
    )
    add_model_options(command)
    add_record_out(command)


def run(options: argparse.Namespace) -> int:
    """Ask, weigh and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.chosen_model import chosen_model
    from medgemma_dash.cli.output import say, say_lines
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import answered, asking, weighed
    from medgemma_dash.core.notices import RESEARCH_NOTICE
    from medgemma_dash.core.record_files import check_place
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.evidence.run import evidence
    from medgemma_dash.services.explaining.asking import ask

    choice = chosen_model(options)
    check_place(options.out)
    radiograph = load_radiograph(options.image)
    donors = None if options.donor is None else [load_radiograph(one) for one in options.donor]
    say(RESEARCH_NOTICE)
    model = choice.load()
    say_lines(asking(model, options.question))
    answer = ask(
        model,
        radiograph,
        options.question,
        max_new_tokens=options.max_new_tokens,
        force=options.force,
    )
    say_lines(answered(answer))
    record = evidence(model, answer, donors=donors, progress=show_progress)
    record.save(options.out)
    say_lines(weighed(record))
    say(f"Written   {options.out}")
    return 0
