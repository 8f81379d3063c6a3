"""`rerun`: computes a record again, and says what differs."""

import argparse
from pathlib import Path

from medgemma_dash.cli.arguments import Commands, add_command, add_model_options

DIFFERS = 1


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands, "rerun", "compute a record again and say what differs (status 1 if anything does)"
    )
    command.add_argument("record", metavar="RECORD", type=Path, help="folder, or .zip")
    command.add_argument(
        "--image",
        type=Path,
        action="append",
        default=[],
        metavar="IMAGE",
        help="a radiograph that the record is about; may be repeated, shipped samples need not",
    )
    add_model_options(command)
    command.add_argument("--out", type=Path, metavar="RECORD", help="where the new record goes")


def run(options: argparse.Namespace) -> int:
    """Read, compute and compare; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.chosen_model import chosen_model
    from medgemma_dash.cli.output import say, say_lines
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.core.record_files import check_place
    from medgemma_dash.core.record_reading import read_record
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.reports.rerun import rerun

    record = read_record(options.record)
    if options.out is not None:
        check_place(options.out)
    images = [load_radiograph(one) for one in options.image]
    found = rerun(record, chosen_model(options).load(), images=images, progress=show_progress)
    if options.out is not None:
        found.record.save(options.out)
    agree = [one for one in found.agreements if one.agrees]
    worst = max((one.difference for one in agree), default=0.0)
    say(f"{len(agree)} of {len(found.agreements)} columns and maps agree, within {worst:.2g}")
    say_lines(f"  {one}" for one in found.differences)
    return DIFFERS if found.differences else 0
