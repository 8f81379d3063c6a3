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
    from medgemma_dash.cli.asked import answer_of, loaded, model_and_place, write
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import weighed
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.evidence.run import evidence

    choice = model_and_place(options)
    radiograph = load_radiograph(options.image)
    donors = None if options.donor is None else [load_radiograph(one) for one in options.donor]
    model = loaded(choice, options)
    answer = answer_of(model, radiograph, options)
    record = evidence(model, answer, donors=donors, progress=show_progress)
    write(record, options, weighed(record))
    return 0
